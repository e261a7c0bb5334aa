"""What is predicted of each subject's random intercept, and what that leaves of the residuals.

The best linear unbiased prediction of S_i shrinks a subject's deviation towards 0,

    S_i = n_i lambda / (1 + n_i lambda) (ybar_i - xbar_i' beta),

with the conditional standard deviation sigma_b / sqrt(1 + n_i lambda) (Robinson 1991; lme4's
condVar).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.design.moments import Moments, SubjectMoments
from twolevel.model.criterion import Profile


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """The predictions for n subjects, in the working unit.

    deviation (n,) is ybar_i - xbar_i' beta, effect (n,) the prediction of S_i, se (n,) its
    conditional standard deviation; shrinkage (n,) is by what share of it the deviation is kept.
    """

    subjects: SubjectMoments
    deviation: np.ndarray
    effect: np.ndarray
    se: np.ndarray
    shrinkage: np.ndarray

    def pull(self, which: np.ndarray) -> np.ndarray:
        """How far the effects of some subjects (m,) fall per unit of each coefficient (m, p)."""
        columns = self.subjects.columns[self.subjects.pattern[which]]
        return self.shrinkage[which, None] * columns


def random_effects(subjects: SubjectMoments, best: Profile, sigma2: float) -> RandomEffects:
    """Predict the random intercepts at a solution with the estimate sigma2 of sigma_w^2."""
    n, fixed = subjects.counts, subjects.columns @ best.beta
    deviation = subjects.response - fixed[subjects.pattern]
    precision = 1 + n * best.lambda_
    sigma_between = np.sqrt(best.lambda_) * np.sqrt(sigma2)
    return RandomEffects(
        subjects,
        deviation=deviation,
        effect=n * best.lambda_ / precision * deviation,
        se=sigma_between / np.sqrt(precision),
        shrinkage=1 - 1 / precision,
    )


@dataclass(frozen=True, eq=False)
class Spreads:
    """How much what is predicted varies, for subjects with equal n_i.

    sizes (g,) are their numbers of rows and counts (g,) how many subjects these are; residual (g,)
    is the variance of a conditional residual relative to sigma_w^2, effect (g,) that of a predicted
    S_i relative to sigma_b^2.
    """

    sizes: np.ndarray
    counts: np.ndarray
    residual: np.ndarray
    effect: np.ndarray


def spreads(moments: Moments, lambda_: float) -> Spreads:
    """1 - lambda / (1 + n lambda), and n lambda / (1 + n lambda)."""
    n = moments.sizes
    shrunk = lambda_ / (1 + lambda_ * n)
    return Spreads(n, moments.counts, 1 - shrunk, n * shrunk)


@dataclass(frozen=True, eq=False)
class Smoothed:
    """m responses by generalised least squares: fitted (N, m), effects (n, m) and R (m,)."""

    fitted: np.ndarray
    effects: np.ndarray
    rss: np.ndarray


def smoothed(X: np.ndarray, y: np.ndarray, codes: np.ndarray, lambda_: float) -> Smoothed:
    """Fit m responses y (N, m) to X (N, p) at one lambda; codes (N,) are the rows' subjects.

    With M^-1 = I - lambda / (1 + n lambda) 11' for each subject.
    """
    order, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
    starts = np.cumsum(counts) - counts

    def means(rows: np.ndarray) -> np.ndarray:
        return np.add.reduceat(rows[order], starts) / counts[:, None]

    xbar, ybar = means(X), means(y)
    weight = (lambda_ * counts**2 / (1 + counts * lambda_))[:, None]
    gamma = np.linalg.solve(X.T @ X - (weight * xbar).T @ xbar, X.T @ y - (weight * xbar).T @ ybar)
    effects = (counts * lambda_ / (1 + counts * lambda_))[:, None] * (ybar - xbar @ gamma)
    fitted = X @ gamma + effects[codes]
    rss = ((y - fitted) ** 2).sum(axis=0)
    if lambda_ > 0:
        rss += (effects**2).sum(axis=0) / lambda_
    return Smoothed(fitted, effects, rss)
