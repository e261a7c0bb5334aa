"""The config: checked, with messages that a person can act on.

`python -m twolevel.pipeline.config.check > config/schema.json` writes the schema that editors read.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from twolevel.pipeline.clock import check_date
from twolevel.pipeline.config.between_keys import CovariateKeys, GroupKeys
from twolevel.pipeline.config.keys import Model, StudyName
from twolevel.pipeline.config.made import Publish, Report
from twolevel.pipeline.config.planning import Cost, Effect
from twolevel.pipeline.config.replication_study import Replication
from twolevel.pipeline.config.study import (
    Reading,
    RealStudy,
    SimulatedStudy,
    Simulation,
    Study,
    plain_path,
)
from twolevel.pipeline.config.values import described, text_keys
from twolevel.pipeline.config.yaml_keys import duplicate_keys
from twolevel.pipeline.tables.missing_values import codes_of
from twolevel.pipeline.tables.table_files import check_columns, headers
from twolevel.pipeline.tables.wide import columns_read
from twolevel.random.bars import read_bars
from twolevel.text.errors import InputError, did_you_mean, listed, quoted


class Config(Model):
    """The whole config."""

    studies: Annotated[dict[StudyName, Study], BeforeValidator(text_keys)] = Field(
        default={},
        description="The studies by name",
        examples=[{"anxiety": {"data": "table.csv", "formula": "score ~ time", "subject": "id"}}],
    )
    replications: Annotated[dict[StudyName, Replication], BeforeValidator(text_keys)] = Field(
        default={},
        description="Studies of many simulated experiments, by name",
        examples=[{"planning": {"like": "anxiety", "subjects": [20, 30]}}],
    )
    report: Report = Field(default=Report(), description="How reports are made")
    publish: Publish = Field(
        default=Publish(), description="Where `snakemake publish` puts the site"
    )

    @model_validator(mode="after")
    def _names_fit(self) -> "Config":
        if not self.studies and not self.replications:
            raise InputError(
                "found no study; write one under studies: or replications:, see config/README.md"
            )
        for name, replication in self.replications.items():
            place = f"replications.{name}"
            if name in self.studies:
                raise InputError(f"{place}: a study has this name too; rename one of them")
            if replication.like is None:
                continue
            if replication.like not in self.studies:
                raise InputError(
                    f"{place}.like: found {quoted(replication.like)}, which is no study"
                    f"{did_you_mean(replication.like, self.studies)}; the studies are "
                    f"{listed(self.studies)}"
                )
            formula = self.studies[replication.like].formula
            if not read_bars(formula).names.variables:
                raise InputError(
                    f"{place}.like: study {replication.like} has the formula {quoted(formula)}; "
                    "experiments are replicated for designs with a within-subject condition; "
                    "name a study of such a design, or give all keys instead of like:"
                )
        return self


def load(config: Any) -> Config:
    """Check a config that YAML has read.

    Raises InputError with one line for each problem.
    """
    try:
        return Config.model_validate(config)
    except ValidationError as error:
        problems = [_problem(e) for e in error.errors(include_url=False)]
        raise InputError("\n".join(f"config: {problem}" for problem in problems)) from None


def checked(config: Any, files: Iterable[str | Path], tables: bool = True) -> Config:
    """Check a config, the text of the files that it was read from, and its tables' headers.

    The headers are left out where not `tables`. Raises InputError with one line for each problem.
    Takes no longer than reading the first line of each file, so that it can run before any job.
    """
    for file in files:
        duplicate_keys(Path(file).read_bytes(), str(file))
    result = load(config)
    problems = []
    for name, study in result.studies.items():
        if tables and isinstance(study, RealStudy):
            try:
                check_table(study, f"study {name}")
            except InputError as error:
                problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return result


def check_table(study: RealStudy, where: str) -> None:
    """Check that all files of a study's table are there with its columns. Raises InputError."""
    first, alike = None, set()
    for file, found in headers(study.data, where, study.read.model_dump()):
        check_date(file, where)
        try:
            plain_path(file)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if tuple(found) in alike:
            continue
        alike.add(tuple(found))
        place = f"{where}: {file}"
        columns, cells = columns_read(
            study.formula, study.subject, study.wide, study.condition, found, place
        )
        check_columns(columns, found, place)
        response = read_bars(study.formula).names.response
        codes_of(study.missing_values, columns, study.subject, response, cells, place)
        made = cells.levels if cells else {}
        first = first or (file, made)
        if made != first[1]:
            raise InputError(
                f"{place}: wide: found the columns {listed(map(quoted, made))}, and "
                f"{listed(map(quoted, first[1]))} in {first[0]}; give all files the same "
                "columns, or list those to read in wide:"
            )


def json_schema() -> dict[str, Any]:
    """Give the config's JSON schema, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Config.model_json_schema()


# What pydantic adds to the place of a key: a mark for keys, and what kind of conditions these are.
_MARKS = ("[key]", "[levels]", "[factors]", "[values]", "[names]")
_MODELS: dict[Any, type[BaseModel]] = {
    "simulate": Simulation,
    "simulated": SimulatedStudy,
    "real": RealStudy,
    "report": Report,
    "publish": Publish,
    "read": Reading,
    "effect": Effect,
    "cost": Cost,
}
_OF_SUBJECTS: dict[Any, type[BaseModel]] = {"groups": GroupKeys, "covariates": CovariateKeys}
_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a name of a-z, 0-9, _ and -, the first a letter or digit",
    "dict_type": "names with their values, indented below",
    "model_type": "keys with their values, indented below",
    "model_attributes_type": "keys with their values, indented below",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt:g}",
    "greater_than": "more than {gt:g}",
    "too_short": "at least {min_length} entries",
    "invalid_key": "a key in letters",
    "literal_error": "{expected}",
}


def _problem(error: Any) -> str:
    """Translate one of pydantic's errors into `place: found, expected; remedy`."""
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    # Pydantic adds the kind of the study, marks and places in lists, which no one wrote.
    loc = [
        part
        for i, part in enumerate(error["loc"])
        if not (isinstance(part, str) and part in _MARKS)
        and not (i == 3 and isinstance(part, int))
        and not (i == 2 and part in ("simulated", "real"))
    ]
    model = _model(error["loc"])
    place = ".".join(_key(part) for part in loc)
    place = f"{place}: " if place else ""
    key = str(loc[-1]) if loc else ""
    field = model.model_fields.get(key)
    examples = (field.examples if field else None) or []
    example = "; write for example " + quoted(f"{key}: {examples[0]}") if examples else ""
    example = example.replace("'", "")
    if kind == "extra_forbidden":
        known = list(model.model_fields)
        return f"{place}unknown key{did_you_mean(key, known)}; the keys are {listed(known, 20)}"
    if kind == "missing":
        return f"{place}missing, but needed{example}"
    if kind == "value_error":
        return f"{place}{context['error']}"
    if kind.startswith("union_tag"):
        keys = (
            f"the keys {listed(map(_key, found))}"
            if found and isinstance(found, dict)
            else described(found)
        )
        return (
            f"{place}found {keys}, expected either simulate: (simulated data) or data:, formula: "
            "and subject: (a table), not both"
        )
    found = context["actual_length"] if kind == "too_short" else described(found)
    expected = _EXPECTED.get(kind, error["msg"]).format(**context)
    return f"{place}found {found}, expected {expected}{example}"


def _model(loc: tuple) -> type[BaseModel]:
    """The model that has the key at this place."""
    if len(loc) < 2:
        return Config
    if loc[0] == "replications" and len(loc) > 4 and loc[2] in _OF_SUBJECTS:
        return _OF_SUBJECTS[loc[2]]
    if loc[0] == "replications" and len(loc) < 4:
        return Replication if len(loc) > 2 else BaseModel
    return _MODELS.get(loc[-2], BaseModel)


def _key(part: object) -> str:
    text = quoted(part)
    return text if " " in text or "\\" in text else text[1:-1]


if __name__ == "__main__":
    json.dump(json_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
