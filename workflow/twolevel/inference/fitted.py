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
from twolevel.inference.explained_variance import r_squared
from twolevel.inference.predicted.effect_tables import nested_effects, subject_effects
from twolevel.inference.wald import Estimates
from twolevel.model.likelihood import Found, Likelihood
from twolevel.model.random_effects import RandomVariance
from twolevel.random.random_columns import RandomColumns
from twolevel.random.random_part import RandomPart
from twolevel.text.methods import Df, Method


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """What is estimated of a model with a random part.

    params, bse (p,) and cov_params (p, p) are the fixed effects in the order of the formula;
    sigma_between, the standard deviation of the subjects' intercepts, and sigma_within are in the
    response's unit; lambda_ is sigma_between^2 / sigma_within^2; boundary says that the covariance
    of the random effects is singular, as where sigma_between is estimated as exactly 0.
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
    def cov_random(self) -> pd.DataFrame:
        """The covariance of the random effects, sigma_w^2 Psi, in the response's unit squared.

        By effect; with several terms by grouping factor and effect, those of different terms being
        independent.
        """
        from scipy.linalg import block_diag

        terms, factors = self.random_part.terms, self.random_part.factors(self.theta)
        blocks = [(self.sigma_within * L) @ (self.sigma_within * L).T for L in factors]
        names = [(":".join(t.grouping), effect) for t in terms for effect in t.effects]
        index = pd.MultiIndex.from_tuples(names, names=["grp", "effect"])
        if len(terms) == 1:
            index = pd.Index(terms[0].effects, name="effect")
        return pd.DataFrame(block_diag(*blocks), index=index, columns=index)

    @property
    def sigma_between(self) -> float:
        """The standard deviation of the subjects' intercepts; NaN where they have none."""
        return self._variances.get("sigma_between", np.nan)

    @property
    def sigma_within(self) -> float:
        """The standard deviation within subjects."""
        return self.estimates.unit * float(np.sqrt(self.estimates.sigma2))

    @property
    def icc(self) -> float:
        """The share of an observation's variance that is random between subjects.

        With a random intercept alone sigma_b^2 / (sigma_b^2 + sigma_w^2), the correlation of two
        observations of a subject; else the mean over all observations of z' Psi z / (z' Psi z + 1),
        numerator and denominator averaged apart (Johnson 2014).
        """
        return self._random_variance.share

    @cached_property
    def _random_variance(self) -> RandomVariance:
        return self.estimates.likelihood.random_variance(self.estimates.best)

    @property
    def variances(self) -> pd.Series:
        """The standard deviations and what else says how much varies: see `likelihood`."""
        return pd.Series(self._variances)

    @cached_property
    def _variances(self) -> dict[str, float]:
        found = self.estimates.likelihood.variances(self.estimates.best)
        return {name: float(value) for name, value in found.in_unit(self.estimates.unit).items()}

    @property
    def lambda_(self) -> float:
        """sigma_between^2 / sigma_within^2."""
        return (self.sigma_between / self.sigma_within) ** 2

    @property
    def boundary(self) -> bool:
        """Whether a variance is estimated as exactly 0, or a correlation as 1 or -1."""
        return self.random_part.on_boundary(self.theta)

    @property
    def coefficient_names(self) -> pd.Index:
        """What the fixed effects are called next to the variances: `icc` where a column is icc."""
        taken = self.variances.index
        names = [f"`{name}`" if name in taken else name for name in self.params.index]
        return pd.Index(names, name="term")

    @property
    def estimated(self) -> pd.Series:
        """All parameters: `variances` and the fixed effects."""
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
        """The predicted effects of n subjects: see `effect_tables`."""
        return subject_effects(self)

    @cached_property
    def nested_effects(self) -> dict[str, pd.DataFrame]:
        """Those of what is nested in subjects, by grouping factor: see `effect_tables`."""
        return nested_effects(self)

    @property
    def fixed_part(self) -> np.ndarray:
        """What the fixed effects predict of each observation, x_ij' beta (N,)."""
        return self.design.cells.times(self.estimates.params)

    @cached_property
    def fittedvalues(self) -> np.ndarray:
        """Conditional fitted values x_ij' beta + z_ij' b_i (N,)."""
        effects = self.estimates.random_effects.effect[self.design.positions]
        return self.fixed_part + self.estimates.unit * self.random_columns.times(
            effects, self.design.codes
        )

    @cached_property
    def resid(self) -> np.ndarray:
        """Conditional residuals, the predicted eta_ij (N,)."""
        return self.design.response - self.fittedvalues

    @property
    def design_effect(self) -> float:
        """By how much clustering multiplies the variance of a plain mean."""
        return self._random_variance.design_effect

    def r2(self) -> pd.DataFrame:
        """Marginal and conditional R^2 (see `explained_variance.r_squared`)."""
        return r_squared(self.estimates, self.nobs, self._random_variance.mean)

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
