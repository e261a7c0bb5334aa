"""Fits of the data sets of a planned study by REML, and the tests of their fixed effects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from twolevel.experiments.planned.error_terms import ErrorTerms, Stratum
from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.inference.kenward_roger import KenwardRoger, kenward_roger
from twolevel.inference.satterthwaite import Satterthwaite, satterthwaite
from twolevel.model.effects.effect_criterion import Evaluation, evaluate, variance_sums
from twolevel.model.effects.effect_search import (
    EffectSearch,
    derivatives,
    deviance,
    unbounded,
)
from twolevel.model.effects.effect_sums import EffectSums, Sums
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.numeric.small_matrices import inverse
from twolevel.text.methods import Test


@dataclass(frozen=True, eq=False)
class PlannedFits:
    """Fits of B data sets of a study at their theta (S, B); see `likelihood.Solution`.

    The data have no fixed part, and sigma_w = 1: what is fitted is how far estimates are from the
    truth, in units of sigma_w. C are the directions of `layout`, which may be another than the
    study's. theta is NaN where the model cannot be fitted.
    """

    study: PlannedStudy
    sums: Sums
    layout: RelativeCovariance
    C: np.ndarray
    theta: np.ndarray

    @classmethod
    def of(
        cls, study: PlannedStudy, sums: Sums, layout: RelativeCovariance, C: np.ndarray
    ) -> PlannedFits:
        """Search for the maximum of each data set's restricted likelihood."""
        search = EffectSearch(sums, C, layout, "REML")
        start = search.start()
        theta = layout.canonical(search.minimum(start), C)
        failed = unbounded(theta)
        if not isinstance(sums, EffectSums):  # whose design was looked at before
            failed |= search.flat(start).any(axis=0)
        return cls(study, sums, layout, C, np.where(failed, np.nan, theta))

    @cached_property
    def evaluation(self) -> Evaluation:
        """What the criterion is made of."""
        return evaluate(self.sums, self.C, self.psi, "REML")

    @cached_property
    def psi(self) -> np.ndarray:
        """The relative variances and covariances (S, B)."""
        return self.layout.psi(self.theta)

    @property
    def f(self) -> int | np.ndarray:
        """N - p."""
        return self.sums.degrees_of_freedom("REML")

    @property
    def beta(self) -> np.ndarray:
        """How far the coefficients (p, B) of the working columns are from the truth."""
        return self.evaluation.beta

    @property
    def deviance(self) -> np.ndarray:
        """The profiled deviances (B,)."""
        return deviance(self.evaluation, self.f)

    @property
    def rss(self) -> np.ndarray:
        """R (B,)."""
        return self.evaluation.rss

    @property
    def unscaled_cov(self) -> np.ndarray:
        """A_xx^-1 (p, p, B)."""
        return self.evaluation.unscaled_cov

    @property
    def sigma2(self) -> np.ndarray:
        """The estimates (B,) of sigma_w^2, in units of the true one."""
        return self.rss / self.f

    @property
    def singular(self) -> np.ndarray:
        """In which data sets (B,) a Lambda has a 0 on its diagonal."""
        return (self.theta[self.layout.diagonal] == 0).any(axis=0)

    @cached_property
    def kenward_roger(self) -> KenwardRoger:
        """What tests by Kenward and Roger's method need."""
        sums = variance_sums(self.sums, self.C, self.psi)
        return kenward_roger(self.unscaled_cov, self.sigma2, sums)

    @cached_property
    def _satterthwaite(self) -> Satterthwaite:
        bends = derivatives(self.layout, self.theta, self.evaluation, self.f)
        return satterthwaite(self, self.f, bends)

    def covariance(self, test: Test) -> np.ndarray:
        """That of the coefficients (p, p, B)."""
        if test == "kenward-roger":
            return self.kenward_roger.covariance
        return self.sigma2 * self.unscaled_cov

    def approximate(self, test: Test, L: np.ndarray) -> tuple[Any, Any]:
        """The denominator df and the factor on F for L (q, p) of the working columns."""
        if test == "kenward-roger":
            return self.kenward_roger.approximate(L)
        if test == "satterthwaite":
            return self._satterthwaite.approximate(L)
        return np.array([np.inf]), 1.0


@dataclass(frozen=True, eq=False)
class PlannedTests:
    """Tests of hypotheses on the fixed effects, and standard errors, by any of the methods.

    Rows L (q, p) are of the design's columns. Of the ANOVA there are none, all NaN, where a
    hypothesis has no error stratum.
    """

    fits: PlannedFits
    errors: ErrorTerms

    def error(self, row: np.ndarray, test: Test) -> tuple[np.ndarray, np.ndarray]:
        """SE (B,), in units of sigma_w, and df (B or 1,) of the estimate row (p,) beta."""
        at = (row @ self.fits.study.T)[None]
        if test == "anova":
            found = self._against(row[None])
            if found is None:
                nothing = np.full(self.fits.sums.size, np.nan)
                return nothing, nothing
            ms, df = found
            return np.sqrt(float(at[0] @ self.errors.covariance @ at[0]) * ms), df
        variance = np.einsum("j,jkb,k->b", at[0], self.fits.covariance(test), at[0])
        return np.sqrt(variance), self.fits.approximate(test, at)[0]

    def wald(self, rows: np.ndarray, test: Test) -> tuple[np.ndarray, np.ndarray]:
        """F (2, B) and df (B or 1,) of the tests that rows beta are 0, and that they are true."""
        study, at = self.fits.study, rows @ self.fits.study.T
        off = at @ self.fits.beta
        apart = np.stack([off + (rows @ study.beta / study.sigma_within)[:, None], off])
        if test == "anova":
            found = self._against(rows)
            if found is None:
                return np.full((2, off.shape[1]), np.nan), np.full(off.shape[1], np.nan)
            ms, df = found
            weight, scale = np.linalg.inv(at @ self.errors.covariance @ at.T)[..., None] / ms, 1.0
        else:
            covariance = np.einsum("qp,prb,sr->qsb", at, self.fits.covariance(test), at)
            weight = inverse(covariance)
            df, scale = self.fits.approximate(test, at)
        return scale / len(at) * np.einsum("mqb,qsb,msb->mb", apart, weight, apart), df

    def _against(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The mean square (B,) of the error of a hypothesis, and its df (1,)."""
        stratum = self.errors.of(rows)
        if stratum is None or stratum.df < 1:
            return None
        sums = self.fits.sums
        assert isinstance(sums, EffectSums)  # nothing is absent where there are strata
        if stratum not in self._mean_squares:
            self._mean_squares[stratum] = stratum.mean_square(sums)
        return self._mean_squares[stratum], np.array([float(stratum.df)])

    @cached_property
    def _mean_squares(self) -> dict[Stratum, np.ndarray]:
        return {}
