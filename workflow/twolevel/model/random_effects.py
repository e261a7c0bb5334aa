"""What is predicted of each subject's random effects, and what that leaves of the residuals.

Best linear unbiased predictions shrink a subject's deviations towards 0; that of a random intercept
alone is

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
    """The predictions for n subjects, in the working unit and of the working columns.

    effect (n, Q) are the predictions of the Q effects of each subject, and deviation (n, Q) what
    they are shrunk from: least squares on the subject's own residuals, of each term alone.
    covariances (K, Q, Q) are the conditional ones, of which subject i has the one at kind[i]. The
    effects fall by gain[kind[i]] columns[pattern[i]] (Q, p) per unit of the coefficients, with
    gain (K, Q, r) and columns (P, r, p).
    """

    deviation: np.ndarray
    effect: np.ndarray
    covariances: np.ndarray
    kind: np.ndarray
    gain: np.ndarray
    columns: np.ndarray
    pattern: np.ndarray

    def covariance(self, which: np.ndarray) -> np.ndarray:
        """The conditional covariance of the effects of some subjects (m, Q, Q)."""
        return self.covariances[self.kind[which]]

    def pull(self, which: np.ndarray) -> np.ndarray:
        """How far the effects of some subjects fall per unit of each coefficient (m, Q, p)."""
        return self.gain[self.kind[which]] @ self.columns[self.pattern[which]]


def random_effects(subjects: SubjectMoments, best: Profile, sigma2: float) -> RandomEffects:
    """Predict the random intercepts at a solution with the estimate sigma2 of sigma_w^2."""
    n, fixed = subjects.sizes, subjects.columns @ best.beta
    deviation = subjects.response - fixed[subjects.pattern]
    precision = 1 + n * best.lambda_
    sigma_between = np.sqrt(best.lambda_) * np.sqrt(sigma2)
    kept = n * best.lambda_ / precision
    return RandomEffects(
        deviation=deviation[:, None],
        effect=(kept[subjects.pattern] * deviation)[:, None],
        covariances=((sigma_between / np.sqrt(precision)) ** 2)[:, None, None],
        kind=subjects.pattern,
        gain=(1 - 1 / precision)[:, None, None],
        columns=subjects.columns[:, None],
        pattern=subjects.pattern,
    )


@dataclass(frozen=True, eq=False)
class Spread:
    """How much values vary: variance (g,), relative to what it is in the model, of a share each.

    weight (g,) is how many values have each variance.
    """

    variance: np.ndarray
    weight: np.ndarray

    @classmethod
    def binned(cls, variance: np.ndarray, weight: np.ndarray) -> Spread:
        """The same where equal variances, up to a hundredth, are one."""
        steps, of = np.unique(
            np.round(100 * np.log(np.maximum(variance, 1e-12))), return_inverse=True
        )
        return cls(np.exp(steps / 100), np.bincount(of, weight))


@dataclass(frozen=True, eq=False)
class Spreads:
    """How much what is predicted varies over subjects.

    residual is that of conditional residuals relative to sigma_w^2, effects those of the Q
    predicted effects relative to their variances.
    """

    residual: Spread
    effects: tuple[Spread, ...]


def spreads(moments: Moments, lambda_: float) -> Spreads:
    """1 - lambda / (1 + n lambda), and n lambda / (1 + n lambda), for subjects with equal n_i."""
    n, counts = moments.sizes, moments.counts
    shrunk = lambda_ / (1 + lambda_ * n)
    return Spreads(Spread(1 - shrunk, n * counts), (Spread(n * shrunk, counts),))


@dataclass(frozen=True, eq=False)
class Smoothed:
    """m responses by generalised least squares: fitted (N, m), effects (n, Q, m) and R (m,)."""

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
    return Smoothed(fitted, effects[:, None], rss)


@dataclass(frozen=True, eq=False)
class RandomVariance:
    """The variance of z_ij' b_i, relative to sigma_w^2, over the N observations.

    mean is its mean over the observations (Johnson 2014, eq. 10); of_sum is the variance of the sum
    over all of them, divided by N.
    """

    mean: float
    of_sum: float

    @property
    def share(self) -> float:
        """The share of the variance of an observation that is random between subjects."""
        return self.mean / (1 + self.mean)

    @property
    def design_effect(self) -> float:
        """By how much clustering multiplies the variance of a plain mean (Kish 1965)."""
        return (1 + self.of_sum) / (1 + self.mean)
