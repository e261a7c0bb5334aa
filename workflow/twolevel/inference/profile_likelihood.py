"""Profile-likelihood intervals of what varies and of the fixed effects.

A parameter is held at a value while all others are maximised over; with d the ML deviance,

    zeta(value) = sign(value - estimate) sqrt(d(value) - d(estimate))

is compared with the standard normal distribution (Bates, Maechler, Bolker & Walker 2015, sec. 5.1;
lme4's `profile` and `confint`). Its roots are found here, not interpolated.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtri

from twolevel.design.moments import Coordinates
from twolevel.model.held_parameters import HeldParameter
from twolevel.model.likelihood import HeldParameters
from twolevel.text.confidence import LEVEL

_POINTS = 41  # of a curve
_BEYOND = 1.25  # how far curves reach, as a multiple of the distance to the interval's ends


@dataclass(frozen=True, eq=False)
class _Parameter:
    """A parameter that can be held: origin + unit times its values are the parameter's own."""

    held: HeldParameter
    unit: float = 1.0
    origin: float = 0.0


@dataclass(frozen=True, eq=False)
class ProfileLikelihood:
    """The ML profiles of all parameters of a model.

    rows (p, p) make the coefficients called `terms` of those of the design's columns.
    """

    held: HeldParameters
    coordinates: Coordinates
    rows: np.ndarray
    terms: pd.Index

    def intervals(
        self, level: float = LEVEL, parameters: Collection[str] | None = None
    ) -> pd.DataFrame:
        """estimate (ML), ci_low and ci_high of each parameter, or of some.

        Indexed by the names of the standard deviations and ratios, and of the fixed effects. Where
        the likelihood does not fall far enough before the edge of what a parameter can be, that is
        the end. A correlation without an estimate (NaN), as a variance is 0, can be anything.
        """
        rows = {
            name: [each.origin + each.unit * end for end in self._interval(each.held, level)]
            for name, each in self._parameters.items()
            if parameters is None or name in parameters
        }
        columns = ["estimate", "ci_low", "ci_high"]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        return table.rename_axis("parameter")

    def curves(self, intervals: pd.DataFrame) -> pd.DataFrame:
        """zeta of the parameters of `intervals` on evenly spaced values that reach beyond these.

        Columns parameter, value, zeta. There is none of a parameter without an estimate.
        """
        tables = []
        for name, row in intervals.dropna().iterrows():
            each = self._parameters[name]
            below = (row["estimate"] - row["ci_low"]) / each.unit
            above = (row["ci_high"] - row["estimate"]) / each.unit
            held = each.held
            low = max(held.low, held.estimate - _BEYOND * below)
            high = min(held.high, held.estimate + _BEYOND * above)
            values = np.linspace(low, high, _POINTS)
            zeta = self._zeta(held, values)
            values = each.origin + each.unit * values
            tables.append(pd.DataFrame({"parameter": name, "value": values, "zeta": zeta}))
        return pd.concat(tables, ignore_index=True)

    def _zeta(self, parameter: HeldParameter, values: np.ndarray) -> np.ndarray:
        # At the estimate itself the difference is 0 up to a rounding of either sign.
        rise = np.maximum(parameter.deviance(values) - self.held.best.deviance, 0.0)
        return np.sign(values - parameter.estimate) * np.sqrt(rise)

    def _interval(self, parameter: HeldParameter, level: float) -> tuple[float, float, float]:
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

        if np.isnan(parameter.estimate):
            return parameter.estimate, parameter.low, parameter.high
        return parameter.estimate, end(-1, parameter.low), end(1, parameter.high)

    @cached_property
    def _parameters(self) -> dict[str, _Parameter]:
        unit, T = self.coordinates.unit, self.coordinates.T
        # A row's size, which is a coefficient's own unit, is part of the parameter's unit.
        sizes = np.abs(self.rows).max(axis=1)
        effects = self.held.coefficients((self.rows / sizes[:, None]) @ T)
        origins = self.rows @ self.coordinates.shift
        return {
            name: _Parameter(held, unit if held.scales else 1.0)
            for name, held in self.held.variances.items()
        } | {
            term: _Parameter(held, unit * float(size), float(origin))
            for term, held, size, origin in zip(self.terms, effects, sizes, origins, strict=True)
        }
