"""Batches of incomplete data: each data set's own moments, and one search over lambda for all.

The model matrix is [1 | indicators of the 2nd to J-th condition], and the response is replaced by
its deviation from the condition's mean, so that nothing large cancels. All arrays have the data
sets of the batch as their last axis (see `stacked`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from twolevel.design.moments import Moments
from twolevel.experiments.batch_fit import BatchFit
from twolevel.inference.kenward_roger import KenwardRoger, kenward_roger
from twolevel.inference.satterthwaite import Satterthwaite, satterthwaite
from twolevel.model.criterion import FLAT, LARGEST, RISE, TAIL, Profile
from twolevel.model.random_intercept import derivatives, variance_sums
from twolevel.model.search import minimise
from twolevel.numeric.small_matrices import product, sweep, trace, weighted
from twolevel.text.methods import Test

# Values of K lambda at which the criterion is first looked at, and those for the few data sets
# whose minimum lies beyond. In log(lambda) it bends no faster than 1 / (1 + n lambda) does.
_GRID = np.exp(np.arange(-9.0, 10.0, 2.0))
_BEYOND = np.exp(np.arange(7.0, 31.0, 2.0))

# A pivot, relative to the number of observations, below which a column is a combination of others.
_RANK = 1e-9


@dataclass(frozen=True, eq=False)
class IncompleteEffects:
    """Tests of the fixed effects; see `batch_fit.FixedEffects`.

    level (J, b) are the condition means, up to a constant, of the b data sets `fitted`, out of
    n_sets; the others' F and SE are NaN.
    """

    level: np.ndarray
    moments: Moments
    best: Profile
    fitted: np.ndarray
    n_sets: int

    def errors(self, test: Test) -> tuple[np.ndarray, np.ndarray]:
        """SE and df of the grand mean and the condition effects."""
        J = len(self.level)
        C = np.eye(J)
        C[:, 0] = 1.0  # condition means from the intercept and the other coefficients
        rows = np.vstack([C.mean(axis=0), C - C.mean(axis=0)])
        se, df = np.full((2, len(rows), len(self.fitted)), np.nan)
        if test != "anova":
            covariance = self._covariance(test)
            for k, row in enumerate(rows):
                se[k] = np.sqrt(np.einsum("i,ijb,j->b", row, covariance, row))
                df[k] = self._approximate(test, row[None])[0]
        return self.spread(se), self.spread(df)

    def wald(self, test: Test, effects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F and df_den of the tests that the condition effects are those given (m, J)."""
        q = len(self.level) - 1
        F: np.ndarray = np.full((len(effects), len(self.fitted)), np.nan)
        df: np.ndarray = np.full(len(self.fitted), np.nan)
        if test != "anova":
            df, scale = self._approximate(test, np.eye(q + 1)[1:])
            swept = np.zeros((q + 1, q + 1, len(self.fitted)))
            swept[:q, :q] = self._covariance(test)[1:, 1:]
            for k, row in enumerate(effects):
                apart = (self.level[1:] - row[1:, None]) - (self.level[0] - row[0])
                swept[:q, q] = swept[q, :q] = apart
                F[k] = -scale / q * sweep(swept, q)[0][q, q]
        return self.spread(F), df if len(df) == 1 else self.spread(df)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values (..., b) of the data sets that were fitted among all (..., B)."""
        every = np.full((*values.shape[:-1], self.n_sets), np.nan)
        every[..., self.fitted] = values
        return every

    def _covariance(self, test: Test) -> np.ndarray:
        return self._kenward_roger.covariance if test == "kenward-roger" else self._phi

    def _approximate(self, test: Test, L: np.ndarray) -> tuple[Any, Any]:
        if test == "kenward-roger":
            return self._kenward_roger.approximate(L)
        if test == "satterthwaite":
            return self._satterthwaite.approximate(L if len(L) == 1 else _sequential(self.moments))
        return np.array([np.inf]), 1.0

    @property
    def _phi(self) -> np.ndarray:
        return self._sigma2 * self.best.unscaled_cov

    @property
    def _f(self) -> int:
        return self.moments.nobs - len(self.level)

    @property
    def _sigma2(self) -> np.ndarray:
        return self.best.rss / self._f

    @cached_property
    def _kenward_roger(self) -> KenwardRoger:
        sums = variance_sums(self.moments, self.best.lambda_)
        return kenward_roger(self.best.unscaled_cov, self._sigma2, sums)

    @cached_property
    def _satterthwaite(self) -> Satterthwaite:
        return satterthwaite(self.best, self._f, derivatives(self.moments, self.best))


def fit_incomplete(y: np.ndarray, replicates: int, observed: np.ndarray) -> BatchFit:
    """Fit incomplete data y (J x replicates, B, n): see `batch.fit_batch`."""
    moments, mean = _moments(y, replicates, observed)
    raw, sampling, possible, saturated = _level1(moments)
    fitted = np.flatnonzero(possible)
    moments, saturated = _take(moments, fitted), np.flatnonzero(saturated[fitted])
    lambda_ = _estimate(moments)
    if len(saturated):
        lambda_[saturated] = _estimate_saturated(_take(moments, saturated))
    found = np.flatnonzero(lambda_ <= LARGEST)
    if len(found) < len(fitted):
        fitted, moments, lambda_ = fitted[found], _take(moments, found), lambda_[found]
    best = _profile(moments, lambda_)
    # Differences of means keep their digits when what all share is taken away first.
    shift = mean[0]
    level = (mean - shift)[:, fitted] + best.beta[0]
    level[1:] += best.beta[1:]
    effects = IncompleteEffects(level, moments, best, fitted, y.shape[1])
    within = best.rss / (moments.nobs - len(level))
    grand_mean = level.mean(axis=0)
    return BatchFit(
        grand_mean=effects.spread(grand_mean) + shift,
        condition_effects=effects.spread(level - grand_mean),
        between_variance=effects.spread(best.lambda_ * within),
        within_variance=effects.spread(within),
        raw_variance=raw,
        sampling_variance=sampling,
        fixed_effects=effects,
        df_num=len(level) - 1,
    )


def _moments(y: np.ndarray, replicates: int, observed: np.ndarray) -> tuple[Moments, np.ndarray]:
    """The moments of B data sets, and their condition means (J, B), which y is centred at."""
    K, B, n = y.shape
    J = K // replicates

    def by_condition(values: np.ndarray) -> np.ndarray:
        if replicates == 1:
            return values
        return values.reshape(J, replicates, *values.shape[1:]).sum(axis=1)

    every = np.ones(n)  # a product with which sums over subjects, faster than sum()
    seen = observed.astype(float)
    rest = np.where(observed, y, 0.0)
    cells = by_condition(seen)  # (J, B, n)
    per_condition = cells @ every
    mean = by_condition(rest @ every) / np.maximum(per_condition, 1.0)
    rest -= np.repeat(mean, replicates, axis=0)[:, :, None]
    rest *= seen
    total = by_condition(rest @ every)  # (J, B), 0 up to rounding
    per_subject = cells.sum(axis=0)  # (B, n)
    known = np.maximum(per_subject, 1.0)
    subject = rest.sum(axis=0) / known
    rest -= subject
    rest *= seen

    z = np.concatenate([np.ones((1, B, n)), cells[1:] / known, subject[None]])  # (q, B, n)
    sizes = np.arange(1, K + 1)
    between = np.empty((K, J + 1, J + 1, B))
    counts = np.empty((K, B))
    for g, size in enumerate(sizes):
        of_size = (per_subject == size).astype(float)
        np.einsum("ibn,jbn->ijb", z * of_size, z, out=between[g])
        counts[g] = of_size @ every
    # sum_i c_ij c_ik / n_i, with c_ij the subject's observations under condition j
    within = -np.einsum("g,gijb->ijb", sizes, between)
    within[0] = within[:, 0] = 0.0  # the constant does not vary within subjects
    within[range(1, J), range(1, J)] += per_condition[1:]
    within[1:J, J] += total[1:]
    within[J, 1:J] += total[1:]
    within[J, J] = np.einsum("kbn,kbn->b", rest, rest)
    return Moments(within, sizes, counts, between), mean


def _take(moments: Moments, which: np.ndarray) -> Moments:
    """The moments of some of the data sets, given by position."""
    within, counts, between = (
        np.take(part, which, axis=-1)  # indexing would not keep the last axis contiguous
        for part in (moments.within, moments.counts, moments.between)
    )
    return Moments(within, moments.sizes, counts, between)


def _level1(moments: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The raw variance of subject means, what it is too large by, and two facts of a design (B,).

    The subject means are adjusted for the conditions by least squares within subjects, as
    `subjects` and `hierarchical` do for one data set. The facts: REML is possible, and the fixed
    effects leave no residuals within subjects.
    """
    J, n = moments.n_coefficients, moments.counts.sum(axis=0)
    per_condition = np.einsum("g,gjb->jb", moments.sizes, moments.between[:, 0, 1:J])
    swept, pivots = sweep(moments.within[1:, 1:], J - 1, _RANK * moments.nobs)
    complete = (per_condition > 0).all(axis=0) & (per_condition.sum(axis=0) < moments.nobs)
    possible = complete & (n > 1) & (n < moments.nobs) & (moments.nobs > J)

    rank = (pivots > 0).sum(axis=0)
    saturated = moments.nobs - n - rank < 1
    # Without a path from condition to condition through subjects, means cannot be adjusted.
    df = np.where(complete & (rank == J - 1) & ~saturated, moments.nobs - n - rank, np.nan)
    free = np.where(n > 1, n - 1, np.nan)
    error = swept[-1, -1] / df
    v = np.concatenate([np.zeros((1, len(n))), -swept[:-1, -1], np.ones((1, len(n)))])
    sums = moments.between.sum(axis=0)
    # Products of deviations from the mean of all subjects.
    sums = sums - sums[:, :1] * sums[:1] / np.maximum(n, 1)
    raw = np.where(df > 0, np.einsum("ib,ijb,jb->b", v, sums, v) / free, np.nan)
    own = (moments.counts / moments.sizes[:, None]).sum(axis=0) * free / np.maximum(n, 1)
    shared = trace(sums[1:J, 1:J], -swept[:-1, :-1])
    return raw, error * (own + shared) / free, possible, saturated


def _estimate(moments: Moments) -> np.ndarray:
    """The lambda (B,) that maximises each restricted likelihood.

    Infinite where it rises without end, NaN where nothing depends on lambda: where the fixed
    effects leave no differences between subjects.
    """
    scale = 1 / moments.sizes[-1]
    lambda_ = _search(moments, _GRID * scale)
    beyond = np.flatnonzero(np.isinf(lambda_))
    if len(beyond):
        lambda_[beyond] = _search(_take(moments, beyond), _BEYOND * scale)
    return lambda_


def _estimate_saturated(moments: Moments) -> np.ndarray:
    """The same where the fixed effects leave no residuals within subjects.

    The criterion then ends level, and has a minimum only if it is lower somewhere else.
    """
    scale, end = 1 / moments.sizes[-1], TAIL[0]
    grid = np.append(_GRID, _BEYOND[2:]) * scale
    lambda_ = _search(moments, np.append(grid[grid < end], end))
    level = _deviance(moments, np.full(len(lambda_), end))[0]
    least = _deviance(moments, np.fmin(lambda_, end))[0]
    return np.where(level - least >= RISE, lambda_, np.inf)


def _search(moments: Moments, grid: np.ndarray) -> np.ndarray:
    B = moments.counts.shape[1]

    def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
        best = _profile(moments if len(which) == B else _take(moments, which), lambda_)
        return best.deviance, best.slope, best.curvature

    on_grid = np.stack([_deviance(moments, np.full(B, point))[0] for point in grid])
    lambda_ = minimise(criterion, on_grid, grid)
    return np.where(np.ptp(on_grid, axis=0) > FLAT * moments.nobs, lambda_, np.nan)


def _deviance(moments: Moments, lambda_: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The criterion of `likelihood` (B,) up to a constant, the weights of M_n, and the sweep."""
    p = moments.n_coefficients
    n = moments.sizes[:, None]
    weight = n / (1 + n * lambda_)
    swept, pivots = sweep(moments.within + weighted(weight, moments.between), p)
    # One logarithm is faster than p, while the product has an exponent to spare.
    pivoted = np.log(pivots.prod(axis=0)) if p < 10 else np.log(pivots).sum(axis=0)
    log_det = np.sum(moments.counts * np.log1p(n * lambda_), axis=0) + pivoted
    return (moments.nobs - p) * np.log(swept[p, p]) + log_det, weight, swept


def _profile(moments: Moments, lambda_: np.ndarray) -> Profile:
    """`likelihood.profile` of every data set at its own lambda (B,), with B as the last axis."""
    p, f = moments.n_coefficients, moments.nobs - moments.n_coefficients
    deviance, weight, swept = _deviance(moments, lambda_)
    inverse, beta, rss = -swept[:p, :p], swept[:p, p], swept[p, p]
    A1 = -weighted(weight**2, moments.between)
    A2 = 2 * weighted(weight**3, moments.between)
    v = np.concatenate([-beta, np.ones((1, len(rss)))])
    score = np.einsum("ijb,jb->ib", A1, v)
    rss1 = np.einsum("ib,ib->b", score, v)
    rss2 = np.einsum("ib,ijb,jb->b", v, A2, v)
    rss2 -= 2 * np.einsum("ib,ijb,jb->b", score[:p], inverse, score[:p])
    inner = product(inverse, A1[:p, :p])
    slope = f * rss1 / rss + np.sum(moments.counts * weight, axis=0) + np.einsum("iib->b", inner)
    curvature = f * (rss2 / rss - (rss1 / rss) ** 2) - np.sum(moments.counts * weight**2, axis=0)
    curvature += trace(inverse, A2[:p, :p]) - trace(inner, inner)
    return Profile(lambda_, deviance, slope, curvature, beta, inverse, rss, rss1, rss2)


def _sequential(moments: Moments) -> np.ndarray:
    """lmerTest's contrasts (J-1, J, B) for a single term (see `type3`).

    Each condition's indicator less its regression on the earlier ones.
    """
    J = moments.n_coefficients
    total = moments.within + weighted(moments.sizes[:, None].astype(float), moments.between)
    gram = total[:J, :J]
    rows = np.zeros((J - 1, J, gram.shape[-1]))
    for k in range(J):
        ratio = gram[k] / gram[k, k]
        if k > 0:
            rows[k - 1, k:] = ratio[k:]
        gram = gram - gram[:, k, None] * ratio
    return rows
