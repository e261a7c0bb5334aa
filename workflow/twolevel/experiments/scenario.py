"""What replicated experiments are drawn from: parameters, and streams of random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twolevel.experiments.own_effects import covariance_of, draw_own, own_effects
from twolevel.experiments.population import Conditions, Population
from twolevel.numeric.standardised import power_of_two
from twolevel.text.errors import InputError

# Experiments in a block: part of the definition of every experiment's data.
BLOCK = 5_000


@dataclass(frozen=True)
class Scenario:
    """The parameters that data are drawn from.

    y_ijk = grand_mean + S_i + alpha_j + eta_ijk for n `subjects`, J conditions and `replicates`
    observations in each cell, of which a share `missing` of the cells, each with that probability,
    is not observed. `conditions` gives each condition's effect, or a number with its values, on
    which the mean rises by `slope`; `sigma_between` and `sigma_within` are the standard deviations
    of S_i and eta_ijk. `random` has those of the subjects' own slopes, `strata` those of their own
    effects of the conditions (see `Population`). All are in the response's unit.

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
        self.population.refuse_in_experiments(self.missing)

    @cached_property
    def population(self) -> Population:
        """What a subject's observations are drawn from."""
        random = self.random and {**self.random, "intercept": self.sigma_between}
        between = None if random else self.sigma_between
        strata = self.strata or {}
        return Population(self.conditions, between, self.slope, random, strata, self.replicates)

    @property
    def plain(self) -> bool:
        """Whether the conditions are levels, and subjects differ in their intercepts only."""
        return self.slope is None and not self.strata

    @property
    def own_varies(self) -> bool:
        """Whether subjects have slopes, or effects of the conditions, of their own."""
        return self.population.own_varies

    @property
    def levels(self) -> list[str]:
        """The names of the J conditions: levels, or values of a number."""
        return [f"{cell[0]:g}" if self.slope is not None else str(cell[0]) for cell in self.cells]

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
    def estimands(self) -> dict[str, float]:
        """What is tested by name: the effects, or the slope of a number."""
        if self.slope is not None:
            return {"slope": self.slope}
        names = (f"alpha[{name}]" for name in self.levels)
        return dict(zip(names, self.effects, strict=True))

    @property
    def mean(self) -> float:
        """The mean of the conditions' means: the grand mean when the effects sum to 0."""
        return self.grand_mean + float(np.mean(self.population.effects))

    @property
    def unit(self) -> float:
        """A power of two about as large as what varies, in the response's unit."""
        sizes = [self.sigma_between, self.sigma_within, *self.effects]
        if self.own_varies:
            sizes += np.sqrt(np.diag(covariance_of(own_effects(self.population)))).tolist()
        return power_of_two(np.array(sizes))

    def standardised(self) -> Scenario:
        """The same in numbers about 1 in size, around 0: in `unit`, less the mean."""
        unit = self.unit

        def in_unit(sds: Mapping[str, float] | None) -> dict[str, float]:
            return {k: v if k == "correlation" else v / unit for k, v in (sds or {}).items()}

        if self.slope is None:
            effects = dict(zip(self.levels, self.effects / unit, strict=True))
            scaled = replace(self, conditions=effects, grand_mean=0.0)
        else:
            slope = self.slope / unit
            middle = float(np.mean(self.population.values))
            scaled = replace(self, slope=slope, grand_mean=-slope * middle)
        return replace(
            scaled,
            sigma_between=self.sigma_between / unit,
            sigma_within=self.sigma_within / unit,
            random=in_unit(self.random) or None,
            strata=in_unit(self.strata),
        )

    @property
    def per_subject(self) -> int:
        """K, the observations of a subject with no cell missing."""
        return len(self.cells) * self.replicates

    @property
    def truth(self) -> dict[str, float]:
        """The true values of what experiments estimate, by the names of their columns.

        own_variance is that of the subjects' own slopes, or effects of the conditions.
        """
        between = self.sigma_between**2
        found = {
            "grand_mean": self.mean,
            **self.estimands,
            "between_variance": between,
            "within_variance": self.sigma_within**2,
            "raw_variance": between,
            "two_stage_variance": between,
        }
        if self.own_varies:
            sds = {**(self.random or {}), **(self.strata or {})}
            found["own_variance"] = sds[self.population.names[0]] ** 2
        return found


def draw(
    scenario: Scenario,
    size: int,
    generator: np.random.Generator,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Data of `size` experiments (K, size, n), laid out as in `batch`, and what is observed of it.

    What subjects have of their own is drawn first, then the errors, then what is missing.
    """
    n, K = scenario.subjects, scenario.per_subject
    if scenario.own_varies:
        own = draw_own(own_effects(scenario.population), (size, n), generator)
        own = np.repeat(own, scenario.replicates, axis=0)
    else:
        own = scenario.sigma_between * generator.standard_normal((size, n))
    y = generator.standard_normal((K, size, n), out=out)
    y *= scenario.sigma_within
    y += own
    y += np.repeat(scenario.mean + scenario.effects, scenario.replicates)[:, None, None]
    if scenario.missing == 0:
        return y, None
    observed = generator.random((len(scenario.cells), size, n)) >= scenario.missing
    return y, np.repeat(observed, scenario.replicates, axis=0)


def stream(scenario: Scenario, block: int, seed: int) -> np.random.SeedSequence:
    """The random stream of a block, which does not depend on what else is in a grid."""
    bits = np.array([scenario.sigma_between, scenario.missing]).view(np.uint64)
    return np.random.SeedSequence(seed, spawn_key=(scenario.subjects, *map(int, bits), block))
