"""Do errors that follow one another explain the data better than slopes of subjects' own?

Two models with the same fixed effects and a random intercept, fitted by REML: errors whose
correlation falls with the distance of their places, rho^|x - x'| (as nlme's corCAR1), and a random
slope correlated with the intercept, with independent errors (as lme4's (1 + x | id)). Both have the
same restricted likelihood's constants, so that their AIC may be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from twolevel.levels.checks.serial_correlation import series
from twolevel.mixed import MixedFit

_MOST_ROWS = 20_000
_LONGEST = 200  # rows of a subject: the work for one grows with the cube


@dataclass(frozen=True, eq=False)
class Following:
    """rho is the correlation of errors one step apart, a step being the median distance.

    aic_less is the AIC of the model with such errors less that of the model with slopes.
    """

    rho: float
    aic_less: float


def following(fit: MixedFit, condition: str | None) -> Following | None:
    """Fit both models to a fit's data. None where nothing orders the rows, or they are too many."""
    rows = series(fit.design, condition)
    if rows is None or rows.longest < 3 or rows.longest > _LONGEST or fit.nobs > _MOST_ROWS:
        return None
    cells, y, _ = fit.design.working_columns()
    Z = np.column_stack([cells.spread(cells.X), y])[rows.order]  # (N, p + 1)
    steps = np.diff(rows.place)[np.diff(np.repeat(rows.starts, rows.lengths)) == 0]
    place = (rows.place - rows.place.mean()) / np.median(steps)
    blocks: dict[tuple, list[np.ndarray]] = {}
    for start, length in zip(rows.starts, rows.lengths, strict=True):
        own = slice(start, start + length)
        blocks.setdefault(tuple(place[own]), []).append(Z[own])
    stacked = [(np.array(x), np.stack(own, axis=1)) for x, own in blocks.items()]

    def errors(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        rho = 1 / (1 + np.exp(-theta[1]))
        return rho ** np.abs(x[:, None] - x) + theta[0] ** 2

    def slopes(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        intercept, slope = theta[0] + theta[1] * x, theta[2] * x
        return np.eye(len(x)) + np.outer(intercept, intercept) + np.outer(slope, slope)

    root = fit.theta[0]
    spread = np.std(place)
    by_errors = _least(errors, [(root, t) for t in (-3.0, -1.0, 1.0, 3.0)], stacked)
    starts = [(root, b / spread, c / spread) for b in (-0.3, 0.3) for c in (0.1, 1.0)]
    by_slopes = _least(slopes, starts, stacked)
    return Following(
        rho=float(1 / (1 + np.exp(-by_errors.x[1]))),
        aic_less=float(by_errors.fun + 2 * 2 - by_slopes.fun - 2 * 3),
    )


def _least(
    covariance: Callable[[np.ndarray, np.ndarray], np.ndarray],
    starts: Sequence[tuple[float, ...]],
    blocks: list[tuple[np.ndarray, np.ndarray]],
) -> OptimizeResult:
    """The least restricted deviance over the parameters of a covariance, from several starts.

    Each of `blocks` has the places (k,) that some subjects share, and their [X y] (k, s, p + 1).
    """

    def deviance(theta: np.ndarray) -> float:
        p = blocks[0][1].shape[2] - 1
        A, log_det, N = np.zeros((p + 1, p + 1)), 0.0, 0
        for x, Z in blocks:
            try:
                factor = np.linalg.cholesky(covariance(theta, x))
            except np.linalg.LinAlgError:  # correlations of 1, up to rounding
                return np.inf
            white = np.linalg.solve(factor, Z.reshape(len(x), -1)).reshape(Z.shape)
            A = A + np.einsum("ksa,ksb->ab", white, white)
            log_det += 2 * Z.shape[1] * np.log(np.diag(factor)).sum()
            N += Z.shape[0] * Z.shape[1]
        left = A[p, p] - A[p, :p] @ np.linalg.solve(A[:p, :p], A[:p, p])
        return float((N - p) * np.log(left) + log_det + np.linalg.slogdet(A[:p, :p])[1])

    found = [
        minimize(deviance, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-4})
        for start in starts
    ]
    return min(found, key=lambda one: one.fun)
