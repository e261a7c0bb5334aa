"""The likelihood's value and derivatives for any random part, from its sums.

With N = M^-1 of each distinct R, C_s = dM / dpsi_s, and < > a contraction with the sums of outer
products,

    A = W + <N>,   A_s = -<N C_s N>,   A_st = <N C_s N C_t N + N C_t N C_s N>,

and the derivatives of R = A_yy - A_xy' A_xx^-1 A_xy and log|A_xx| follow as in `criterion`, by the
envelope theorem. M is linear in psi, so that there are no other terms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from twolevel.model.effects.effect_sums import OverSubjects, Sums, Three, pairs
from twolevel.model.likelihood import VarianceSums
from twolevel.numeric.small_matrices import product, sweep
from twolevel.text.methods import Method

# The relative variance of a row from which on M is inverted by its eigenvalues.
_LARGE = 1e4
# Numbers in the largest array of a block of data sets: a few megabytes.
_BLOCK = 200_000


def _none() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the criterion is made of, at psi (S, B).

    rss (B,) is R and logs (B,) is sum_i log|M_i|, with log|A_xx| under REML; beta (p, B),
    unscaled_cov (p, p, B) is A_xx^-1. Derivatives with respect to psi: rss_slopes and log_slopes
    (S, B), rss_curvature and log_curvature (S, S, B), xx_slopes (S, p, p, B) of A_xx; empty where
    they were not asked for.
    """

    rss: np.ndarray
    logs: np.ndarray
    beta: np.ndarray
    unscaled_cov: np.ndarray
    rss_slopes: np.ndarray = field(default_factory=_none)
    log_slopes: np.ndarray = field(default_factory=_none)
    rss_curvature: np.ndarray = field(default_factory=_none)
    log_curvature: np.ndarray = field(default_factory=_none)
    xx_slopes: np.ndarray = field(default_factory=_none)


@dataclass(frozen=True, eq=False)
class EffectSolution:
    """Generalised least squares at one theta: see `likelihood.Solution`.

    theta (S,) are the entries of Lambda for the effects as the formula has them, and own (S,) those
    for the working columns.
    """

    theta: np.ndarray
    own: np.ndarray
    deviance: float
    evaluation: Evaluation

    @property
    def beta(self) -> np.ndarray:
        """The coefficients (p,)."""
        return self.evaluation.beta[:, 0]

    @property
    def unscaled_cov(self) -> np.ndarray:
        """A_xx^-1 (p, p)."""
        return self.evaluation.unscaled_cov[:, :, 0]

    @property
    def rss(self) -> float:
        """R."""
        return float(self.evaluation.rss[0])


@dataclass(frozen=True, eq=False)
class Contracted:
    """The sums over subjects at psi (S, B), which the criterion is made of, and their derivatives.

    logs (k, B) are of sum_i log|M_i|; xx (k, p, p, B), xy (k, p, B) and yy (k, B) those of <N>, xx
    with 1 for B where all data sets have the same. k counts the value, and with derivatives the
    first ones (S) and the second ones for the pairs s <= t of `pairs(S)`.
    """

    logs: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    def less(self, other: Contracted) -> Contracted:
        """What is left without the subjects of `other`."""
        return Contracted(
            self.logs - other.logs, self.xx - other.xx, self.xy - other.xy, self.yy - other.yy
        )


def evaluate(
    sums: Sums,
    C: np.ndarray,
    psi: np.ndarray,
    method: Method,
    derivatives: bool = True,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
) -> Evaluation:
    """Evaluate at psi (S, B) for as many data sets, or for one data set at B values.

    C (S, r, r, G) are the directions of `relative_covariance`, or (S, r, r, G, B) where each data
    set has its own. `fixed` is a row c (p,) and values b (B,): the coefficients are then held to
    c beta = b, which only makes sense under ML.
    """
    return solved(contracted(sums, C, psi, derivatives), sums.within, method, fixed)


def contracted(sums: OverSubjects, C: np.ndarray, psi: np.ndarray, derivatives: bool) -> Contracted:
    """The sums over subjects at psi: see `evaluate`."""
    if (psi == psi[:, :1]).all():  # as where a search begins
        psi = psi[:, :1]
    N, log_det = inverse_and_log_det(C, psi, careful=derivatives)
    weights, logs = [packed(N)[None]], [log_det[None]]
    if derivatives:
        ahead = np.einsum("ijgb,sjkgb->sikgb", N, _per_set(C))  # N C_s
        each = np.einsum("sijgb,jkgb->sikgb", ahead, N)
        weights += [-packed(each)]
        logs += [np.einsum("siigb->sgb", ahead)]
        for s in range(len(C)):  # and every t >= s
            both = np.einsum("ijgb,tjkgb->tikgb", ahead[s], each[s:])
            weights += [_packed_both(both)]
            logs += [-np.einsum("ijgb,tjigb->tgb", ahead[s], ahead[s:])]
    return Contracted(
        sums.over_subjects(np.concatenate(logs)), *sums.contracted(np.concatenate(weights))
    )


def solved(
    parts: Contracted,
    within: Three,
    method: Method,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
) -> Evaluation:
    """Generalised least squares by the sums over subjects and W: see `evaluate`."""
    xx, xy, yy = parts.xx, parts.xy, parts.yy
    for total, own in zip((xx, xy, yy), within, strict=True):
        total[0] += own
    p = len(xy[0])
    swept, pivots = sweep(xx[0], p)
    unscaled_cov = -swept
    beta = np.einsum("ijb,jb->ib", unscaled_cov, xy[0])
    rss = yy[0] - np.einsum("ib,ib->b", beta, xy[0])
    if fixed is not None:
        c, b = fixed
        along = np.einsum("ijb,j->ib", unscaled_cov, c)
        length = c @ along
        off = c @ beta - b
        beta = beta - along * (off / length)
        rss = rss + off**2 / length
        unscaled_cov = unscaled_cov - along[:, None] * along / length
    logs = parts.logs[0]
    if method == "REML":
        logs = logs + np.log(pivots).sum(axis=0)
    if len(parts.logs) == 1:
        return Evaluation(rss, logs, beta, unscaled_cov)
    S = (math.isqrt(1 + 8 * len(parts.logs)) - 3) // 2  # of 1 + S + S (S + 1) / 2
    log_slopes, log_curvature = parts.logs[1 : S + 1], _symmetric(parts.logs[S + 1 :], S)
    # With v = (-beta, 1): A_s v by the rows of x, and v' A_s v.
    slopes = xy - np.einsum("kijb,jb->kib", xx, beta)
    quadratic = yy - np.einsum("kib,ib->kb", xy + slopes, beta)
    first, xx_slopes = slopes[1 : S + 1], xx[1 : S + 1]
    pushed = np.einsum("ijb,kjb->kib", unscaled_cov, first)
    turned = 2 * np.einsum("sib,tib->stb", first, pushed)
    rss_curvature = _symmetric(quadratic[S + 1 :], S) - turned
    if method == "REML":
        spread = np.einsum("ijb,kjlb->kilb", unscaled_cov, xx_slopes)
        log_slopes = log_slopes + np.einsum("kiib->kb", spread)
        turned = np.einsum("sijb,tjib->stb", spread, spread)
        curved = np.einsum("ijb,kjib->kb", unscaled_cov, xx[S + 1 :])
        log_curvature = log_curvature + _symmetric(curved, S) - turned
    return Evaluation(
        rss,
        logs,
        beta,
        unscaled_cov,
        quadratic[1 : S + 1],
        log_slopes,
        rss_curvature,
        log_curvature,
        xx_slopes,
    )


def relative_variance(C: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """M (r, r, G, ...) = I + sum_s psi_s C_s, at psi (S, ...)."""
    S, r, _, G = C.shape[:4]
    if C.ndim > 4:
        M = (C * psi[:, None, None, None]).sum(axis=0)
    else:
        M = (C.reshape(S, -1).T @ psi).reshape(r, r, G, *psi.shape[1:])
    M[np.arange(r), np.arange(r)] += 1.0
    return M


def inverse_and_log_det(
    C: np.ndarray, psi: np.ndarray, careful: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """M^-1 (r, r, G, B) and log|M| (G, B) of M = I + sum_s psi_s C_s.

    Where variances are much larger than sigma_w^2, elimination loses the directions of M^-1 that
    are small beside others, and with them derivatives: eigenvalues, which are at least 1, do not.
    """
    _, r, _, G = C.shape[:4]
    M = relative_variance(C, psi).reshape(r, r, -1)
    if careful and M.max() > _LARGE:
        values, axes = np.linalg.eigh(np.moveaxis(M, -1, 0))
        values = np.maximum(values, 1.0)
        inverse = np.einsum("bik,bk,bjk->ijb", axes, 1 / values, axes)
        return inverse.reshape(r, r, G, -1), np.log(values).sum(axis=1).reshape(G, -1)
    swept, pivots = sweep(M, r)
    log_det = np.log(pivots).sum(axis=0).reshape(G, -1)
    return -swept.reshape(r, r, G, -1), log_det


def of_sets(C: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The directions of some (b,) of the data sets, which may all have the same."""
    return C if C.ndim == 4 or C.shape[4] == len(which) else C[..., which]


def variance_sums(sums: Sums, C: np.ndarray, psi: np.ndarray) -> VarianceSums:
    """The sums for psi sigma_w^2 and sigma_w^2 at psi (S, B), each data set's along the last axis.

    The weights of the outer products are N G_r N and N G_r N G_s N, with I as the last G.
    """
    N, _ = inverse_and_log_det(C, psi)
    S, W = len(C), sums.within[0]
    every = range(S + 1)
    itself = np.broadcast_to(np.eye(len(N))[:, :, None, None], N.shape)
    ahead = [product(N, c) for c in _per_set(C)] + [product(N, itself)]
    each = [product(k, N) for k in ahead]
    first = sums.contracted(packed(np.stack(each)))[0]
    weights = [0.5 * _packed_both(product(ahead[r], each[s])) for r in every for s in every]
    second = sums.contracted(np.stack(weights))[0]
    second = second.reshape(S + 1, S + 1, *first.shape[1:])
    first[S] += W
    second[S, S] += W
    own = np.array([[np.einsum("ijgb,jigb->gb", k, other) for other in ahead] for k in ahead])
    traces = sums.over_subjects(own)
    # Directions outside the span of Z_i, where M is the identity.
    traces[S, S] += sums.nobs - sums.over_subjects(np.full((C.shape[3], 1), float(len(N))))
    return VarianceSums(first, second, traces)


def blocks_of(size: int, C: np.ndarray) -> list[int]:
    """Sizes of blocks of so many data sets, whose arrays stay small in the directions C."""
    S, P, G = len(C), len(pairs(C.shape[1])[0]), C.shape[-1]
    numbers = P * G * (1 + S + S * (S + 1) // 2)
    n_blocks = -(-size // max(1, _BLOCK // numbers))
    return [len(part) for part in np.array_split(np.empty(size), n_blocks)]


def _per_set(C: np.ndarray) -> np.ndarray:
    """C (S, r, r, G, 1 or B), to go with the axis of data sets."""
    return C[..., None] if C.ndim == 4 else C


def _symmetric(values: np.ndarray, S: int) -> np.ndarray:
    """Matrices (S, S, B) of values (k, B) at the k pairs s <= t."""
    rows, columns = pairs(S)
    matrix = np.empty((S, S, values.shape[1]))
    matrix[rows, columns] = matrix[columns, rows] = values
    return matrix


def packed(matrix: np.ndarray) -> np.ndarray:
    """Symmetric matrices (..., r, r, G, B) at their pairs (..., P, G, B)."""
    rows, columns = pairs(matrix.shape[-3])
    return matrix[..., rows, columns, :, :]


def _packed_both(matrix: np.ndarray) -> np.ndarray:
    """The sums of matrices (..., r, r, G, B) and their transposes at the pairs (..., P, G, B)."""
    rows, columns = pairs(matrix.shape[-3])
    return matrix[..., rows, columns, :, :] + matrix[..., columns, rows, :, :]
