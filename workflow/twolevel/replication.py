"""Replicated experiments: data drawn from known parameters, fitted and tested, again and again.

The aims and measures are those of ADEMP (Morris, White & Crowther 2019, Statistics in Medicine 38);
a `Scenario` is the data-generating mechanism, `performance` has the measures. Experiments come in
blocks of BLOCK, each with a stream of random numbers of its own, so that any of them can be run
anywhere and in any order with the same results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.batch import BatchFit, Test, fit_batch
from twolevel.errors import InputError

# Experiments in a block: part of the definition of every experiment's data.
BLOCK = 5_000

# Tests that every experiment is put to, beside the one that is asked for.
COMPARED: tuple[Test, ...] = ("kenward-roger", "asymptotic", "anova")

LEVEL = 0.95

# Random numbers drawn at once, and numbers in the largest array of a fit: a batch stays in cache.
_NUMBERS, _LARGEST = 200_000, 2_000_000


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


def replicate(
    scenario: Scenario, experiments: int = 10_000, seed: int = 1, test: Test = "kenward-roger"
) -> pd.DataFrame:
    """Draw, fit and test so many experiments: one row for each.

    Columns: the estimates (see `Scenario.truth`; raw_variance is the uncorrected variance of the
    subject means), for the fixed effects also <name>_se, <name>_low and <name>_high, the ends of a
    95 % interval by `test`; boundary and failed; F and df_den of `test`; and p[<test>] of the
    hypothesis that the conditions do not differ, p_true[<test>] of the true one that they differ
    as they do, for `test` and the three of COMPARED. NaN where a method gives nothing.
    """
    blocks = range(-(-experiments // BLOCK))
    return pd.concat(
        [
            replicate_block(scenario, block, min(BLOCK, experiments - block * BLOCK), seed, test)
            for block in blocks
        ],
        ignore_index=True,
    )


def replicate_block(
    scenario: Scenario, block: int, size: int, seed: int, test: Test
) -> pd.DataFrame:
    """The first `size` experiments of a block: see `replicate`."""
    parts = []
    for y, observed in _batches(scenario, block, size, seed):
        parts.append(_columns(scenario, fit_batch(y, scenario.replicates, observed), test))
    together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pd.DataFrame(together)


def tests_of(test: Test) -> tuple[Test, ...]:
    """The tests that experiments are put to when one asks for `test`."""
    return tuple(dict.fromkeys((test, *COMPARED)))


def draw(
    scenario: Scenario, size: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    """Data of `size` experiments (K, size, n), laid out as in `batch`, and what is observed of it.

    The random effects are drawn first, then the errors, then what is missing.
    """
    n, K = scenario.subjects, scenario.per_subject
    subject = scenario.sigma_between * generator.standard_normal((size, n))
    y = generator.standard_normal((K, size, n))
    y *= scenario.sigma_within
    y += subject
    y += np.repeat(scenario.mean + scenario.effects, scenario.replicates)[:, None, None]
    if scenario.missing == 0:
        return y, None
    observed = generator.random((len(scenario.conditions), size, n)) >= scenario.missing
    return y, np.repeat(observed, scenario.replicates, axis=0)


def _batches(
    scenario: Scenario, block: int, size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """The data of a block, as many experiments at a time as fit the cache.

    Whole batches are drawn, and what is too much is cut off: so an experiment's data depend on its
    number alone, not on how many there are.
    """
    J, K = len(scenario.conditions), scenario.per_subject
    most = _NUMBERS // (K * scenario.subjects)
    if scenario.missing > 0:
        most = min(most, _LARGEST // (K * (J + 1) ** 2))
    batch = max(1, min(BLOCK // 2, most))
    generator = np.random.default_rng(_stream(scenario, block, seed))
    for start in range(0, size, batch):
        y, observed = draw(scenario, batch, generator)
        keep = slice(min(batch, size - start))
        yield y[:, keep], None if observed is None else observed[:, keep]


def _stream(scenario: Scenario, block: int, seed: int) -> np.random.SeedSequence:
    """The random stream of a block, which does not depend on what else is in a grid."""
    bits = np.array([scenario.sigma_between, scenario.missing]).view(np.uint64)
    return np.random.SeedSequence(seed, spawn_key=(scenario.subjects, *map(int, bits), block))


def _columns(scenario: Scenario, fit: BatchFit, test: Test) -> dict[str, np.ndarray]:
    """The columns of `replicate` for a batch."""
    fixed = dict(zip(scenario.truth, [fit.grand_mean, *fit.condition_effects], strict=False))
    columns = {**fixed}
    for name in ("between_variance", "within_variance", "raw_variance", "two_stage_variance"):
        columns[name] = getattr(fit, name)
    se, half = fit.intervals(test, LEVEL)
    for k, (name, estimate) in enumerate(fixed.items()):
        columns[f"{name}_se"] = se[k]
        columns[f"{name}_low"], columns[f"{name}_high"] = estimate - half[k], estimate + half[k]
    columns["boundary"], columns["failed"] = fit.boundary, fit.failed
    hypotheses = np.stack([np.zeros_like(scenario.effects), scenario.effects])
    for name in tests_of(test):
        F, df_den, p = fit.condition_tests(name, hypotheses)
        if name == test:
            columns["F"], columns["df_den"] = F[0], np.broadcast_to(df_den, F[0].shape)
        columns[f"p[{name}]"], columns[f"p_true[{name}]"] = p
    return columns
