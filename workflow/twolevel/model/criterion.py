"""The likelihood of the random-intercept model as a function of lambda alone, and its maximum.

With lambda = sigma_b^2 / sigma_w^2 and A(lambda) = W + sum_n n / (1 + n lambda) M_n (see
`moments`), partitioned as A_xx, A_xy, A_yy, the profiled criterion is (Bates, Maechler, Bolker &
Walker 2015, eqs. 34 and 41, whose constants are kept)

    d(lambda) = f log(2 pi R / f) + f + sum_i log(1 + n_i lambda) [+ log|A_xx| under REML]

with R = A_yy - A_xy' A_xx^-1 A_xy the penalised residual sum of squares and f = N under ML,
N - p under REML. Minus half of d is the log-likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.design.moments import Moments
from twolevel.model.likelihood import Variances
from twolevel.model.search import GRID, minimise
from twolevel.text.errors import InputError
from twolevel.text.methods import Method

# The lambda above which sigma_w, at 3e-7 of sigma_b, counts as 0. GRID goes further, for profiles.
LARGEST = 1e13
# Values of lambda between which the criterion changes, unless the fixed effects leave no residuals
# within subjects; it then falls to a level and stays there, up to rounding. And by how much.
TAIL = (1e9, 1e11)
RISE = 1e-3
# Coefficients above which an evaluation costs so much that every second one has to do.
_WIDE = 100
# The criterion does not depend on lambda if up to here it changes by less than this, for each
# observation; rounding changes it beyond.
FLAT_UP_TO, FLAT = 1e4, 1e-9


@dataclass(frozen=True, eq=False)
class Profile:
    """The criterion at lambda (...): the deviance d, its derivatives, and the least-squares fit.

    beta (..., p) are the coefficients at this lambda, unscaled_cov (..., p, p) is A_xx^-1, rss is
    R, all in the coordinates of the moments; the slopes and curvatures of d and of R are with
    respect to lambda. Every field has the shape of lambda in front.
    """

    lambda_: np.ndarray
    deviance: np.ndarray
    slope: np.ndarray
    curvature: np.ndarray
    beta: np.ndarray
    unscaled_cov: np.ndarray
    rss: np.ndarray
    rss_slope: np.ndarray
    rss_curvature: np.ndarray

    @property
    def theta(self) -> np.ndarray:
        """Lambda's only entry, sigma_b / sigma_w (1, ...)."""
        return np.sqrt(self.lambda_)[None]


def variances(
    sigma_between: np.ndarray, sigma_within: np.ndarray, lambda_: np.ndarray
) -> Variances:
    """Both standard deviations and the ICC of one fit, or of many."""
    deviations = {"sigma_between": sigma_between, "sigma_within": sigma_within}
    return Variances(deviations, {"icc": lambda_ / (1 + lambda_)})


def degrees_of_freedom(moments: Moments, method: Method) -> int:
    """The divisor of the residual sum of squares: N - p under REML, N under ML."""
    return moments.nobs - (moments.n_coefficients if method == "REML" else 0)


def profile(
    moments: Moments,
    lambda_: float | np.ndarray,
    method: Method,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
) -> Profile:
    """Evaluate the profiled criterion and its two derivatives at each lambda >= 0.

    `fixed` is a row c (p,) and values b (...): the coefficients are then held to c beta = b, which
    only makes sense under ML.
    """
    lambda_ = np.asarray(lambda_, dtype=float)
    weight = weights(moments.sizes, lambda_[..., None])  # (..., g)
    powers = np.array([weight, -(weight**2), 2 * weight**3])
    A, A1, A2 = weighted_sum(powers, moments.between)
    f = degrees_of_freedom(moments, method)
    sums = (moments.within + A, A1, A2)
    return profile_of_sums(lambda_, sums, log_det(moments, lambda_), f, method, fixed)


def weights(n: np.ndarray, lambda_: float | np.ndarray) -> np.ndarray:
    """n / (1 + n lambda), the weights in A(lambda) of means of n observations; both broadcast."""
    return n / (1 + n * lambda_)


def weighted_sum(weight: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """sum_g w_g M_g (..., q, q), for weights (..., g) and matrices (g, q, q)."""
    # As numpy's tensordot, which takes longer to look at small arrays than to multiply them.
    g, q = len(matrices), matrices.shape[-1]
    product = weight.reshape(-1, g) @ matrices.reshape(g, q * q)
    return product.reshape(*weight.shape[:-1], q, q)


def log_det(moments: Moments, lambda_: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """sum_i log(1 + n_i lambda) and its two derivatives, for lambda (...)."""
    n, m = moments.sizes, moments.counts
    times = n * lambda_[..., None]
    weight = n / (1 + times)
    return np.log1p(times) @ m, weight @ m, -(weight**2) @ m


def profile_of_sums(
    lambda_: np.ndarray,
    sums: tuple[np.ndarray, np.ndarray, np.ndarray],
    log_dets: tuple[np.ndarray, np.ndarray, np.ndarray],
    f: np.ndarray | int,
    method: Method,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
) -> Profile:
    """The profiled criterion from A (..., q, q), sum_i log(1 + n_i lambda), and their derivatives.

    By the envelope theorem R' = v' A' v with v = (-beta, 1), and
    R'' = v' A'' v - 2 (A' v)_x' A_xx^-1 (A' v)_x; the derivatives of log|A_xx| are the usual
    traces. Under c beta = b the inverse loses the direction A_xx^-1 c, and all else stays.
    """
    A, A1, A2 = sums
    p = A.shape[-1] - 1
    root, beta, rss = least_squares(A)
    inverse = root.mT @ root
    if fixed is not None:
        c, b = fixed
        along = inverse @ c  # (..., p)
        length = along @ c
        beta = beta - along * ((beta @ c - b) / length)[..., None]
        inverse = inverse - along[..., :, None] * along[..., None, :] / length[..., None, None]
        rss = _quadratic(_contrast(beta), A)
    v = _contrast(beta)
    score = np.einsum("...ij,...j->...i", A1, v)[..., :p]
    rss1 = _quadratic(v, A1)
    rss2 = _quadratic(v, A2) - 2 * _quadratic(score, inverse)

    deviance = _deviance(rss, f, log_dets[0])
    slope = f * rss1 / rss + log_dets[1]
    curvature = f * (rss2 / rss - (rss1 / rss) ** 2) + log_dets[2]
    if method == "REML":
        trace1 = inverse @ A1[..., :p, :p]
        deviance = deviance + _log_det_xx(root)
        slope = slope + trace1.trace(axis1=-2, axis2=-1)
        curvature = curvature + np.einsum("...ij,...ji->...", inverse, A2[..., :p, :p])
        curvature = curvature - np.einsum("...ij,...ji->...", trace1, trace1)
    return Profile(lambda_, deviance, slope, curvature, beta, inverse, rss, rss1, rss2)


def deviance_of_sums(
    A: np.ndarray, log_det: np.ndarray, f: np.ndarray | int, method: Method
) -> tuple[np.ndarray, np.ndarray]:
    """The deviance and R alone, as in `profile_of_sums`, at a fraction of its cost.

    The Cholesky factor of A has that of A_xx and, in its last corner, the root of R.
    """
    p = A.shape[-1] - 1
    try:
        diagonal = np.linalg.cholesky(A).diagonal(0, -2, -1)
    except np.linalg.LinAlgError:  # somewhere R is nothing but the rounding of A_yy
        root, _, rss = least_squares(A)
        rss = np.maximum(rss, np.finfo(float).eps ** 2 * A[..., p, p])
        log_det_xx = _log_det_xx(root)
    else:
        rss = diagonal[..., p] ** 2
        log_det_xx = 2 * np.log(diagonal[..., :p]).sum(axis=-1)
    deviance = _deviance(rss, f, log_det)
    return (deviance + log_det_xx if method == "REML" else deviance), rss


def least_squares(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The inverse (..., p, p) of the Cholesky factor of A_xx, beta (..., p) and R (...)."""
    p = A.shape[-1] - 1
    root = np.linalg.inv(np.linalg.cholesky(A[..., :p, :p]))
    explained = np.einsum("...ij,...j->...i", root, A[..., :p, p])
    beta = np.einsum("...ji,...j->...i", root, explained)
    return root, beta, _quadratic(_contrast(beta), A)


def _contrast(beta: np.ndarray) -> np.ndarray:
    """(-beta, 1), which takes z = [x | y] to the residual."""
    return np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)


def _log_det_xx(root: np.ndarray) -> np.ndarray:
    """log|A_xx| from the inverse of its Cholesky factor."""
    return -2 * np.log(root.diagonal(0, -2, -1)).sum(axis=-1)


def _deviance(rss: np.ndarray, f: np.ndarray | int, log_det: np.ndarray) -> np.ndarray:
    """The criterion without the term that REML adds."""
    return f * np.log(2 * np.pi * rss / f) + f + log_det


def maximise(moments: Moments, method: Method) -> Profile:
    """The profile at the lambda that maximises the likelihood, the boundary 0 included.

    Raises InputError when the likelihood grows without bound in lambda: the subjects' residuals
    are all 0, so that sigma_within is 0; and when it does not depend on lambda at all.
    """

    def criterion(lambda_: np.ndarray, _: np.ndarray) -> tuple:
        now = profile(moments, lambda_, method)
        return now.deviance, now.slope, now.curvature

    # A sum of functions of log(lambda) that take some four units to rise has no two minima closer
    # to each other than one.
    grid = GRID[GRID < LARGEST][:: 2 if moments.n_coefficients > _WIDE else 1]
    found = deviances(moments, np.concatenate([TAIL, grid]), method)
    tail, start = found[: len(TAIL)], found[len(TAIL) :]
    level = abs(tail[1] - tail[0]) < RISE
    if level:
        grid, start = grid[grid < TAIL[0]], start[grid < TAIL[0]]
    if np.ptp(start[grid <= FLAT_UP_TO]) <= FLAT * moments.nobs:
        raise InputError(
            "the fixed effects leave no differences between subjects, so sigma_between cannot be "
            "told apart from them; expected fewer terms that differ between subjects than there "
            "are subjects; remove terms from the formula"
        )
    (lambda_,) = minimise(criterion, start[:, None], grid)
    best = profile(moments, min(lambda_, LARGEST), method)
    if lambda_ > LARGEST or (level and tail[0] - best.deviance < RISE):
        raise InputError(
            "the residuals within subjects are all 0, so sigma_within is 0 and the relative "
            "variance has no estimate; expected observations that vary within subjects beyond "
            "the fixed effects; check that the response is not already averaged per subject"
        )
    return best


def deviances(moments: Moments, lambda_: np.ndarray, method: Method) -> np.ndarray:
    """The criterion alone at lambda (K,)."""
    # A few at a time, so that many columns do not fill the memory.
    parts = np.array_split(lambda_, 1 + len(lambda_) * moments.within.size // 1_000_000)
    f, found = degrees_of_freedom(moments, method), []
    for part in parts:
        weight = weights(moments.sizes, part[:, None])
        A = moments.within + weighted_sum(weight, moments.between)
        found.append(deviance_of_sums(A, log_det(moments, part)[0], f, method)[0])
    return np.concatenate(found)


def on_grid(moments: Moments, method: Method, grid: np.ndarray = GRID) -> Profile:
    """The profile at every lambda of a grid."""
    # A few at a time, so that many columns do not fill the memory.
    parts = np.array_split(grid, 1 + len(grid) * moments.within.size // 1_000_000)
    found = [vars(profile(moments, part, method)) for part in parts]
    return Profile(**{key: np.concatenate([part[key] for part in found]) for key in found[0]})


def _quadratic(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.einsum("...i,...ij,...j->...", rows, matrix, rows)
