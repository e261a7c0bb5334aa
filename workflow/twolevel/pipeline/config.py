"""The config: its schema, and messages that a person can act on.

`python -m twolevel.pipeline.config > config/schema.json` writes the schema that editors read.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from twolevel.errors import InputError, did_you_mean, listed, quoted
from twolevel.formula import parse
from twolevel.pipeline.tables import check_header, columns_needed
from twolevel.pipeline.yaml_keys import duplicate_keys


def _text_keys(value: Any) -> Any:
    """Turn keys that YAML reads as numbers back into text; refuse true, null and dates."""
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int | float):
            raise InputError(f"YAML reads one name here as {_found(key)}; put it in quotes")
        name = str(key)
        if not name.strip() or name != name.strip():
            raise InputError(f"the name {quoted(name)} is empty or has blanks around it; mend it")
        if name in result:
            raise InputError(f"the name {quoted(name)} occurs twice; rename one")
        result[name] = item
    return result


def _study_kind(value: Any) -> str | None:
    """Tell a simulated study from a real one by its keys; None where they do not decide it."""
    if isinstance(value, BaseModel):
        return "simulated" if isinstance(value, SimulatedStudy) else "real"
    keys = set(value) if isinstance(value, Mapping) else set()
    real = keys & {"data", "formula", "subject"}
    if ("simulate" in keys) == bool(real):
        return None
    return "real" if real else "simulated"


Text = Annotated[str, StringConstraints(min_length=1)]


def _usable_name(name: str) -> str:
    """Refuse names that a file of the site has, and those that Snakemake takes for a loop."""
    if name == "index":
        raise InputError('the name "index" is that of the page over all studies; take another')
    if re.fullmatch(r"(.+?)\1{9,}", name):
        raise InputError(f"the name {quoted(name)} repeats itself ten times; take another")
    return name


StudyName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60),
    AfterValidator(_usable_name),
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Simulation(_Model):
    """Parameters of simulated data; see the model in config/README.md."""

    subjects: int = Field(ge=2, description="Number of subjects", examples=[200])
    conditions: Annotated[dict[str, float], BeforeValidator(_text_keys)] = Field(
        min_length=2,
        description="Each condition with its effect, in the response's unit",
        examples=[{"t1": -2, "t2": 1, "t3": 3}],
    )
    grand_mean: float = Field(description="Population grand mean", examples=[5])
    sigma_between: float = Field(
        ge=0, description="Standard deviation of the subjects' random effects", examples=[1.7]
    )
    sigma_within: float = Field(
        gt=0, description="Standard deviation of the within-subject errors", examples=[1.4]
    )
    seed: int = Field(ge=0, le=2**63 - 1, description="Seed of the random numbers", examples=[666])
    replicates: int = Field(
        default=1, ge=1, description="Observations per subject and condition", examples=[1]
    )


class _Study(_Model):
    title: Text | None = Field(
        default=None, description="Title of the report", examples=["Anxiety over time"]
    )
    unit: Text | None = Field(default=None, description="Unit of the response", examples=["ms"])
    adjust: Literal["holm", "tukey", "bonferroni", "none"] = Field(
        default="holm",
        description="How pairwise differences of means are adjusted for their number",
        examples=["tukey"],
    )


class SimulatedStudy(_Study):
    """A study of simulated data."""

    simulate: Simulation = Field(description="Parameters of the simulation")

    @property
    def formula(self) -> str:
        """The model of simulated data, in the names of their table."""
        return "response ~ condition"


class RealStudy(_Study):
    """A study of a table."""

    data: Text = Field(
        description="The table: a .csv or .tsv file in UTF-8, one row per observation",
        examples=["config/data/anxiety.csv"],
    )
    formula: Text = Field(
        description="The fixed part of the model", examples=["score ~ time"], min_length=1
    )
    subject: Text = Field(description="The column that names the subject", examples=["id"])
    condition: Text | None = Field(
        default=None,
        description="The within-subject factor; found from the table when left out",
        examples=["time"],
    )
    missing: Literal["refuse", "drop"] = Field(
        default="refuse", description="What to do with rows that lack a value", examples=["drop"]
    )
    replicates: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="Whether a few cells may hold more rows than the rest",
        examples=["allow"],
    )

    @field_validator("formula")
    @classmethod
    def _can_be_read(cls, formula: str) -> str:
        parse(formula)
        return formula

    @model_validator(mode="after")
    def _roles_fit(self) -> "RealStudy":
        names = parse(self.formula)
        if re.search(r"(^|[+~(])\s*0\s*(?=[+)]|$)|-\s*1\s*(?=[+)-]|$)", self.formula):
            raise InputError(
                f"the formula {quoted(self.formula)} takes the intercept away, and a test of its "
                "terms would no longer compare levels; leave that out: the report lists the mean "
                "of every level anyway"
            )
        if self.subject in (names.response, *names.variables):
            raise InputError(
                f"the subject column {quoted(self.subject)} is also in the formula; leave it out "
                "there: subject: gives each subject a random intercept"
            )
        if self.condition is not None and self.condition not in names.variables:
            raise InputError(
                f"the condition {quoted(self.condition)} is not on the right-hand side of the "
                f"formula {quoted(self.formula)}; add it there or leave out condition:"
            )
        return self


Study = Annotated[
    Annotated[SimulatedStudy, Tag("simulated")] | Annotated[RealStudy, Tag("real")],
    Discriminator(_study_kind),
]


class Report(_Model):
    """How reports are made."""

    renderer: Literal["auto", "quarto", "pandoc"] = Field(
        default="auto",
        description="What renders the reports; auto takes Quarto where it is installed",
        examples=["auto"],
    )


class Config(_Model):
    """The whole config."""

    studies: Annotated[dict[StudyName, Study], BeforeValidator(_text_keys)] = Field(
        min_length=1,
        description="The studies by name",
        examples=[{"anxiety": {"data": "table.csv", "formula": "score ~ time", "subject": "id"}}],
    )
    report: Report = Field(default=Report(), description="How reports are made")


def load(config: Any) -> Config:
    """Check a config that YAML has read.

    Raises InputError with one line for each problem.
    """
    try:
        return Config.model_validate(config)
    except ValidationError as error:
        problems = [_problem(e) for e in error.errors(include_url=False)]
        raise InputError("\n".join(f"config: {problem}" for problem in problems)) from None


def checked(config: Any, files: Iterable[str | Path]) -> Config:
    """Check a config, the text of the files that it was read from, and its tables' headers.

    Raises InputError with one line for each problem. Takes no longer than reading a line of each
    table, so that it can run before any job.
    """
    for file in files:
        duplicate_keys(Path(file).read_bytes(), str(file))
    result = load(config)
    problems = []
    for name, study in result.studies.items():
        if isinstance(study, RealStudy):
            columns = columns_needed(study.formula, study.subject)
            try:
                check_header(study.data, columns, f"study {name}")
            except InputError as error:
                problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return result


def json_schema() -> dict[str, Any]:
    """Give the config's JSON schema, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Config.model_json_schema()


_MODELS: dict[Any, type[BaseModel]] = {
    "simulate": Simulation,
    "simulated": SimulatedStudy,
    "real": RealStudy,
    "report": Report,
}
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
    "greater_than": "more than {gt:g}",
    "too_short": "at least {min_length} entries",
    "invalid_key": "a key in letters",
    "literal_error": "{expected}",
}


def _problem(error: Any) -> str:
    """Translate one of pydantic's errors into `place: found, expected; remedy`."""
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    # Pydantic adds the kind of the study and a mark for keys, which no one wrote.
    loc = [
        part
        for i, part in enumerate(error["loc"])
        if part != "[key]" and not (i == 2 and part in ("simulated", "real"))
    ]
    parent = error["loc"][-2] if len(error["loc"]) > 1 else None
    model = Config if len(error["loc"]) < 2 else _MODELS.get(parent, BaseModel)
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
            else _found(found)
        )
        return (
            f"{place}found {keys}, expected either simulate: (simulated data) or data:, formula: "
            "and subject: (a table), not both"
        )
    found = context["actual_length"] if kind == "too_short" else _found(found)
    expected = _EXPECTED.get(kind, error["msg"]).format(**context)
    return f"{place}found {found}, expected {expected}{example}"


def _key(part: object) -> str:
    text = quoted(part)
    return text if " " in text or "\\" in text else text[1:-1]


def _found(value: object) -> str:
    """Say what stands in the config, in plain words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"{str(value).lower()} (yes or no)"
        case int():
            return str(value) if abs(value) < 10**20 else "an integer too large to count with"
        case float() if value.is_integer():
            return f"{value} (a number with a decimal point)"
        case float():
            return f"{value} (a number with a fraction)"
        case str() if _is_number(value):
            return f"{quoted(value)} (text: leave out quotes, and write powers of ten as 1.0e+5)"
        case str():
            return f"{quoted(value)} (text)"
        case Mapping():
            return "a group of keys" if value else "an empty group of keys"
        case list() | tuple():
            return "a list"
    return f"{quoted(value)} ({type(value).__name__})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    json.dump(json_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
