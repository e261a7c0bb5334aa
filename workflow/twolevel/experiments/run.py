"""Replicated experiments: data drawn from known parameters, fitted and tested, again and again.

The aims and measures are those of ADEMP (Morris, White & Crowther 2019, Statistics in Medicine 38);
a `Scenario` is the data-generating mechanism, `performance` has the measures. Experiments come in
blocks of BLOCK, each with a stream of random numbers of its own, so that any of them can be run
anywhere and in any order with the same results.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from twolevel.experiments.batch import fit_batch
from twolevel.experiments.batch_fit import BatchFit
from twolevel.experiments.blocks import BLOCK, stream
from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.planned_experiments import PlannedExperiments
from twolevel.experiments.scenario import Scenario, draw
from twolevel.text.confidence import LEVEL, alpha
from twolevel.text.methods import STANDARD, Test

# Tests that every experiment is put to, besides the one that is asked for.
COMPARED: tuple[Test, ...] = ("kenward-roger", "asymptotic", "anova")

# The experiments of a batch, complete or not, and the numbers in its data and in the largest array
# of its fit: memory that is used again and stays in cache.
_COMPLETE, _INCOMPLETE = 1_250, 2_500
_NUMBERS, _LARGEST = 200_000, 2_000_000


def replicate(
    scenario: AnyScenario,
    experiments: int = 10_000,
    seed: int = 1,
    test: Test = STANDARD,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Draw, fit and test so many experiments: one row for each.

    Columns: the estimates (see `Scenario.truth`; raw_variance is the uncorrected variance of the
    subject means), for the fixed effects also <name>_se, <name>_low and <name>_high, the ends of
    an interval by `test` at `level`; boundary and failed; F, df_den and p of `test` that the
    conditions do not differ; and for `test` and the three of COMPARED whether it rejects this, at
    one less `level` (rejected[<test>]), and the truth, that they differ as they do
    (rejected_true[<test>]), 1 or 0.

    Where the scenario is not plain (see `planned`) also, for variances and correlations, whether
    an interval covers them (<name>_covered); of other terms, and with `adjust` of differences, the
    same as of the conditions (<term>: rejected[<test>]); and of INTERCEPT_ALONE: the model with a
    random intercept alone, by Kenward-Roger. NaN where a method gives nothing.
    """
    starts = range(0, experiments, BLOCK)
    blocks = [(start // BLOCK, min(BLOCK, experiments - start)) for start in starts]
    return _experiments(scenario, blocks, seed, test, level)


def replicate_block(
    scenario: AnyScenario, block: int, size: int, seed: int, test: Test, level: float = LEVEL
) -> pd.DataFrame:
    """The first `size` experiments of a block: see `replicate`."""
    return _experiments(scenario, [(block, size)], seed, test, level)


def _experiments(
    scenario: AnyScenario, blocks: list[tuple[int, int]], seed: int, test: Test, level: float
) -> pd.DataFrame:
    """The experiments of blocks, given by number and size."""
    names: list[str] = []
    table, start = np.empty((0, 0)), 0
    planned = None
    if scenario.study is not None:
        planned = PlannedExperiments(scenario.study, test, tests_of(test), level)
    for block, size in blocks:
        generator = np.random.default_rng(stream(scenario, block, seed))
        if planned is not None:
            batches = planned.columns(size, generator)
        else:
            assert isinstance(scenario, Scenario)
            batches = _plain(scenario, size, generator, test, level)
        for columns in batches:
            if not names:  # one array for all columns, which pandas then need not copy
                names = list(columns)
                table = np.empty((len(names), sum(size for _, size in blocks)))
            stop = start + len(columns["failed"])
            for row, values in zip(table, columns.values(), strict=True):
                row[start:stop] = values
            start = stop
    found = pd.DataFrame(table.T, columns=names, copy=False)
    for name in ("boundary", "failed"):
        found[name] = table[names.index(name)].astype(bool)
    return found


def tests_of(test: Test) -> tuple[Test, ...]:
    """The tests that experiments are put to when one asks for `test`."""
    return tuple(dict.fromkeys((test, *COMPARED)))


def _plain(
    scenario: Scenario, size: int, generator: np.random.Generator, test: Test, level: float
) -> Iterator[dict[str, np.ndarray]]:
    """The columns of a block, as many experiments at a time as fit the cache.

    Whole batches are drawn, standardised, and what is too much is cut off: so an experiment's data
    depend on its number alone, not on how many there are.
    """
    batch = _batch(scenario)
    memory = np.empty((scenario.per_subject, batch, scenario.subjects))
    standardised = scenario.standardised()
    for start in range(0, size, batch):
        y, observed = draw(standardised, batch, generator, out=memory)
        keep = slice(min(batch, size - start))
        observed = None if observed is None else observed[:, keep]
        fit = fit_batch(y[:, keep], scenario.replicates, observed)
        yield _columns(scenario, standardised, fit, test, level)


def _batch(scenario: Scenario) -> int:
    """How many experiments are drawn and fitted at once."""
    J, K = len(scenario.cells), scenario.per_subject
    most = _NUMBERS // (K * scenario.subjects)
    if scenario.missing == 0:
        return max(1, min(_COMPLETE, most))
    return max(1, min(_INCOMPLETE, most, _LARGEST // (K * (J + 1) ** 2)))


def _columns(
    scenario: Scenario, standardised: Scenario, fit: BatchFit, test: Test, level: float
) -> dict[str, np.ndarray]:
    """The columns of `replicate` for a batch of standardised data."""
    unit = scenario.unit
    estimates = [scenario.mean + unit * fit.grand_mean, *(unit * fit.condition_effects)]
    fixed = dict(zip(scenario.truth, estimates, strict=False))
    columns = {**fixed}
    for name in list(scenario.truth)[len(fixed) :]:
        columns[name] = unit**2 * getattr(fit, name)
    se, half = (unit * values for values in fit.intervals(test, level))
    for k, (name, estimate) in enumerate(fixed.items()):
        columns[f"{name}_se"] = se[k]
        columns[f"{name}_low"], columns[f"{name}_high"] = estimate - half[k], estimate + half[k]
    columns["boundary"], columns["failed"] = fit.boundary, fit.failed
    effects = standardised.effects
    hypotheses = np.stack([np.zeros_like(effects), effects])
    F, df_den, p = fit.condition_tests(test, hypotheses)
    columns |= {"F": F[0], "df_den": np.broadcast_to(df_den, F[0].shape), "p": p[0]}
    for name in tests_of(test):
        if name == test:
            rejected = np.where(np.isnan(p), np.nan, p < alpha(level))
        else:
            rejected = fit.rejections(name, hypotheses, level)
        columns[f"rejected[{name}]"], columns[f"rejected_true[{name}]"] = rejected
    return columns
