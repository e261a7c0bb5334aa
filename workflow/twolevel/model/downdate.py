"""The likelihood of the random-intercept model without each subject in turn, from the moments.

Without subject i, the sums of `moments` lose that subject's own part,

    A_-i(lambda) = A(lambda) - W_i - n_i / (1 + n_i lambda) zbar_i zbar_i'

and the likelihood is maximised again, for a block of subjects at once. Where all others' residuals
are next to nothing beside a subject's, the difference would be rounding; there can be just one or
two such subjects, and they are named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from twolevel.design.cells import Cells, SubjectRows
from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import Moments
from twolevel.model.criterion import (
    FLAT,
    FLAT_UP_TO,
    LARGEST,
    RISE,
    TAIL,
    Profile,
    degrees_of_freedom,
    deviance_of_sums,
    least_squares,
    log_det,
    on_grid,
    profile_of_sums,
    variances,
    weights,
)
from twolevel.model.likelihood import Variances
from twolevel.model.search import GRID, minimise
from twolevel.text.methods import Method

# Grid points whose deviance lies this far above the least one cannot come to hold the minimum when
# a single subject leaves.
_MARGIN = 100.0

# The share of R at a lambda that has to be left without a subject: 8 of 16 digits.
LEFT = 1e-8

# Numbers in the largest array of a block: a few megabytes, which stay near the processor.
_BLOCK = 500_000
# Blocks looked at at the same time: a job that was promised one processor may not take them all.
_MOST_THREADS = 2


@dataclass(frozen=True, eq=False)
class Deletions:
    """The estimates without each of m subjects.

    variances are of m fits, gamma (m, p) their working coefficients; NaN where the model cannot be
    fitted without the subject. alone (m,) is true where it must be fitted to the others' rows, as
    too few digits are left of the sums.
    """

    variances: Variances
    gamma: np.ndarray
    alone: np.ndarray


def without_each(
    design: DesignMatrix, here: np.ndarray, moments: Moments, method: Method, best: Profile
) -> Deletions:
    """Leave out each subject that is here (n,), in a fit with the moments of all."""
    cells, y, _ = design.working_columns()
    parts = _Parts.of(cells, y, design.subject_rows, here)
    grid = _candidates(moments, method)

    def downdate(some: slice) -> tuple[np.ndarray, ...]:
        return _downdate(parts.block(some), moments, method, float(best.lambda_), grid)

    with ThreadPoolExecutor(_threads()) as pool:
        blocks = list(pool.map(downdate, parts.blocks()))
    if not blocks:
        none = np.empty(0)
        gamma = np.empty((0, len(best.beta)))
        return Deletions(variances(none, none, none), gamma, none.astype(bool))
    lambda_, sigma2, gamma, alone = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    varying = variances(np.sqrt(lambda_ * sigma2), np.sqrt(sigma2), lambda_)
    return Deletions(varying, gamma, alone)


@dataclass(frozen=True, eq=False)
class _Block:
    """Subjects' own parts of the sums: counts (b,), means (b, q), within (b, q, q)."""

    counts: np.ndarray
    means: np.ndarray
    within: np.ndarray


@dataclass(frozen=True, eq=False)
class _Parts:
    """The rows z = [x | y] of the working columns by subject.

    order (N,) is the rows' positions, subject by subject, or None where they stand so; counts (n,)
    are each subject's rows, and end (n,) where each subject ends among all.
    """

    cells: Cells
    y: np.ndarray
    order: np.ndarray | None
    counts: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, cells: Cells, y: np.ndarray, rows: SubjectRows, here: np.ndarray) -> _Parts:
        """The parts of the subjects that are here (n,)."""
        codes, order = rows.codes, None
        if np.any(codes[1:] < codes[:-1]) or not here.all():
            order = np.argsort(codes, kind="stable")
            order = order[here[codes[order]]]
        counts = rows.counts[here]
        return cls(cells, y, order, counts, np.cumsum(counts))

    def blocks(self) -> Iterator[slice]:
        """Neighbouring subjects with so many rows as fit a block."""
        most = _BLOCK // (self.cells.X.shape[1] + 1) ** 2
        first = 0
        while first < len(self.counts):
            start = self.end[first] - self.counts[first]
            last = max(first + 1, int(np.searchsorted(self.end, start + most, side="right")))
            yield slice(first, last)
            first = last

    def block(self, some: slice) -> _Block:
        """Some subjects' own sums."""
        n, end = self.counts[some], self.end[some]
        start = end[0] - n[0]
        rows = slice(start, end[-1])
        here = rows if self.order is None else self.order[rows]
        Z = np.column_stack([self.cells.at(here), self.y[here]])
        at = end - n - start
        means = np.add.reduceat(Z, at) / n[:, None]
        Z = Z - np.repeat(means, n, axis=0)
        if len(n) == 1:  # with however many rows
            within = (Z.T @ Z)[None]
        else:
            within = np.add.reduceat(Z[:, :, None] * Z[:, None, :], at)
        return _Block(n, means, within)


def _threads() -> int:
    """The processors that this process may use, up to a few; the numbers do not depend on it."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(free or 1, _MOST_THREADS)


def _downdate(
    block: _Block, moments: Moments, method: Method, likely: float, candidates: Profile
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """lambda (b,), sigma_w^2 (b,) and the coefficients gamma (b, p) without each subject.

    NaN where there is no fit, and where too few digits would be left of it: true in the last (b,).
    """
    estimable = _estimable(block, moments)
    f = degrees_of_freedom(moments, method) - block.counts * estimable
    # What cannot be left out stays in, and is NaN at the end.
    means = np.where(estimable[:, None], block.means, 0.0)
    outer = means[:, :, None] * means[:, None, :]
    left = moments.within - np.where(estimable[:, None, None], block.within, 0.0)

    def own(lambda_: float | np.ndarray, which: np.ndarray) -> np.ndarray:
        """The weight (b,) of each subject's own mean."""
        return weights(block.counts[which], lambda_)

    def sums(lambda_: float | np.ndarray, which: np.ndarray) -> np.ndarray:
        """A(lambda) without each subject."""
        weight = weights(moments.sizes, np.asarray(lambda_)[..., None])
        leaves = own(lambda_, which)[:, None, None] * outer[which]
        return left[which] + (np.tensordot(weight, moments.between, 1) - leaves)

    def log_dets(
        lambda_: float | np.ndarray, which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """sum_i log(1 + n_i lambda) without each subject, and its two derivatives."""
        value, slope, curvature = log_det(moments, np.asarray(lambda_))
        less = own(lambda_, which)
        return value - np.log1p(block.counts[which] * lambda_), slope - less, curvature + less**2

    def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
        less = own(lambda_, which)[:, None, None]
        weight = weights(moments.sizes, lambda_[:, None])  # (b, g)
        A1 = less**2 * outer[which] - np.tensordot(weight**2, moments.between, 1)
        A2 = 2 * (np.tensordot(weight**3, moments.between, 1) - less**3 * outer[which])
        A = sums(lambda_, which)
        now = profile_of_sums(lambda_, (A, A1, A2), log_dets(lambda_, which), f[which], method)
        return now.deviance, now.slope, now.curvature

    def deviance(lambda_: float | np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The criterion alone, and R, at one lambda, or at one for each."""
        return deviance_of_sums(sums(lambda_, which), log_dets(lambda_, which)[0], f[which], method)

    # As in `criterion.maximise`: where few rows are left, the criterion may end level.
    level, at_end = np.zeros(len(f), dtype=bool), np.zeros(len(f))
    short = moments.nobs - block.counts - moments.n_subjects < moments.n_coefficients
    few = np.flatnonzero(short & estimable)
    if len(few):
        tail = [deviance(point, few)[0] for point in TAIL]
        level[few], at_end[few] = np.abs(tail[1] - tail[0]) < RISE, tail[0]
    lambda_, constant = np.full(len(f), np.inf), np.zeros(len(f), dtype=bool)
    alone = np.zeros(len(f), dtype=bool)
    for group, largest in ((~level, LARGEST), (level, TAIL[0])):
        if len(which := np.flatnonzero(group & estimable)):
            of_grid = candidates.lambda_ < largest
            grid = candidates.lambda_[of_grid]
            seen = [deviance(point, which) for point in grid]
            start, rss = (np.stack(values) for values in zip(*seen, strict=True))
            little = (rss <= LEFT * candidates.rss[of_grid, None]).any(axis=0)
            alone[which[little]] = True
            which, start = which[~little], start[:, ~little]
            plain = start[grid <= FLAT_UP_TO]
            flat = np.ptp(plain, axis=0) <= FLAT * (moments.nobs - block.counts[which])
            constant[which] = flat & (len(plain) > 1)

            def of_these(at: np.ndarray, k: np.ndarray, which: np.ndarray = which) -> tuple:
                return criterion(at, which[k])

            lambda_[which] = minimise(of_these, start, grid, likely)
    lost = np.isinf(lambda_) | constant
    every = np.arange(len(f))
    best = np.where(lost, 1.0, lambda_)
    _, beta, rss = least_squares(sums(best, every))
    if level.any():
        lost |= level & (at_end - deviance(best, every)[0] < RISE)
    lambda_ = np.where(lost, np.nan, lambda_)
    beta = np.where(lost[:, None], np.nan, beta)
    return lambda_, np.where(lost, np.nan, rss / f), beta, alone


def _candidates(moments: Moments, method: Method) -> Profile:
    """The fit at those points of GRID between which the minimum without a subject is looked for."""
    grid = GRID[: np.searchsorted(GRID, LARGEST)]
    whole = on_grid(moments, method, grid)
    deviance = whole.deviance
    best = int(deviance.argmin())
    near = deviance <= deviance[best] + _MARGIN
    near[max(best - 1, 0) : best + 2] = True
    near &= (grid * moments.sizes.max() > 1e-3) | (np.arange(len(grid)) % 8 == 0)  # flat below
    near[[0, np.searchsorted(grid, TAIL[0]) - 1, -1]] = True
    return Profile(**{key: values[near] for key, values in vars(whole).items()})


def _estimable(block: _Block, moments: Moments) -> np.ndarray:
    """Whether the model can be fitted without each subject (b,)."""
    p, left = moments.n_coefficients, moments.nobs - block.counts
    enough = (left > p) & (left > moments.n_subjects - 1) & (moments.n_subjects > 2)
    xbar = block.means[:, :p]
    own = block.within[:, :p, :p] + block.counts[:, None, None] * xbar[:, :, None] * xbar[:, None]
    return enough & keep_columns(own, moments.total[:p, :p])


def keep_columns(own: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Whether columns with X'X = total (p, p) stay independent without rows of own X_i'X_i (b,).

    They do if I - H_ii is regular, with H_ii the rows' block of the hat matrix; its eigenvalues,
    other than 1, are those of G^-1 (G - X_i' X_i), G = X' X.
    """
    root = np.linalg.inv(np.linalg.cholesky(total))
    hat = root @ own @ root.T  # (b, p, p)
    kept = np.ones(len(own), dtype=bool)
    # Only a subject with a leverage of 1 can take a column with it, and few come near.
    high = np.flatnonzero(np.trace(hat, axis1=1, axis2=2) > 1 - 1e-6)
    kept[high] = np.linalg.eigvalsh(hat[high])[:, -1] < 1 - 1e-9
    return kept
