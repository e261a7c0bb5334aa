"""Profile-likelihood intervals of the standard deviations, the ICC and the fixed effects.

A parameter is held at a value while all others are maximised over; with d the ML deviance,

    zeta(value) = sign(value - estimate) sqrt(d(value) - d(estimate))

is compared with the standard normal distribution (Bates, Maechler, Bolker & Walker 2015, sec. 5.1;
lme4's `profile` and `confint`). Its roots are found here, not interpolated.

Each profile is a minimum over lambda alone. With R(lambda) the residual sum of squares and
l(lambda) = sum_i log(1 + n_i lambda) of `likelihood`, the deviance is

    sigma_w fixed at s    N log(2 pi s^2) + l + R / s^2
    sigma_b fixed at s    the same at sigma_w^2 = s^2 / lambda
    icc fixed at r        the profiled criterion at lambda = r / (1 - r)
    c beta fixed at b     the profiled criterion with R + (c beta(lambda) - b)^2 / (c A_xx^-1 c')
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.special import ndtri

from twolevel.design.moments import Coordinates, Moments
from twolevel.model.criterion import Profile, log_det, maximise, on_grid, profile
from twolevel.model.search import GRID, Criterion, minimise

_POINTS = 41  # of a curve
_BEYOND = 1.25  # how far curves reach, as a multiple of the distance to the interval's ends

Deviance = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class _Parameter:
    """One parameter's ML estimate, its deviance at values (B,), its range and a first step.

    Values are in working coordinates; origin + unit times them are the parameter's own.
    """

    estimate: float
    deviance: Deviance
    step: float
    low: float = -np.inf
    high: float = np.inf
    unit: float = 1.0
    origin: float = 0.0


@dataclass(frozen=True, eq=False)
class ProfileLikelihood:
    """The ML profiles of all parameters of a model.

    rows (p, p) make the coefficients called `terms` of those of the design's columns.
    """

    moments: Moments
    coordinates: Coordinates
    rows: np.ndarray
    terms: pd.Index

    @cached_property
    def best(self) -> Profile:
        """The ML fit."""
        return maximise(self.moments, "ML")

    def intervals(
        self, level: float = 0.95, parameters: Collection[str] | None = None
    ) -> pd.DataFrame:
        """estimate (ML), ci_low and ci_high of each parameter, or of some.

        Indexed by sigma_between, sigma_within, icc and the fixed effects' names. Where the
        likelihood does not fall far enough before 0, sigma_between and icc have the lower end 0.
        """
        rows = {
            name: [each.origin + each.unit * end for end in self._interval(each, level)]
            for name, each in self._parameters.items()
            if parameters is None or name in parameters
        }
        columns = ["estimate", "ci_low", "ci_high"]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        return table.rename_axis("parameter")

    def curves(self, intervals: pd.DataFrame) -> pd.DataFrame:
        """zeta of the parameters of `intervals` on evenly spaced values that reach beyond these.

        Columns parameter, value, zeta.
        """
        tables = []
        for name, row in intervals.iterrows():
            each = self._parameters[name]
            below = (row["estimate"] - row["ci_low"]) / each.unit
            above = (row["ci_high"] - row["estimate"]) / each.unit
            low = max(each.low, each.estimate - _BEYOND * below)
            high = min(each.high, each.estimate + _BEYOND * above)
            values = np.linspace(low, high, _POINTS)
            zeta = self._zeta(each, values)
            values = each.origin + each.unit * values
            tables.append(pd.DataFrame({"parameter": name, "value": values, "zeta": zeta}))
        return pd.concat(tables, ignore_index=True)

    def _zeta(self, parameter: _Parameter, values: np.ndarray) -> np.ndarray:
        # At the estimate itself the difference is 0 up to a rounding of either sign.
        rise = np.maximum(parameter.deviance(values) - self.best.deviance, 0.0)
        return np.sign(values - parameter.estimate) * np.sqrt(rise)

    def _interval(self, parameter: _Parameter, level: float) -> tuple[float, float, float]:
        from scipy.optimize import brentq

        cut = float(ndtri(0.5 + level / 2))

        def beyond(value: float, side: int) -> float:
            return side * float(self._zeta(parameter, np.array([value]))[0]) - cut

        def end(side: int, limit: float) -> float:
            estimate, step = parameter.estimate, parameter.step
            if estimate == limit:
                return limit
            while True:  # the deviance grows without bound, or the limit is reached
                value = estimate + side * step
                reached = side * (value - limit) >= 0
                if reached:
                    if beyond(limit, side) <= 0:
                        return limit
                    value = limit
                if reached or beyond(value, side) > 0:
                    tiny = 1e-14 * max(abs(value - estimate), 1e-3 * abs(estimate))
                    return brentq(beyond, estimate, value, args=(side,), xtol=tiny, rtol=1e-15)
                step *= 2

        return parameter.estimate, end(-1, parameter.low), end(1, parameter.high)

    @cached_property
    def _parameters(self) -> dict[str, _Parameter]:
        best, N, unit = self.best, self.moments.nobs, self.coordinates.unit
        sizes = np.abs(self.rows).max(axis=1)
        n_subjects = self.moments.n_subjects
        sigma2 = best.rss / N
        within, between = float(np.sqrt(sigma2)), float(np.sqrt(best.lambda_ * sigma2))
        spread = np.sqrt(between**2 + sigma2 * n_subjects / N)  # of the subjects' means
        rows = self._working_rows
        estimates, origins = rows @ best.beta, self.rows @ self.coordinates.shift
        se = np.sqrt(sigma2 * np.einsum("ij,ij->i", rows @ best.unscaled_cov, rows))
        # First steps are about two standard errors, which is where an end is expected.
        variances = {
            "sigma_between": _Parameter(
                between,
                self._at_sigma_between,
                spread * np.sqrt(2 / n_subjects),
                low=0.0,
                unit=unit,
            ),
            "sigma_within": _Parameter(
                within,
                self._at_sigma_within,
                within * np.sqrt(2 / N),
                low=1e-3 * within,
                unit=unit,
            ),
            "icc": _Parameter(
                float(best.lambda_ / (1 + best.lambda_)),
                lambda icc: profile(self.moments, icc / (1 - icc), "ML").deviance,
                2 / np.sqrt(n_subjects),
                low=0.0,
                high=1 - 1e-12,
            ),
        }
        effects = {
            term: _Parameter(
                float(estimates[k]),
                partial(self._at_coefficient, k),
                2 * float(se[k]),
                unit=unit * float(sizes[k]),
                origin=float(origins[k]),
            )
            for k, term in enumerate(self.terms)
        }
        return variances | effects

    @cached_property
    def _working_rows(self) -> np.ndarray:
        # A row's size, which is a coefficient's own unit, is part of the parameter's unit.
        return (self.rows / np.abs(self.rows).max(axis=1, keepdims=True)) @ self.coordinates.T

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

    def _at_coefficient(self, k: int, value: np.ndarray) -> np.ndarray:
        c, N = self._working_rows[k], self.moments.nobs

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
