"""What replicated experiments are drawn from: parameters, and streams of random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from twolevel.numeric.standardised import power_of_two
from twolevel.text.errors import InputError

# Experiments in a block: part of the definition of every experiment's data.
BLOCK = 5_000


@dataclass(frozen=True)
class Scenario:
    """The parameters that data are drawn from.

    y_ijk = grand_mean + S_i + alpha_j + eta_ijk for n `subjects`, J conditions and `replicates`
    observations in each cell, of which a share `missing` of the cells, each with that probability,
    is not observed. `conditions` gives each condition's effect, `sigma_between` and `sigma_within`
    are the standard deviations of S_i and eta_ijk, all in the response's unit.

    Raises InputError for parameters that no data can be drawn from.
    """

    subjects: int
    conditions: Mapping[str, float]
    grand_mean: float
    sigma_between: float
    sigma_within: float
    replicates: int = 1
    missing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no data can be drawn from."""
        for name, valid, expected in (
            ("subjects", self.subjects >= 2, "at least 2"),
            ("conditions", len(self.conditions) >= 2, "at least 2"),
            ("sigma_between", self.sigma_between >= 0, "a number of 0 or more"),
            ("sigma_within", self.sigma_within > 0, "a number above 0"),
            ("replicates", self.replicates >= 1, "at least 1"),
            ("missing", 0 <= self.missing < 1, "a share of 0 or more and below 1"),
        ):
            if not valid:
                raise InputError(f"{name}: found {getattr(self, name)}, expected {expected}")

    @property
    def effects(self) -> np.ndarray:
        """alpha_j (J,), as deviations from their mean."""
        values = np.array(list(self.conditions.values()), dtype=float)
        return values - values.mean()

    @property
    def mean(self) -> float:
        """The mean of the conditions' means: the grand mean when the effects sum to 0."""
        return self.grand_mean + float(np.mean(list(self.conditions.values())))

    @property
    def unit(self) -> float:
        """A power of two about as large as what varies, in the response's unit."""
        return power_of_two(np.array([self.sigma_between, self.sigma_within, *self.effects]))

    def standardised(self) -> Scenario:
        """The same in numbers about 1 in size, around 0: in `unit`, less the mean."""
        return replace(
            self,
            conditions=dict(zip(self.conditions, self.effects / self.unit, strict=True)),
            grand_mean=0.0,
            sigma_between=self.sigma_between / self.unit,
            sigma_within=self.sigma_within / self.unit,
        )

    @property
    def per_subject(self) -> int:
        """K, the observations of a subject with no cell missing."""
        return len(self.conditions) * self.replicates

    @property
    def truth(self) -> dict[str, float]:
        """The true values of what experiments estimate, by the names of their columns."""
        effects = {
            f"alpha[{name}]": a for name, a in zip(self.conditions, self.effects, strict=True)
        }
        between = self.sigma_between**2
        return {
            "grand_mean": self.mean,
            **effects,
            "between_variance": between,
            "within_variance": self.sigma_within**2,
            "raw_variance": between,
            "two_stage_variance": between,
        }


def draw(
    scenario: Scenario,
    size: int,
    generator: np.random.Generator,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Data of `size` experiments (K, size, n), laid out as in `batch`, and what is observed of it.

    The random effects are drawn first, then the errors, then what is missing.
    """
    n, K = scenario.subjects, scenario.per_subject
    subject = scenario.sigma_between * generator.standard_normal((size, n))
    y = generator.standard_normal((K, size, n), out=out)
    y *= scenario.sigma_within
    y += subject
    y += np.repeat(scenario.mean + scenario.effects, scenario.replicates)[:, None, None]
    if scenario.missing == 0:
        return y, None
    observed = generator.random((len(scenario.conditions), size, n)) >= scenario.missing
    return y, np.repeat(observed, scenario.replicates, axis=0)


def stream(scenario: Scenario, block: int, seed: int) -> np.random.SeedSequence:
    """The random stream of a block, which does not depend on what else is in a grid."""
    bits = np.array([scenario.sigma_between, scenario.missing]).view(np.uint64)
    return np.random.SeedSequence(seed, spawn_key=(scenario.subjects, *map(int, bits), block))
