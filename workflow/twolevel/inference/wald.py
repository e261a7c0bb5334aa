"""Wald tests of fixed effects, with the reference distribution that one asks for.

"kenward-roger" adjusts the covariance and takes an F with estimated denominator degrees of freedom,
"satterthwaite" estimates only the degrees of freedom, "asymptotic" takes them as infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, get_args

import numpy as np
import pandas as pd

from twolevel.design.moments import Coordinates
from twolevel.inference.kenward_roger import KenwardRoger, kenward_roger
from twolevel.inference.satterthwaite import Satterthwaite, satterthwaite
from twolevel.model.likelihood import Found, Likelihood
from twolevel.model.random_effects import RandomEffects
from twolevel.numeric.tails import f_upper, t_quantile, t_two_sided
from twolevel.text.confidence import LEVEL
from twolevel.text.errors import one_of
from twolevel.text.methods import Df


@dataclass(frozen=True, eq=False)
class Estimates(Generic[Found]):
    """Coefficients beta (p,) of a design's columns, with all that their tests depend on."""

    params: np.ndarray
    coordinates: Coordinates
    likelihood: Likelihood[Found]
    best: Found

    @property
    def T(self) -> np.ndarray:
        """What turns rows L of hypotheses on beta into rows L T on gamma (p, p)."""
        return self.coordinates.T

    @property
    def unit(self) -> float:
        """What one is in the moments, in the response's unit."""
        return self.coordinates.unit

    @property
    def sigma2(self) -> float:
        """sigma_w^2 in squares of the unit."""
        return float(self.best.rss / self.likelihood.degrees_of_freedom)

    @property
    def gram(self) -> np.ndarray:
        """The cross-products (p, p) of the design's columns over all rows."""
        p, back = len(self.params), np.linalg.inv(self.T)
        return back.T @ self.likelihood.total[:p, :p] @ back

    @cached_property
    def random_effects(self) -> RandomEffects:
        """The subjects' predicted effects, in the unit."""
        return self.likelihood.random_effects(self.best)

    @property
    def working_covariance(self) -> np.ndarray:
        """The covariance (p, p) of gamma, not adjusted, in squares of the unit."""
        return self._reference("asymptotic").covariance

    def covariance(self, df: Df) -> np.ndarray:
        """The covariance (p, p) of the coefficients in squares of the unit (see `Df`)."""
        return self.T @ self._reference(df).covariance @ self.T.T

    def table(self, L: np.ndarray, index: pd.Index, df: Df, level: float = LEVEL) -> pd.DataFrame:
        """Estimates L beta (m,) for rows L (m, p): SE, df, t, p value and interval.

        A row that is 0, as the effect of a line at its middle, has the estimate and SE 0, and NaN
        for the rest: it has no test.
        """
        reference = self._reference(df)
        size = np.abs(L).max(
            axis=1, initial=0.0
        )  # squares of a coefficient's own unit could overflow
        known = size > 0
        rows = (L / np.where(known, size, 1.0)[:, None]) @ self.T
        estimate = L @ self.params
        se = self.unit * size * np.sqrt(np.einsum("mp,mp->m", rows @ reference.covariance, rows))
        nu = np.full(len(rows), np.nan)
        nu[known] = reference.approximate_each(rows[known])
        t = np.divide(estimate, se, out=np.full(len(rows), np.nan), where=known)
        half = t_quantile(level, nu) * se
        return pd.DataFrame(
            {
                "estimate": estimate,
                "se": se,
                "df": nu,
                "t": t,
                "p": t_two_sided(t, nu),
                "ci_low": estimate - half,
                "ci_high": estimate + half,
            },
            index=index,
        )

    def test(self, L: np.ndarray, df: Df) -> dict[str, float]:
        """The F test of L beta = 0, L (q, p): F, df_num, df_den, p."""
        reference = self._reference(df)
        L = L / np.abs(L).max()
        rows, estimate, q = L @ self.T, L @ self.params / self.unit, len(L)
        covariance = rows @ reference.covariance @ rows.T
        wald = float(estimate @ np.linalg.solve(covariance, estimate))
        nu, scale = map(float, reference.approximate(rows))
        F = scale * wald / q
        return {"F": F, "df_num": q, "df_den": nu, "p": float(f_upper(F, q, nu))}

    def _reference(self, df: Df) -> KenwardRoger | Satterthwaite | _Asymptotic:
        if df == "kenward-roger":
            if self.likelihood.method != "REML":
                raise ValueError(
                    "df: Kenward-Roger's method is defined for REML; fit by REML or ask for "
                    "'satterthwaite'"
                )
            sums = self.likelihood.variance_sums(self.best)
            return kenward_roger(self.best.unscaled_cov, self.sigma2, sums)
        if df == "satterthwaite":
            f, bends = self.likelihood.degrees_of_freedom, self.likelihood.derivatives(self.best)
            return satterthwaite(self.best, f, bends)
        if df == "asymptotic":
            return _Asymptotic(self.sigma2 * self.best.unscaled_cov)
        raise ValueError(f"df: found {df!r}, expected {one_of(get_args(Df))}")


@dataclass(frozen=True, eq=False)
class _Asymptotic:
    covariance: np.ndarray

    def approximate(self, L: np.ndarray) -> tuple[float, float]:
        return np.inf, 1.0

    def approximate_each(self, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), np.inf)
