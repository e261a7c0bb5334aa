"""The config of one study: simulated, or of a user's own table."""

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from twolevel.experiments.population import Population
from twolevel.inference.adjustments import ADJUSTMENTS, STANDARD
from twolevel.pipeline.config.drawn import DrawnConditions, OwnSlopes, Slope, Strata
from twolevel.pipeline.config.keys import Model, Number, Page, Text, refuse_lost_errors
from twolevel.pipeline.config.values import as_text, described, text_keys
from twolevel.pipeline.config.wide_columns import checked_wide
from twolevel.pipeline.tables.missing_values import checked_missing_values
from twolevel.pipeline.tables.wide import made_factors
from twolevel.random.bars import CROSSED, read_bars
from twolevel.text.confidence import LEVEL
from twolevel.text.errors import InputError, listed, quoted
from twolevel.text.methods import ContrastError


def _study_kind(value: Any) -> str | None:
    """Tell a simulated study from a real one by its keys; None where they do not decide it."""
    if isinstance(value, BaseModel):
        return "simulated" if isinstance(value, SimulatedStudy) else "real"
    keys = set(value) if isinstance(value, Mapping) else set()
    real = keys & {"data", "formula", "subject"}
    if ("simulate" in keys) == bool(real):
        return None
    return "real" if real else "simulated"


# Observations of a simulated study.
MAX_ROWS = 10**9


class Simulation(Model):
    """Parameters of simulated data; see the model in config/README.md."""

    subjects: int = Field(ge=2, description="Number of subjects", examples=[200])
    conditions: DrawnConditions = Field(
        description="Each condition with its effect, factors with such, or a number's values",
        examples=[{"t1": -2, "t2": 1, "t3": 3}],
    )
    slope: Slope = None
    grand_mean: Number = Field(description="Population grand mean", examples=[5])
    sigma_between: Number | None = Field(
        default=None,
        ge=0,
        description="Standard deviation of the subjects' random effects",
        examples=[1.7],
    )
    random: OwnSlopes = None
    strata: Strata | None = Field(
        default=None,
        description="Standard deviations of the subjects' own effects of factors",
        examples=[{"condition": 0.5}],
    )
    sigma_within: Number = Field(
        gt=0, description="Standard deviation of the within-subject errors", examples=[1.4]
    )
    seed: int = Field(ge=0, le=2**63 - 1, description="Seed of the random numbers", examples=[666])
    replicates: int = Field(
        default=1, ge=1, description="Observations per subject and condition", examples=[1]
    )

    @property
    def population(self) -> Population:
        """What the data are drawn from."""
        return Population(
            self.conditions,
            self.sigma_between,
            self.slope,
            self.random,
            self.strata or {},
            self.replicates,
        )

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "Simulation":
        drawn_from = self.population
        per_subject = len(drawn_from.cells) * self.replicates
        if self.subjects * per_subject > MAX_ROWS:
            raise InputError(
                f"found {self.subjects:,} subjects with {per_subject:,} "
                f"observations each, expected at most {MAX_ROWS:,} in all; take fewer"
            )
        sds = *(self.random or {}).values(), *(self.strata or {}).values()
        sizes = *drawn_from.effects, self.grand_mean, drawn_from.intercept_sd, *sds
        refuse_lost_errors(self.sigma_within, sizes)
        return self


class _Study(Page):
    adjust: Literal[tuple(ADJUSTMENTS)] = Field(  # type: ignore[valid-type]
        default=STANDARD,
        description="How pairwise differences of means are adjusted for their number",
        examples=["tukey"],
    )
    contrast_error: ContrastError = Field(
        default="pooled",
        description="The error of pairwise differences: the model's pooled, or each pair's own",
        examples=["own"],
    )
    level: float = Field(
        default=LEVEL,
        ge=0.5,
        lt=1,
        description="Confidence level of intervals; a test shows something where p < 1 - level",
        examples=[0.9],
    )
    share_data: bool = Field(
        default=True,
        description="Whether the page carries the observations themselves, as data.csv",
        examples=[False],
    )


class SimulatedStudy(_Study):
    """A study of simulated data."""

    simulate: Simulation = Field(description="Parameters of the simulation")

    @property
    def formula(self) -> str:
        """The model of simulated data, in the names of their table."""
        return self.simulate.population.formula

    @property
    def factor_coding(self) -> str:
        """How factors are coded, as `twolevel.fit_mixed` takes it."""
        return "treatment"


class Reading(Model):
    """How files are read, where they do not say it themselves."""

    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="What separates the columns of text", examples=[";"]
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="The decimal sign of numbers in text", examples=[","]
    )
    encoding: Text | None = Field(
        default=None, description="The encoding of text", examples=["latin-1"]
    )
    sheet: Text | None = Field(
        default=None, description="The sheet of an Excel workbook", examples=["Sheet1"]
    )

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str | None) -> str | None:
        try:
            # Some codecs of Python are no encodings of text.
            known = encoding is None or codecs.lookup(encoding)._is_text_encoding
        except (LookupError, ValueError):
            known = False
        if not known:
            raise InputError(
                f"found {quoted(encoding)}, which is no encoding; expected one such as utf-8, "
                "latin-1 or cp1252"
            )
        return encoding


def _levels(value: Any) -> Any:
    """The levels of factors as texts."""
    if not isinstance(value, Mapping) or not all(isinstance(v, list) for v in value.values()):
        raise InputError(
            f"found {described(value)}, expected factors with a list of levels each, as "
            "{time: [t1, t2, t3]}"
        )
    levels = {name: [as_text(level) for level in some] for name, some in text_keys(value).items()}
    for name, some in levels.items():
        if len(set(some)) < len(some):
            raise InputError(f"{name}: a level stands twice; remove one")
    return levels


def _references(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise InputError(
            f"found {described(value)}, expected factors with a level each, as {{time: t2}}"
        )
    return {name: as_text(level) for name, level in text_keys(value).items()}


def plain_path(path: str) -> str:
    """Refuse a path that Snakemake, to which all files go, would change. Raises InputError."""
    if not path.isprintable():
        raise InputError(
            f"found {quoted(path)}, expected a path without line breaks and signs that cannot be "
            "seen; rename the file or folder"
        )
    if variable := re.search(r"<[a-z][a-z0-9_]*>|\{[^{}]*\}?|\}", path):
        raise InputError(
            f"found {quoted(path)}, of which Snakemake takes {variable.group()} for a variable; "
            "rename the file or folder"
        )
    return path


_TABLE = {"data", "read", "wide", "formula", "subject", "condition", "levels", "missing"}
_TABLE |= {"missing_values", "replicates"}


def _subject_may_be_in_bars(schema: dict[str, Any]) -> None:
    schema["required"].remove("subject")


class RealStudy(_Study):
    """A study of a table."""

    model_config = ConfigDict(json_schema_extra=_subject_may_be_in_bars)

    data: Text = Field(
        description="The table, one file or a pattern of files: text, Parquet, Excel, SPSS, Stata",
        examples=["config/data/anxiety.csv"],
    )
    read: Reading = Field(
        default=Reading(), description="How the files are read, where they do not say it"
    )
    wide: Annotated[
        dict[str, str] | dict[str, dict[str, str]] | str | None,
        BeforeValidator(lambda value: value if value is None else checked_wide(value)),
        WithJsonSchema({"type": ["object", "array", "string", "null"]}),
    ] = Field(
        default=None,
        description="For one row per subject: each condition with its column, or a pattern",
        examples=[{"t1": "score_1", "t2": "score_2"}],
    )
    formula: Text = Field(
        description="The model: what is fixed, and in bars what is random",
        examples=["score ~ time"],
        min_length=1,
    )
    subject: Text = Field(
        description="The column that names the subject; found in the formula's bars when left out",
        examples=["id"],
    )
    condition: Text | None = Field(
        default=None,
        description="The within-subject factor; found from the table when left out",
        examples=["time"],
    )
    levels: Annotated[
        dict[str, list[str]],
        BeforeValidator(_levels),
        WithJsonSchema({"type": "object", "additionalProperties": {"type": "array"}}),
    ] = Field(
        default={},
        description="Factors with their levels in order; others keep the order of the file",
        examples=[{"time": ["t1", "t2", "t3"]}],
    )
    reference: Annotated[
        dict[str, str],
        BeforeValidator(_references),
        WithJsonSchema({"type": "object"}),
    ] = Field(
        default={},
        description="Factors with the level that others are compared with; else the first one",
        examples=[{"time": "t2"}],
    )
    coding: Literal["treatment", "sum"] = Field(
        default="treatment",
        description="Coefficients as differences from a reference level, or from the mean",
        examples=["sum"],
    )
    missing_values: Annotated[
        list[int | float | str] | dict[str, list[int | float | str]],
        BeforeValidator(checked_missing_values),
        WithJsonSchema({"type": ["array", "object"]}),
    ] = Field(
        default=[],
        description="Values that stand for missing ones, in all columns or by column",
        examples=[[-99]],
    )
    missing: Literal["refuse", "drop"] = Field(
        default="refuse", description="What to do with rows that lack a value", examples=["drop"]
    )
    replicates: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="Whether a few cells may hold more rows than the rest",
        examples=["allow"],
    )

    @model_validator(mode="before")
    @classmethod
    def _subject_of_bars(cls, keys: Any) -> Any:
        """Where no subject is given, the one that the formula's bars name."""
        formula = keys.get("formula") if isinstance(keys, Mapping) else None
        if not isinstance(formula, str) or "subject" in keys:
            return keys
        try:
            mixed = read_bars(formula)
        except InputError:  # which the formula's own check says
            return keys
        if mixed.subject is not None:
            return {**keys, "subject": mixed.subject}
        if mixed.bars:
            raise InputError(
                f"the formula {quoted(formula)} groups by {listed(map(quoted, mixed.grouping))}, "
                "and no column stands right of all bars; where the levels of all lie within those "
                f"of one, write for example {quoted(f'subject: {mixed.grouping[0]}')}. {CROSSED}"
            )
        return keys

    @field_validator("data")
    @classmethod
    def _is_a_path(cls, data: str) -> str:
        return plain_path(data)

    @field_validator("formula")
    @classmethod
    def _can_be_read(cls, formula: str) -> str:
        read_bars(formula)
        return formula

    @model_validator(mode="after")
    def _roles_fit(self) -> "RealStudy":
        mixed = read_bars(self.formula)
        names = mixed.names
        mixed.refuse_other_subject(self.subject)
        if re.search(r"(^|[+~(])\s*0\s*(?=[+)]|$)|-\s*1\s*(?=[+)-]|$)", mixed.fixed):
            raise InputError(
                f"the formula {quoted(mixed.fixed)} takes the intercept away, and a test of its "
                "terms would no longer compare levels; leave that out: the report lists the mean "
                "of every level anyway"
            )
        if self.subject in (names.response, *names.variables):
            remedy = "leave it out there: subject: gives each subject a random intercept"
            if any(len(bar.grouping) > 1 for bar in mixed.bars):
                remedy = (
                    "leave it out of the fixed part; or, where labels of subjects begin anew in "
                    f"each {self.subject}, give every subject a label of its own in the table, and "
                    "group by that column"
                )
            raise InputError(
                f"the subject column {quoted(self.subject)} is also in the formula; {remedy}"
            )
        if self.condition is not None and self.condition not in names.variables:
            raise InputError(
                f"the condition {quoted(self.condition)} is not on the right-hand side of the "
                f"formula {quoted(self.formula)}; add it there or leave out condition:"
            )
        for key in ("levels", "reference"):
            for name in getattr(self, key):
                if name not in names.variables:
                    raise InputError(
                        f"{key}: names {quoted(name)}, which is not on the right-hand side of the "
                        f"formula {quoted(self.formula)}; its variables are "
                        f"{listed(map(quoted, names.variables))}"
                    )
        for name, level in self.reference.items():
            if level not in self.levels.get(name, [level]):
                raise InputError(
                    f"reference: {quoted(level)} is not among the levels: of {quoted(name)}"
                )
        if self.reference and self.coding == "sum":
            raise InputError(
                "reference: has no meaning with coding: sum, which compares levels with their "
                "mean; leave one of the two out"
            )
        if self.wide is not None and not made_factors(self.wide, self.formula, self.condition):
            raise InputError(
                "wide: makes a condition of the columns, and it is not clear which variable of "
                f"the formula {quoted(self.formula)} that is; name it in condition:"
            )
        return self

    @property
    def table(self) -> dict[str, Any]:
        """All that its observations depend on, as `load_table` takes it."""
        return self.model_dump(include=_TABLE)

    @property
    def factor_coding(self) -> str | dict[str, str]:
        """How factors are coded, as `twolevel.fit_mixed` takes it."""
        return self.reference or self.coding


Study = Annotated[
    Annotated[SimulatedStudy, Tag("simulated")] | Annotated[RealStudy, Tag("real")],
    Discriminator(_study_kind),
]
