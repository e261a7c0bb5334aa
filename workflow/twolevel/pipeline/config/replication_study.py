"""The config of a replication study: many experiments at each point of a grid of designs."""

from collections.abc import Mapping
from math import hypot
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
from twolevel.experiments.sizing.standardised_effect import (
    sigma_between_of,
    sigma_within_of,
    with_effect,
)
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.pipeline.config.between_keys import Covariates, Dropout, Groups, Interactions, Share
from twolevel.pipeline.config.drawn import OwnSlopes, PlannedConditions, Slope, Strata
from twolevel.pipeline.config.keys import (
    Number,
    Page,
    StudyName,
    no_value_twice,
    refuse_lost_errors,
)
from twolevel.pipeline.config.planning import Cost, Effect
from twolevel.text.confidence import LEVEL, alpha
from twolevel.text.errors import InputError, listed
from twolevel.text.methods import STANDARD, Test


def _as_list(value: Any) -> Any:
    """Let one value stand for a list of one."""
    return value if isinstance(value, list) else [value]


def _axis(kind: str, item: Any) -> Any:
    """A value, or a list of values, that a grid has a point for each of."""
    one = {"type": kind}
    schema = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return Annotated[
        list[item],
        BeforeValidator(_as_list),
        AfterValidator(no_value_twice),
        Field(min_length=1),
        WithJsonSchema(schema),
    ]


Subjects = Annotated[int, Field(ge=2)]
Replicates = Annotated[int, Field(ge=1)]
Sigma = Annotated[Number, Field(ge=0)]
Power = Annotated[Number, Field(ge=0.5, le=0.99)]

# Points of a grid, and random numbers that all its experiments draw: a month's work of a processor.
MAX_POINTS, MAX_NUMBERS = 10_000, 10**14
# The curve of power, unless one says for which numbers.
SUBJECTS = [10, 20, 50, 100, 200]


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
    conditions: PlannedConditions | None = Field(
        default=None,
        description="The conditions' names, each with its effect unless effect: says it, or a "
        "number's values",
        examples=[{"t1": 0, "t2": 0.5, "t3": 1}],
    )
    effect: Effect | None = Field(
        default=None,
        description="The size of the conditions' effect, in units of the total standard deviation",
        examples=[{"d": 0.5, "pattern": "linear"}],
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
    icc: _axis("number", Share) | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Intraclass correlation, in place of sigma_between; a list makes a grid",
        examples=["[0.3, 0.5]"],
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
        examples=[{"age": {"mean": 40, "sd": 10, "slope": 0.02}}],
    )
    dropout: Dropout = Field(
        default=0.0,
        description="The share of subjects that have left by the last time, by group or time too",
        examples=[0.2],
    )
    adjust: Literal[tuple(ADJUSTMENTS)] | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Plan pairwise differences of means too, adjusted so for their number",
        examples=["holm"],
    )
    missing: _axis("number", Share) | None = Field(  # type: ignore[valid-type]
        default=None,
        description="Share of cells missing completely at random; a list makes a grid",
        examples=["[0.0, 0.1]"],
    )
    power: _axis("number", Power) = Field(  # type: ignore[valid-type]
        default=[0.8, 0.9],
        description="The power to find the number of subjects for; a list gives one for each",
        examples=["[0.8, 0.9]"],
    )
    precision: Number | None = Field(
        default=None,
        gt=0,
        description="The width of intervals of differences to find the number of subjects for",
        examples=[0.5],
    )
    cost: Cost | None = Field(
        default=None,
        description="What subjects and trials cost, to find the cheapest design",
        examples=[{"subject": 30, "trial": 0.5}],
    )
    alpha: Number = Field(
        default=alpha(LEVEL),
        gt=0,
        le=0.5,
        description="Level of the tests; intervals are at one less it",
        examples=[0.01],
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

    @property
    def axes(self) -> list[list | None]:
        """The values along each of AXES; None where the study that this one is like has them."""
        between = self.sigma_between
        if self.icc is not None:
            between = [sigma_between_of(icc, self.sigma_within) for icc in self.icc]
        elif self.random is not None:
            between = [self.random["intercept"]]
        subjects = self.subjects or (None if self.like else SUBJECTS)
        return [subjects, between, self.missing, self.replicates]

    @property
    def parameters(self) -> dict[str, Any]:
        """What its experiments depend on, besides their place in the grid."""
        from twolevel.pipeline.slices import PARAMETERS  # which imports numpy

        keys = self.model_dump(include={*PARAMETERS, "seed", "test"})
        return keys | {"level": alpha(self.alpha)}

    @property
    def asked(self) -> dict[str, Any]:
        """What the number of subjects is found for."""
        cost = self.cost and self.cost.model_dump()
        return {"power": self.power, "precision": self.precision, "cost": cost}

    @model_validator(mode="after")
    def _is_complete(self) -> "Replication":
        needed = ["conditions"]
        if self.random is None and self.icc is None:
            needed.append("sigma_between")
        if self.icc is None:
            needed.append("sigma_within")
        absent = [name for name in needed if getattr(self, name) is None]
        if absent and self.like is None:
            raise InputError(
                f"found no {listed(absent)}; expected these keys, or like: with the name of a "
                "study that they are taken from"
            )
        return self

    @model_validator(mode="after")
    def _says_all_once(self) -> "Replication":
        if self.icc is not None:
            others = [key for key in ("sigma_between", "random") if getattr(self, key) is not None]
            if others:
                raise InputError(
                    f"icc: found beside {others[0]}, which says the same; leave one of them out"
                )
            if self.like is not None and self.sigma_within is None:
                raise InputError(
                    "icc: found with like:, expected sigma_within beside it; or leave out icc: to "
                    "take both standard deviations from the study"
                )
        if isinstance(self.conditions, list):
            if self.effect is None:
                raise InputError(
                    "conditions: found names without effects, expected effect: beside them, as "
                    "{d: 0.5, pattern: linear}, or each name with its effect, as {t1: 0, t2: 0.5}"
                )
        elif self.effect is not None and self.conditions is not None:
            if not isinstance(next(iter(self.conditions.values())), list):
                raise InputError(
                    "effect: found beside conditions: with effects of their own; leave one of them "
                    "out, as in conditions: [t1, t2, t3]"
                )
            if self.slope is not None:
                raise InputError("effect: found beside slope, which says it too; leave one out")
        return self

    @property
    def population(self) -> Population | None:
        """What the experiments at the first point are drawn from; None where like: says it."""
        if self.conditions is None:
            return None
        _, between, *_ = self.axes
        first = between[0] if between else 0.0
        within = self.sigma_within or (sigma_within_of(first) if self.icc else 1.0)
        drawn: dict[str, Any] = {"conditions": self.conditions, "slope": self.slope}
        if self.effect is not None:
            drawn |= with_effect(self.conditions, self.effect.size, hypot(first, within))
        return Population(
            strata=self.strata or {},
            sigma_between=None if self.random and not self.sigma_between else first,
            random=self.random,
            replicates=min(self.replicates or [1]),
            **drawn,
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
            sizes += [*(self.sigma_between or []), *sds, self.grand_mean or 0.0]
            refuse_lost_errors(self.sigma_within, sizes)
        return self

    @property
    def per_subject(self) -> int:
        """How many cells a subject has; a guess where a study says it."""
        drawn_from = self.population
        return len(drawn_from.cells) if drawn_from else 3

    @model_validator(mode="after")
    def _comes_to_an_end(self) -> "Replication":
        subjects, between, missing, replicates = (axis or ["1"] for axis in self.axes)
        others = len(between) * len(missing)
        points = len(subjects) * others * len(replicates)
        if points > MAX_POINTS:
            raise InputError(
                f"found a grid of {points:,} points, expected at most {MAX_POINTS:,}; shorten its "
                "lists"
            )
        rows = sum(map(int, subjects)) * self.per_subject * sum(map(int, replicates))
        numbers = rows * others * self.experiments
        if numbers > MAX_NUMBERS:
            raise InputError(
                f"found {self.experiments:,} experiments at {points:,} points, which draw "
                f"{numbers:.0e} numbers in all, expected at most {MAX_NUMBERS:.0e}; take fewer "
                "experiments or subjects"
            )
        return self
