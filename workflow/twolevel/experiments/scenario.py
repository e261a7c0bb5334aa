"""What replicated experiments are drawn from: the parameters, and one draw from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import ceil, gcd
from typing import Any

import numpy as np

from twolevel.experiments.between_subjects import BetweenSubjects
from twolevel.experiments.planned.planned_population import planned_study
from twolevel.experiments.planned.planned_study import CONDITION, PlannedStudy
from twolevel.experiments.population import Conditions, Population
from twolevel.numeric.standardised import power_of_two
from twolevel.text.errors import InputError

# Subjects with which the errors of a design are told apart.
_ENOUGH = 12


@dataclass(frozen=True)
class Scenario:
    """The parameters that data are drawn from.

    y_ijk = grand_mean + S_i + alpha_j + eta_ijk for n `subjects`, J conditions and `replicates`
    observations in each cell, of which a share `missing` of the cells, each with that probability,
    is not observed. `conditions` gives each condition's effect, those of the levels of several
    factors, or a number with its values, on which the mean rises by `slope`; `sigma_between` and
    `sigma_within` are the standard deviations of S_i and eta_ijk. `random` has those of the
    subjects' own slopes, `strata` those of their own effects of factors (see `Population`).
    `between` has groups of subjects, covariates, interactions and who leaves. With `adjust`, a name
    of `ADJUSTMENTS`, pairwise differences are tested too. All are in the response's unit.

    Raises InputError for parameters that no data can be drawn from.
    """

    subjects: int
    conditions: Conditions
    grand_mean: float
    sigma_between: float
    sigma_within: float
    replicates: int = 1
    missing: float = 0.0
    slope: float | None = None
    random: Mapping[str, float] | None = None
    strata: Mapping[str, float] | None = None
    between: BetweenSubjects = field(default_factory=BetweenSubjects)
    adjust: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no data can be drawn from."""
        for name, valid, expected in (
            ("subjects", self.subjects >= 2, "at least 2"),
            ("sigma_between", self.sigma_between >= 0, "a number of 0 or more"),
            ("sigma_within", self.sigma_within > 0, "a number above 0"),
            ("replicates", self.replicates >= 1, "at least 1"),
            ("missing", 0 <= self.missing < 1, "a share of 0 or more and below 1"),
        ):
            if not valid:
                raise InputError(f"{name}: found {getattr(self, name)}, expected {expected}")
        if "intercept" in (self.random or {}):
            raise InputError("random: found intercept, which is sigma_between here; leave it out")
        self.between.check(self.population, self.subjects)

    @cached_property
    def population(self) -> Population:
        """What a subject's observations are drawn from."""
        random = self.random and {**self.random, "intercept": self.sigma_between}
        between = None if random else self.sigma_between
        strata = self.strata or {}
        return Population(self.conditions, between, self.slope, random, strata, self.replicates)

    @property
    def plain(self) -> bool:
        """Whether the conditions are levels of one factor, and subjects differ by chance alone.

        In their intercepts, and nothing else: then there are faster ways to the same numbers.
        """
        one = self.slope is None and len(self.population.factors) == 1
        return one and not (self.strata or self.between.any or self.adjust)

    @property
    def one_factor(self) -> bool:
        """Whether it has one factor, or number, within subjects, and nothing between them."""
        return len(self.population.names) == 1 and not self.between.any

    @cached_property
    def study(self) -> PlannedStudy | None:
        """The rows and the model of a scenario that is not plain."""
        return None if self.plain else planned_study(self)

    @property
    def unit_of_subjects(self) -> int:
        """The fewest subjects that groups share in proportion to their sizes; 1 without groups."""
        sizes = [group.size for group in self.between.groups.values()] or [1]
        return sum(sizes) // gcd(*sizes)

    @property
    def fewest_subjects(self) -> int:
        """The fewest subjects that make a study: 2 in each group."""
        return 2 * max(1, len(self.between.groups))

    @property
    def complete(self) -> Scenario:
        """The same with some subjects, as groups share them, and no row absent."""
        unit = self.unit_of_subjects
        n = unit * ceil(max(_ENOUGH, self.fewest_subjects) / unit)
        return replace(self, subjects=n, missing=0.0, between=replace(self.between, dropout=0.0))

    @property
    def is_complete(self) -> bool:
        """Whether no row can be absent."""
        return not (self.missing or self.between.dropout)

    @property
    def own_varies(self) -> bool:
        """Whether subjects have slopes, or effects of the conditions, of their own."""
        return self.population.own_varies

    @property
    def described(self) -> dict[str, Any]:
        """Its parameters as plain values, those that are given."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def formula(self) -> str:
        """The fixed part of the model that is fitted."""
        return self.population.formula if self.study is None else self.study.design.formula

    @property
    def random_part(self) -> str:
        """The random part that is fitted, in a formula's words."""
        return "(1 | subject)" if self.study is None else str(self.study.random.part)

    @property
    def tested(self) -> list[str]:
        """The terms that are tested; the first is that of the condition."""
        return [CONDITION] if self.study is None else self.study.tested

    @property
    def differences(self) -> list[str]:
        """The pairwise differences that are tested."""
        return [] if self.study is None else self.study.differences

    @property
    def levels(self) -> list[str]:
        """The names of the J conditions: levels, combinations of them, or values of a number."""
        if self.slope is not None:
            return [f"{cell[0]:g}" for cell in self.cells]
        return [":".join(map(str, cell)) for cell in self.cells]

    @property
    def cells(self) -> list:
        """The J conditions."""
        return self.population.cells

    @property
    def effects(self) -> np.ndarray:
        """alpha_j (J,), as deviations from their mean."""
        values = np.array(self.population.effects, dtype=float)
        return values - values.mean()

    @property
    def mean(self) -> float:
        """The mean of the conditions' means: the grand mean when the effects sum to 0."""
        if self.study is not None:
            return self.study.truth["grand_mean"]
        return self.grand_mean + float(np.mean(self.population.effects))

    @property
    def unit(self) -> float:
        """A power of two about as large as what varies, in the response's unit."""
        return power_of_two(np.array([self.sigma_between, self.sigma_within, *self.effects]))

    def standardised(self) -> Scenario:
        """The same of a plain scenario in numbers about 1 in size, around 0: in `unit`."""
        unit = self.unit
        return replace(
            self,
            conditions=dict(zip(self.levels, self.effects / unit, strict=True)),
            grand_mean=0.0,
            sigma_between=self.sigma_between / unit,
            sigma_within=self.sigma_within / unit,
        )

    @property
    def per_subject(self) -> int:
        """K, the observations of a subject with no cell missing."""
        return len(self.cells) * self.replicates

    @property
    def truth(self) -> dict[str, float]:
        """The true values of what experiments estimate, by the names of their columns."""
        if self.study is not None:
            return self.study.truth
        between = self.sigma_between**2
        names = (f"alpha[{name}]" for name in self.levels)
        return {
            "grand_mean": self.mean,
            **dict(zip(names, self.effects, strict=True)),
            "between_variance": between,
            "within_variance": self.sigma_within**2,
            "raw_variance": between,
            "two_stage_variance": between,
        }

    @property
    def estimands(self) -> list[str]:
        """The names of the conditions' effects, or of the slope, among `truth`."""
        return [name for name in self.truth if name == "slope" or name.startswith("alpha[")]


def draw(
    scenario: Scenario,
    size: int,
    generator: np.random.Generator,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Data of `size` plain experiments (K, size, n), laid out as in `batch`, and what is observed.

    Subjects' intercepts are drawn first, then the errors, then what is missing.
    """
    n, K = scenario.subjects, scenario.per_subject
    own = scenario.sigma_between * generator.standard_normal((size, n))
    y = generator.standard_normal((K, size, n), out=out)
    y *= scenario.sigma_within
    y += own
    y += np.repeat(scenario.mean + scenario.effects, scenario.replicates)[:, None, None]
    if scenario.missing == 0:
        return y, None
    observed = generator.random((len(scenario.cells), size, n)) >= scenario.missing
    return y, np.repeat(observed, scenario.replicates, axis=0)
