"""The config of a replication study: many experiments at each point of a grid of designs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from twolevel.experiments.between_subjects import BetweenSubjects
from twolevel.experiments.population import Population
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.pipeline.config.between_keys import Covariates, Dropout, Groups, Interactions, Share
from twolevel.pipeline.config.drawn import DrawnConditions, OwnSlopes, Slope, Strata
from twolevel.pipeline.config.keys import Number, Page, StudyName, refuse_lost_errors
from twolevel.text.errors import InputError, listed
from twolevel.text.methods import STANDARD, Test


def _as_list(value: Any) -> Any:
    """Let one value stand for a list of one."""
    return value if isinstance(value, list) else [value]


def _no_value_twice(values: list) -> list:
    twice = [value for k, value in enumerate(values) if value in values[:k]]
    if twice:
        raise InputError(f"{twice[0]} stands twice in the list; remove one")
    return values


def _axis(kind: str, item: Any) -> Any:
    """A value, or a list of values, that a grid has a point for each of."""
    one = {"type": kind}
    schema = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return Annotated[
        list[item],
        BeforeValidator(_as_list),
        AfterValidator(_no_value_twice),
        Field(min_length=1),
        WithJsonSchema(schema),
    ]


Subjects = Annotated[int, Field(ge=2)]
Replicates = Annotated[int, Field(ge=1)]
Sigma = Annotated[Number, Field(ge=0)]

# Points of a grid, and random numbers that all its experiments draw: a month's work of a processor.
MAX_POINTS, MAX_NUMBERS = 10_000, 10**14


def _within_is_conditions(schema: dict[str, Any]) -> None:
    schema["properties"]["within"] = schema["properties"]["conditions"]


class Replication(Page):
    """A study of many simulated experiments, at every point of a grid of designs."""

    model_config = ConfigDict(json_schema_extra=_within_is_conditions)

    like: StudyName | None = Field(
        default=None,
        description="The study whose design and estimates hold for all keys left out",
        examples=["anxiety"],
    )
    subjects: _axis("integer", Subjects) | None = Field(  # type: ignore[valid-type]
        default=None, description="Number of subjects; a list makes a grid", examples=["[8, 20]"]
    )
    conditions: DrawnConditions | None = Field(
        default=None,
        description="Each condition with its effect, in the response's unit, or a number's values",
        examples=[{"t1": 0, "t2": 0.5, "t3": 1}],
    )
    slope: Slope = None
    grand_mean: Number | None = Field(
        default=None, description="Population grand mean", examples=[5]
    )
    sigma_between: _axis("number", Sigma) | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Standard deviation of the random effects; a list makes a grid",
        examples=["[0, 0.5, 1]"],
    )
    random: OwnSlopes = None
    strata: Strata | None = Field(
        default=None,
        description="Standard deviation of the subjects' own effects of the conditions",
        examples=[{"condition": 0.5}],
    )
    sigma_within: Number | None = Field(
        default=None,
        gt=0,
        description="Standard deviation of the within-subject errors",
        examples=[1],
    )
    replicates: _axis("integer", Replicates) | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Observations per subject and condition; a list makes a grid",
        examples=["[1, 10]"],
    )
    groups: Groups = Field(
        default={},
        description="Groups of subjects, with their sizes and what is theirs alone",
        examples=[{"control": {"size": 20}, "treated": {"size": 20, "effect": 0.5}}],
    )
    interactions: Interactions = Field(
        default={},
        description="What is added in cells of two factors or more, besides their own effects",
        examples=[{"flanker:block": {"incongruent:second": -20}}],
    )
    covariates: Covariates = Field(
        default={},
        description="Numbers that subjects differ in",
        examples=[{"age": {"mean": 40, "sd": 10, "slope": 0.05}}],
    )
    dropout: Dropout = Field(
        default=0.0,
        description="The share of subjects that have left by the last time, by group or time too",
        examples=[0.2],
    )
    adjust: Literal[tuple(ADJUSTMENTS)] | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Test pairwise differences of means too, adjusted so for their number",
        examples=["holm"],
    )
    missing: _axis("number", Share) | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Share of cells missing completely at random; a list makes a grid",
        examples=["[0.0, 0.1]"],
    )
    experiments: int = Field(
        default=10_000, ge=2, le=10**9, description="Experiments at each point", examples=[10000]
    )
    seed: int = Field(
        default=1, ge=0, le=2**63 - 1, description="Seed of the random numbers", examples=[1]
    )
    test: Test = Field(
        default=STANDARD,
        description="The test whose power is asked for, and whose intervals are looked at",
        examples=["kenward-roger"],
    )
    keep_experiments: bool = Field(
        default=False, description="Whether to keep the table of all experiments", examples=[True]
    )

    @model_validator(mode="before")
    @classmethod
    def _within(cls, keys: Any) -> Any:
        """Let `within`, as several factors are called, stand for `conditions`."""
        if not isinstance(keys, Mapping) or "within" not in keys:
            return keys
        if "conditions" in keys:
            raise InputError("within: found beside conditions, which is the same; leave one out")
        return {("conditions" if key == "within" else key): keys[key] for key in keys}

    @model_validator(mode="after")
    def _is_complete(self) -> "Replication":
        needed = ["subjects", "conditions", "grand_mean", "sigma_between", "sigma_within"]
        if self.random is not None:
            needed.remove("sigma_between")
        absent = [name for name in needed if getattr(self, name) is None]
        if absent and self.like is None:
            raise InputError(
                f"found no {listed(absent)}; expected these keys, or like: with the name of a "
                "study that they are taken from"
            )
        return self

    @property
    def population(self) -> Population | None:
        """What the experiments at the first point are drawn from; None where like: says it."""
        if self.conditions is None:
            return None
        between = self.sigma_between or ([0.0] if self.random is None else [None])
        return Population(
            self.conditions,
            between[0],
            self.slope,
            self.random,
            self.strata or {},
            min(self.replicates or [1]),
        )

    @property
    def between(self) -> BetweenSubjects:
        """How subjects differ by plan."""
        return BetweenSubjects(
            {name: keys.group for name, keys in self.groups.items()},
            {name: keys.covariate for name, keys in self.covariates.items()},
            self.dropout,
            self.interactions,
        )

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "Replication":
        drawn_from = self.population
        if drawn_from is None and (self.slope is not None or self.random is not None):
            raise InputError(
                "conditions: missing, but needed with slope: and random:; write a number with its "
                "values, as conditions: {day: [0, 1, 2, 3]}"
            )
        if drawn_from is None and self.between.any:
            raise InputError(
                "conditions: missing, but needed with groups:, covariates:, interactions: and "
                "dropout:; with like: alone, the study's own design is planned"
            )
        sizes = list(drawn_from.effects) if drawn_from else []
        if drawn_from:
            self.between.check(drawn_from, min(self.subjects or [2 * len(self.groups) + 2]))
        if self.sigma_within is not None:
            sds = *(self.random or {}).values(), *(self.strata or {}).values()
            sizes += [*(self.sigma_between or []), *sds, self.grand_mean or 0]
            refuse_lost_errors(self.sigma_within, sizes)
        return self

    @property
    def per_subject(self) -> int:
        """How many cells a subject has; a guess where a study says it."""
        drawn_from = self.population
        return len(drawn_from.cells) if drawn_from else 3

    @model_validator(mode="after")
    def _comes_to_an_end(self) -> "Replication":
        others = len(self.sigma_between or "1") * len(self.missing or "1")
        points = len(self.subjects or "1") * others * len(self.replicates or "1")
        if points > MAX_POINTS:
            raise InputError(
                f"found a grid of {points:,} points, expected at most {MAX_POINTS:,}; shorten its "
                "lists"
            )
        rows = sum(self.subjects or [2]) * self.per_subject * sum(self.replicates or [1])
        numbers = rows * others * self.experiments
        if numbers > MAX_NUMBERS:
            raise InputError(
                f"found {self.experiments:,} experiments at {points:,} points, which draw "
                f"{numbers:.0e} numbers in all, expected at most {MAX_NUMBERS:.0e}; take fewer "
                "experiments or subjects"
            )
        return self
