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
from typing import Literal

import numpy as np

from twolevel.errors import InputError
from twolevel.moments import Moments

Method = Literal["REML", "ML"]

# log(lambda) at which the criterion is first looked at: from a sigma_b of 4e-6 sigma_w, which no
# data could tell from 0, to one of 3e6 sigma_w. Unbalanced data can have two local maxima, so the
# grid comes first and Newton's method only polishes.
_GRID = np.arange(-25.0, 30.25, 0.5)


@dataclass(frozen=True, eq=False)
class Profile:
    """The criterion at one lambda: the deviance d, its derivatives, and the least-squares fit.

    beta (p,) are the coefficients at this lambda, unscaled_cov (p, p) is A_xx^-1, rss is R, all in
    the coordinates of the moments; slope and curvature are d' and d'' with respect to lambda.
    """

    lambda_: float
    deviance: float
    slope: float
    curvature: float
    beta: np.ndarray
    unscaled_cov: np.ndarray
    rss: float


def degrees_of_freedom(moments: Moments, method: Method) -> int:
    """The divisor of the residual sum of squares: N - p under REML, N under ML."""
    return moments.nobs - (moments.n_coefficients if method == "REML" else 0)


def profile(moments: Moments, lambda_: float, method: Method) -> Profile:
    """Evaluate the profiled criterion and its two derivatives at one lambda >= 0.

    By the envelope theorem R' = v' A' v with v = (-beta, 1), and
    R'' = v' A'' v - 2 (A' v)_x' A_xx^-1 (A' v)_x; the derivatives of log|A_xx| are the usual
    traces.
    """
    n, m, p = moments.sizes, moments.counts, moments.n_coefficients
    weight = n / (1 + n * lambda_)  # (g,)
    A = moments.within + np.tensordot(weight, moments.between, 1)  # (g,) . (g, q, q) -> (q, q)
    A1 = -np.tensordot(weight**2, moments.between, 1)
    A2 = 2 * np.tensordot(weight**3, moments.between, 1)

    root = np.linalg.inv(np.linalg.cholesky(A[:p, :p]))
    inverse = root.T @ root
    beta = inverse @ A[:p, p]
    v = np.append(-beta, 1.0)
    rss = float(v @ A @ v)
    f = degrees_of_freedom(moments, method)
    score = (A1 @ v)[:p]
    rss1 = float(v @ A1 @ v)
    rss2 = float(v @ A2 @ v - 2 * score @ inverse @ score)

    deviance = f * np.log(2 * np.pi * rss / f) + f + float(m @ np.log1p(n * lambda_))
    slope = f * rss1 / rss + float(m @ weight)
    curvature = f * (rss2 / rss - (rss1 / rss) ** 2) - float(m @ weight**2)
    if method == "REML":
        trace1 = inverse @ A1[:p, :p]
        deviance -= 2 * float(np.log(np.diag(root)).sum())
        slope += float(np.trace(trace1))
        curvature += float(np.trace(inverse @ A2[:p, :p]) - np.sum(trace1 * trace1.T))
    return Profile(lambda_, deviance, slope, curvature, beta, inverse, rss)


def maximise(moments: Moments, method: Method) -> Profile:
    """The profile at the lambda that maximises the likelihood, the boundary 0 included.

    Raises InputError when the likelihood grows without bound in lambda: the subjects' residuals
    are all 0, so that sigma_within is 0.
    """
    at_zero = profile(moments, 0.0, method)
    grid = [profile(moments, float(np.exp(s)), method) for s in _GRID]
    best = min(range(len(grid)), key=lambda k: grid[k].deviance)
    if best == len(grid) - 1:
        raise InputError(
            "the residuals within subjects are all 0, so sigma_within is 0 and the relative "
            "variance has no estimate; expected observations that vary within subjects beyond "
            "the fixed effects; check that the response is not already averaged per subject"
        )
    low = grid[best - 1] if best else at_zero
    interior = _polish(moments, method, low, grid[best + 1])
    # The sign of the derivative at 0 decides; the comparison serves the unbalanced designs whose
    # likelihood has a second maximum away from the boundary.
    if interior is None or (at_zero.slope >= 0 and at_zero.deviance <= interior.deviance):
        return at_zero
    return interior


def _polish(moments: Moments, method: Method, low: Profile, high: Profile) -> Profile | None:
    """Newton's method for d' = 0 in log(lambda), kept inside a shrinking bracket.

    None when d does not fall at the lower end: there is no interior minimum in the bracket.
    """
    if low.slope >= 0:
        return None
    if low.lambda_ == 0:
        low = profile(moments, high.lambda_ * 1e-6, method)
        if low.slope >= 0:
            return None
    a, b = np.log(low.lambda_), np.log(high.lambda_)
    s = 0.5 * (a + b)
    for _ in range(200):
        now = profile(moments, float(np.exp(s)), method)
        a, b = (s, b) if now.slope < 0 else (a, s)
        second = now.lambda_ * now.curvature + now.slope  # d''(log lambda) / lambda
        step = s - now.slope / second if second > 0 else np.inf
        new = step if a < step < b else 0.5 * (a + b)
        if abs(new - s) <= 4e-16 * max(1.0, abs(s)) or not a < new < b:
            return now
        s = new
    return now
