"""A fitted model: its estimates, its likelihood, and what it says of rows and subjects.

Constants, criteria and definitions are those of lme4 (Bates, Maechler, Bolker & Walker 2015), whose
results on the reference data sets these reproduce.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.identifiability import refuse_explained
from twolevel.design.moments import Coordinates
from twolevel.inference.explained_variance import design_effect, r_squared
from twolevel.inference.wald import Estimates
from twolevel.model.likelihood import Found, Likelihood
from twolevel.random.random_columns import RandomColumns
from twolevel.random.random_part import RandomPart
from twolevel.text.methods import Df, Method


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """What is estimated of a model with a random part.

    params, bse (p,) and cov_params (p, p) are the fixed effects in the order of the formula;
    sigma_between and sigma_within are standard deviations in the response's unit; lambda_ is
    sigma_between^2 / sigma_within^2; boundary says that sigma_between is estimated as exactly 0.
    """

    design: DesignMatrix
    random_columns: RandomColumns
    estimates: Estimates

    @classmethod
    def of(
        cls,
        design: DesignMatrix,
        random_columns: RandomColumns,
        likelihood: Likelihood[Found],
        coordinates: Coordinates,
    ) -> Self:
        """Maximise a likelihood of the design's rows, in its coordinates.

        Raises InputError where nothing random is left to estimate, or the maximum is nowhere.
        """
        unit = coordinates.unit
        refuse_explained(design, unit * np.sqrt(likelihood.total[-1, -1] / design.nobs))
        best = likelihood.maximise()
        params = unit * (coordinates.T @ best.beta) + coordinates.shift
        return cls(design, random_columns, Estimates(params, coordinates, likelihood, best))

    @property
    def method(self) -> Method:
        """REML or ML."""
        return self.estimates.likelihood.method

    @cached_property
    def params(self) -> pd.Series:
        """The fixed effects (p,)."""
        index = pd.Index(self.design.names, name="term")
        return pd.Series(self.design.encoding.formula_rows @ self.estimates.params, index=index)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the fixed effects (p,)."""
        return pd.Series(np.sqrt(np.diag(self.cov_params)), index=self.params.index)

    @cached_property
    def cov_params(self) -> pd.DataFrame:
        """The covariance (p, p) of the fixed effects, not adjusted."""
        return self.covariance("asymptotic")

    def covariance(self, df: Df | None = None) -> pd.DataFrame:
        """The covariance (p, p) of the fixed effects: `cov_params`, adjusted for Kenward-Roger."""
        # Multiplied before it is squared, as the unit's square may be too large.
        root = self.estimates.unit * self.design.encoding.formula_rows
        cov = root @ self.estimates.covariance(df or self.standard_df) @ root.T
        return pd.DataFrame(cov, index=self.params.index, columns=self.params.index)

    @property
    def standard_df(self) -> Df:
        """The degrees of freedom of tests: Kenward-Roger's, which ML does not have."""
        return "kenward-roger" if self.method == "REML" else "satterthwaite"

    @property
    def random_part(self) -> RandomPart:
        """What is random."""
        return self.random_columns.part

    @property
    def random(self) -> str:
        """The random part as lme4 writes it in a formula."""
        return str(self.random_part)

    @property
    def theta(self) -> np.ndarray:
        """What the random part's covariance is made of, relative to sigma_within (k,)."""
        return self.estimates.best.theta

    @property
    def varcorr(self) -> pd.DataFrame:
        """All variances, as lme4's VarCorr: grp, var1, var2, vcov, sdcor (see `random_part`)."""
        return self.random_part.varcorr(self.theta, self.sigma_within)

    @property
    def sigma_between(self) -> float:
        """The standard deviation of subjects."""
        return self._variances["sigma_between"]

    @property
    def sigma_within(self) -> float:
        """The standard deviation within subjects."""
        return self._variances["sigma_within"]

    @property
    def icc(self) -> float:
        """sigma_b^2 / (sigma_b^2 + sigma_w^2): the correlation of two observations of a subject."""
        return self._variances["icc"]

    @property
    def variances(self) -> pd.Series:
        """sigma_between, sigma_within and icc."""
        return pd.Series(self._variances)

    @cached_property
    def _variances(self) -> dict[str, float]:
        found = self.estimates.likelihood.variances(self.estimates.best)
        return {name: float(value) for name, value in found.in_unit(self.estimates.unit).items()}

    @property
    def lambda_(self) -> float:
        """sigma_between^2 / sigma_within^2."""
        return float(self.estimates.best.lambda_)

    @property
    def boundary(self) -> bool:
        """Whether sigma_between is estimated as exactly 0."""
        return self.random_part.on_boundary(self.theta)

    @property
    def coefficient_names(self) -> pd.Index:
        """What the fixed effects are called next to the variances: `icc` where a column is icc."""
        taken = self.variances.index
        names = [f"`{name}`" if name in taken else name for name in self.params.index]
        return pd.Index(names, name="term")

    @property
    def estimated(self) -> pd.Series:
        """All parameters: sigma_between, sigma_within, icc and the fixed effects."""
        return pd.concat([self.variances, self.params.set_axis(self.coefficient_names)])

    @cached_property
    def llf(self) -> float:
        """The log-likelihood, restricted under REML."""
        # In the response's unit, and under REML for the formula's own columns.
        f, best = self.estimates.likelihood.degrees_of_freedom, self.estimates.best
        llf = -float(best.deviance) / 2 - f * np.log(self.estimates.unit)
        return float(llf - (self.design.encoding.log_scale if self.method == "REML" else 0.0))

    @property
    def n_parameters(self) -> int:
        """Fixed effects, theta and sigma_within, as lme4 counts them."""
        return len(self.design.names) + len(self.theta) + 1

    @property
    def aic(self) -> float:
        """-2 llf + 2 k, with the REML likelihood under REML, as lme4."""
        return -2 * self.llf + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """-2 llf + k log N, as lme4 (nlme uses log(N - p) under REML)."""
        return -2 * self.llf + self.n_parameters * float(np.log(self.nobs))

    @property
    def nobs(self) -> int:
        """The number of observations N."""
        return self.design.nobs

    @cached_property
    def random_effects(self) -> pd.DataFrame:
        """n, deviation (ybar_i - xbar_i' beta), random_effect S_i and its se, of n subjects."""
        found, unit = self.estimates.random_effects, self.estimates.unit
        every = np.arange(len(found.effect))
        return pd.DataFrame(
            {
                "n": self.design.working_moments()[0].counts,
                "deviation": unit * found.deviation[:, 0],
                "random_effect": unit * found.effect[:, 0],
                "se": unit * np.sqrt(found.covariance(every)[:, 0, 0]),
            },
            index=self.design.all_subjects,
        )

    @property
    def fixed_part(self) -> np.ndarray:
        """What the fixed effects predict of each observation, x_ij' beta (N,)."""
        return self.design.cells.times(self.estimates.params)

    @cached_property
    def fittedvalues(self) -> np.ndarray:
        """Conditional fitted values x_ij' beta + S_i (N,)."""
        subject = self.random_effects["random_effect"].to_numpy()[self.design.positions]
        return self.fixed_part + subject[self.design.codes]

    @cached_property
    def resid(self) -> np.ndarray:
        """Conditional residuals, the predicted eta_ij (N,)."""
        return self.design.response - self.fittedvalues

    @property
    def design_effect(self) -> float:
        """By how much clustering multiplies the variance of a plain mean."""
        return design_effect(self.design.working_moments()[0].counts, self.icc)

    def r2(self) -> pd.DataFrame:
        """Marginal and conditional R^2 (see `explained_variance.r_squared`)."""
        return r_squared(self.estimates, self.nobs, self.sigma_between**2, self.sigma_within**2)

    def variance_components(self) -> dict:
        """Both standard deviations with what is derived from them, and the likelihood."""
        return {
            "method": self.method,
            "sigma_between": self.sigma_between,
            "sigma_within": self.sigma_within,
            "lambda_": self.lambda_,
            "icc": self.icc,
            "design_effect": self.design_effect,
            "boundary": self.boundary,
            "llf": self.llf,
            "aic": self.aic,
            "bic": self.bic,
        }
