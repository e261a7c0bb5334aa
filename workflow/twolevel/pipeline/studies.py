"""The config of one study: simulated, or of a user's own table."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from twolevel.errors import InputError, quoted
from twolevel.formula import parse
from twolevel.pipeline.keys import Model, Page, Text, text_keys


def _study_kind(value: Any) -> str | None:
    """Tell a simulated study from a real one by its keys; None where they do not decide it."""
    if isinstance(value, BaseModel):
        return "simulated" if isinstance(value, SimulatedStudy) else "real"
    keys = set(value) if isinstance(value, Mapping) else set()
    real = keys & {"data", "formula", "subject"}
    if ("simulate" in keys) == bool(real):
        return None
    return "real" if real else "simulated"


class Simulation(Model):
    """Parameters of simulated data; see the model in config/README.md."""

    subjects: int = Field(ge=2, description="Number of subjects", examples=[200])
    conditions: Annotated[dict[str, float], BeforeValidator(text_keys)] = Field(
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


class _Study(Page):
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
