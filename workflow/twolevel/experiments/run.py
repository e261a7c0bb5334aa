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
from twolevel.experiments.own_effects_data import fit_own_effects
from twolevel.experiments.scenario import BLOCK, Scenario, draw, stream
from twolevel.experiments.subject_model import SubjectModel
from twolevel.text.confidence import LEVEL, alpha
from twolevel.text.methods import INTERCEPT_ALONE, STANDARD, Test

# Tests that every experiment is put to, besides the one that is asked for.
COMPARED: tuple[Test, ...] = ("kenward-roger", "asymptotic", "anova")

# The experiments of a batch, complete or not, and the numbers in its data and in the largest array
# of its fit: memory that is used again and stays in cache.
_COMPLETE, _INCOMPLETE = 1_250, 2_500
_NUMBERS, _LARGEST = 200_000, 2_000_000


def replicate(
    scenario: Scenario, experiments: int = 10_000, seed: int = 1, test: Test = STANDARD
) -> pd.DataFrame:
    """Draw, fit and test so many experiments: one row for each.

    Columns: the estimates (see `Scenario.truth`; raw_variance is the uncorrected variance of the
    subject means), for the fixed effects also <name>_se, <name>_low and <name>_high, the ends of an
    interval by `test`; boundary and failed; F, df_den and p of `test` that the conditions do
    not differ; and for `test` and the three of COMPARED whether it rejects this, at one less LEVEL,
    (rejected[<test>]) and the truth, that they differ as they do (rejected_true[<test>]), 1 or 0.
    Where subjects have slopes or effects of their own, the same of INTERCEPT_ALONE: the model with
    a random intercept alone, by Kenward-Roger. NaN where a method gives nothing.
    """
    starts = range(0, experiments, BLOCK)
    blocks = [(start // BLOCK, min(BLOCK, experiments - start)) for start in starts]
    return _experiments(scenario, blocks, seed, test)


def replicate_block(
    scenario: Scenario, block: int, size: int, seed: int, test: Test
) -> pd.DataFrame:
    """The first `size` experiments of a block: see `replicate`."""
    return _experiments(scenario, [(block, size)], seed, test)


def _experiments(
    scenario: Scenario, blocks: list[tuple[int, int]], seed: int, test: Test
) -> pd.DataFrame:
    """The experiments of blocks, given by number and size."""
    names: list[str] = []
    table, start = np.empty((0, 0)), 0
    for block, size in blocks:
        for y, observed in _batches(scenario, block, size, seed):
            columns = _columns(scenario, *_fits(scenario, y, observed), test)
            if not names:  # one array for all columns, which pandas then need not copy
                names = list(columns)
                table = np.empty((len(names), sum(size for _, size in blocks)))
            stop = start + y.shape[1]
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


def _fits(
    scenario: Scenario, y: np.ndarray, observed: np.ndarray | None
) -> tuple[BatchFit, BatchFit | None]:
    """The fits of a batch, and those with a random intercept alone where that is another model."""
    if scenario.plain:
        return fit_batch(y, scenario.replicates, observed), None
    fit = fit_own_effects(SubjectModel.of(scenario), y)
    if not scenario.own_varies:
        return fit, None
    return fit, fit_own_effects(SubjectModel.of(scenario, alone=True), y)


def _batches(
    scenario: Scenario, block: int, size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """The data of a block, standardised, as many experiments at a time as fit the cache.

    Whole batches are drawn, and what is too much is cut off: so an experiment's data depend on its
    number alone, not on how many there are.
    """
    batch = _batch(scenario)
    generator = np.random.default_rng(stream(scenario, block, seed))
    memory = np.empty((scenario.per_subject, batch, scenario.subjects))
    standardised = scenario.standardised()
    for start in range(0, size, batch):
        y, observed = draw(standardised, batch, generator, out=memory)
        keep = slice(min(batch, size - start))
        yield y[:, keep], None if observed is None else observed[:, keep]


def _batch(scenario: Scenario) -> int:
    """How many experiments are drawn and fitted at once."""
    J, K = len(scenario.cells), scenario.per_subject
    most = _NUMBERS // (K * scenario.subjects)
    if scenario.missing == 0 and scenario.plain:
        return max(1, min(_COMPLETE, most))
    return max(1, min(_INCOMPLETE, most, _LARGEST // (K * (J + 1) ** 2)))


def _columns(
    scenario: Scenario, fit: BatchFit, alone: BatchFit | None, test: Test
) -> dict[str, np.ndarray]:
    """The columns of `replicate` for a batch of standardised data."""
    unit = scenario.unit
    estimates = [scenario.mean + unit * fit.grand_mean, *(unit * fit.condition_effects)]
    fixed = dict(zip(scenario.truth, estimates, strict=False))
    columns = {**fixed}
    for name in list(scenario.truth)[len(fixed) :]:
        columns[name] = unit**2 * getattr(fit, name)
    se, half = (unit * values for values in fit.intervals(test, LEVEL))
    for k, (name, estimate) in enumerate(fixed.items()):
        columns[f"{name}_se"] = se[k]
        columns[f"{name}_low"], columns[f"{name}_high"] = estimate - half[k], estimate + half[k]
    columns["boundary"], columns["failed"] = fit.boundary, fit.failed
    effects = np.array(list(scenario.standardised().estimands.values()))
    hypotheses = np.stack([np.zeros_like(effects), effects])
    F, df_den, p = fit.condition_tests(test, hypotheses)
    columns |= {"F": F[0], "df_den": np.broadcast_to(df_den, F[0].shape), "p": p[0]}
    for name in tests_of(test):
        if name == test:
            rejected = np.where(np.isnan(p), np.nan, p < alpha(LEVEL))
        else:
            rejected = fit.rejections(name, hypotheses)
        columns[f"rejected[{name}]"], columns[f"rejected_true[{name}]"] = rejected
    if alone is not None:
        rejected = alone.rejections(STANDARD, hypotheses)
        name = INTERCEPT_ALONE
        columns[f"rejected[{name}]"], columns[f"rejected_true[{name}]"] = rejected
    return columns
