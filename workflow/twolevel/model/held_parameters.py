"""The ML deviance of the random-intercept model with one parameter held at a value.

All other parameters are at their best, which is a minimum over lambda alone. With R(lambda) the
residual sum of squares and l(lambda) = sum_i log(1 + n_i lambda) of `criterion`, the deviance is

    sigma_w fixed at s    N log(2 pi s^2) + l + R / s^2
    sigma_b fixed at s    the same at sigma_w^2 = s^2 / lambda
    icc fixed at r        the profiled criterion at lambda = r / (1 - r)
    c beta fixed at b     the profiled criterion with R + (c beta(lambda) - b)^2 / (c A_xx^-1 c')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from twolevel.design.moments import Moments
from twolevel.model.criterion import Profile, log_det, maximise, on_grid, profile
from twolevel.model.search import GRID, Criterion, minimise


@dataclass(frozen=True, eq=False)
class HeldParameter:
    """One parameter's ML estimate, its deviance at values (B,), a first step and its range.

    A step is about two standard errors. With `scales`, values are in the working unit.
    """

    estimate: float
    deviance: Callable[[np.ndarray], np.ndarray]
    step: float
    low: float = -np.inf
    high: float = np.inf
    scales: bool = True


@dataclass(frozen=True, eq=False)
class HeldParameters:
    """All parameters of a random-intercept model that can be held at a value."""

    moments: Moments

    @cached_property
    def best(self) -> Profile:
        """The ML fit."""
        return maximise(self.moments, "ML")

    @property
    def variances(self) -> dict[str, HeldParameter]:
        """sigma_between, sigma_within and icc."""
        best, N, n_subjects = self.best, self.moments.nobs, self.moments.n_subjects
        sigma2 = best.rss / N
        within, between = float(np.sqrt(sigma2)), float(np.sqrt(best.lambda_ * sigma2))
        spread = np.sqrt(between**2 + sigma2 * n_subjects / N)  # of the subjects' means
        return {
            "sigma_between": HeldParameter(
                between, self._at_sigma_between, spread * np.sqrt(2 / n_subjects), low=0.0
            ),
            "sigma_within": HeldParameter(
                within, self._at_sigma_within, within * np.sqrt(2 / N), low=1e-3 * within
            ),
            "icc": HeldParameter(
                float(best.lambda_ / (1 + best.lambda_)),
                lambda icc: profile(self.moments, icc / (1 - icc), "ML").deviance,
                2 / np.sqrt(n_subjects),
                low=0.0,
                high=1 - 1e-12,
                scales=False,
            ),
        }

    def coefficients(self, rows: np.ndarray) -> list[HeldParameter]:
        """Combinations rows (m, p) of the working coefficients."""
        best = self.best
        sigma2 = best.rss / self.moments.nobs
        estimates = rows @ best.beta
        se = np.sqrt(sigma2 * np.einsum("ij,ij->i", rows @ best.unscaled_cov, rows))
        return [
            HeldParameter(float(estimate), partial(self._at_coefficient, row), 2 * float(error))
            for row, estimate, error in zip(rows, estimates, se, strict=True)
        ]

    @cached_property
    def _grid(self) -> Profile:
        return on_grid(self.moments, "ML")

    def _at_sigma_within(self, sigma: np.ndarray) -> np.ndarray:
        constant = self.moments.nobs * np.log(2 * np.pi * sigma**2)

        def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
            now, scale = profile(self.moments, lambda_, "ML"), sigma[which] ** 2
            value, slope, curvature = log_det(self.moments, lambda_)
            return (
                value + now.rss / scale,
                slope + now.rss_slope / scale,
                curvature + now.rss_curvature / scale,
            )

        # (K, 1) with (B,) -> (K, B)
        start = log_det(self.moments, GRID)[0][:, None] + self._grid.rss[:, None] / sigma**2
        return constant + _minimum(criterion, start)

    def _at_sigma_between(self, sigma: np.ndarray) -> np.ndarray:
        N = self.moments.nobs
        at_zero = profile(self.moments, np.zeros(len(sigma)), "ML").deviance
        positive = np.flatnonzero(sigma > 0)
        square = sigma[positive] ** 2

        def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
            now = profile(self.moments, lambda_, "ML")
            value, slope, curvature = log_det(self.moments, lambda_)
            ratio = np.maximum(lambda_, 1e-100)  # at 0, sigma_w would be infinite
            return (
                value - N * np.log(ratio) + lambda_ * now.rss / square[which],
                slope - N / ratio + (now.rss + lambda_ * now.rss_slope) / square[which],
                curvature
                + N / ratio**2
                + (2 * now.rss_slope + lambda_ * now.rss_curvature) / square[which],
            )

        start = log_det(self.moments, GRID)[0] - N * np.log(GRID)
        start = start[:, None] + (GRID * self._grid.rss)[:, None] / square
        deviance = np.array(at_zero)
        deviance[positive] = N * np.log(2 * np.pi * square) + _minimum(criterion, start)
        return deviance

    def _at_coefficient(self, c: np.ndarray, value: np.ndarray) -> np.ndarray:
        N = self.moments.nobs

        def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
            now = profile(self.moments, lambda_, "ML", (c, value[which]))
            return now.deviance, now.slope, now.curvature

        free = self._grid
        distance = (free.beta @ c)[:, None] - value  # (K, B)
        rss = free.rss[:, None] + distance**2 / (c @ free.unscaled_cov @ c)[:, None]
        start = N * np.log(2 * np.pi * rss / N) + N + log_det(self.moments, GRID)[0][:, None]
        return _minimum(criterion, start)


def _minimum(criterion: Criterion, start: np.ndarray) -> np.ndarray:
    """The least values (B,) of B criteria, from their values on GRID (K, B)."""
    return criterion(minimise(criterion, start), np.arange(start.shape[1]))[0]
