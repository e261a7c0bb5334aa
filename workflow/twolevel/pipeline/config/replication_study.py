"""The config of a replication study: many experiments at each point of a grid of designs."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from twolevel.experiments.population import Population
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
Sigma = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, lt=1)]


# Points of a grid, and random numbers that all its experiments draw: a month's work of a processor.
MAX_POINTS, MAX_NUMBERS = 10_000, 10**14


class Replication(Page):
    """A study of many simulated experiments, at every point of a grid of designs."""

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
    replicates: int | None = Field(
        default=None, ge=1, description="Observations per subject and condition", examples=[1]
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
            self.replicates or 1,
        )

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "Replication":
        drawn_from = self.population
        if drawn_from is None and (self.slope is not None or self.random is not None):
            raise InputError(
                "conditions: missing, but needed with slope: and random:; write a number with its "
                "values, as conditions: {day: [0, 1, 2, 3]}"
            )
        sizes = list(drawn_from.effects) if drawn_from else []
        if drawn_from:
            drawn_from.refuse_in_experiments(max(self.missing or [0.0]))
        if self.sigma_within is not None:
            sds = *(self.random or {}).values(), *(self.strata or {}).values()
            sizes += [*(self.sigma_between or []), *sds, self.grand_mean or 0]
            refuse_lost_errors(self.sigma_within, sizes)
        return self

    @property
    def per_subject(self) -> int:
        """How many observations of a subject there are; a guess where a study says it."""
        drawn_from = self.population
        return (len(drawn_from.cells) if drawn_from else 3) * (self.replicates or 1)

    @model_validator(mode="after")
    def _comes_to_an_end(self) -> "Replication":
        others = len(self.sigma_between or "1") * len(self.missing or "1")
        points = len(self.subjects or "1") * others
        if points > MAX_POINTS:
            raise InputError(
                f"found a grid of {points:,} points, expected at most {MAX_POINTS:,}; shorten its "
                "lists"
            )
        numbers = sum(self.subjects or [2]) * self.per_subject * others * self.experiments
        if numbers > MAX_NUMBERS:
            raise InputError(
                f"found {self.experiments:,} experiments at {points:,} points, which draw "
                f"{numbers:.0e} numbers in all, expected at most {MAX_NUMBERS:.0e}; take fewer "
                "experiments or subjects"
            )
        return self
