"""Batches of complete data whose subjects have slopes, or effects of the conditions, of their own.

All subjects have the same rows, so that the sums of `model.effects` need the data in r directions
only: those of a subject's random columns. The ANOVA tests the condition against how subjects differ
in it, where they may.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from twolevel.experiments.batch_fit import BatchFit
from twolevel.experiments.subject_model import SubjectModel
from twolevel.inference.kenward_roger import KenwardRoger, kenward_roger
from twolevel.inference.satterthwaite import Satterthwaite, satterthwaite
from twolevel.model.effects.effect_criterion import Evaluation, evaluate, variance_sums
from twolevel.model.effects.effect_search import derivatives, deviance, maximise
from twolevel.model.effects.effect_sums import EffectSums
from twolevel.numeric.small_matrices import inverse
from twolevel.text.methods import Test


@dataclass(frozen=True, eq=False)
class BestFits:
    """Fits of B data sets at their theta (S, B); see `likelihood.Solution`."""

    model: SubjectModel
    sums: EffectSums
    theta: np.ndarray

    @cached_property
    def directions(self) -> np.ndarray:
        """The derivatives (S, r, r, 1) of M by psi."""
        return self.model.layout.directions(self.sums.R)

    @cached_property
    def evaluation(self) -> Evaluation:
        """What the criterion is made of."""
        return evaluate(self.sums, self.directions, self.psi, "REML")

    @property
    def psi(self) -> np.ndarray:
        """The relative variances and covariances (S, B)."""
        return self.model.layout.psi(self.theta)

    @property
    def f(self) -> int:
        """N - p."""
        return self.sums.nobs - self.sums.n_coefficients

    @property
    def beta(self) -> np.ndarray:
        """The coefficients (p, B)."""
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
        """The estimates (B,) of sigma_w^2."""
        return self.rss / self.f

    @property
    def singular(self) -> np.ndarray:
        """In which data sets (B,) a Lambda has a 0 on its diagonal."""
        return (self.theta[self.model.layout.diagonal] == 0).any(axis=0)

    def variance(self, term: int, v: np.ndarray) -> np.ndarray:
        """The variances (B,) of v' b, for the effects b of a term."""
        Psi = list(self.model.layout.matrices(self.psi))[term]
        return self.sigma2 * np.einsum("i,ijb,j->b", v, Psi, v)


@dataclass(frozen=True, eq=False)
class OwnEffectsTests:
    """Tests of the fixed effects; see `batch_fit.FixedEffects`.

    ms_between and ms_error (B,) are the mean squares of the subjects' means and of what the
    condition is tested against, with df_between and df_error degrees of freedom.
    """

    best: BestFits
    ms_between: np.ndarray
    ms_error: np.ndarray
    df_between: int
    df_error: int

    def errors(self, test: Test) -> tuple[np.ndarray, np.ndarray]:
        """SE and df of the grand mean and the effects."""
        rows = self.best.model.rows
        if test == "anova":
            lengths = np.einsum("ij,jk,ik->i", rows, self._gram, rows)
            ms = np.stack([self.ms_between] + [self.ms_error] * (len(rows) - 1))
            df = [[self.df_between]] + [[self.df_error]] * (len(rows) - 1)
            return np.sqrt(lengths[:, None] * ms), np.array(df, dtype=float)
        variances = np.einsum("ij,jkb,ik->ib", rows, self._covariance(test), rows)
        return np.sqrt(variances), np.stack([self._approximate(test, row[None])[0] for row in rows])

    def wald(self, test: Test, effects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F and df_den of the tests that the effects are those given (m, e)."""
        model = self.best.model
        L = model.tested @ model.rows[1:]
        apart = (L @ self.best.beta)[None] - (effects @ model.tested.T)[..., None]
        if test == "anova":
            weight = np.linalg.inv(L @ self._gram @ L.T)[..., None] / self.ms_error
            df, scale = np.array([float(self.df_error)]), 1.0
        else:
            weight = inverse(np.einsum("qp,prb,sr->qsb", L, self._covariance(test), L))
            df, scale = self._approximate(test, L)
        return scale / len(L) * np.einsum("mqb,qsb,msb->mb", apart, weight, apart), df

    @property
    def _gram(self) -> np.ndarray:
        """(X'X)^-1 (p, p) of all rows: X and V commute, so that it gives the ANOVA's errors."""
        X = self.best.model.X
        return np.linalg.inv(X.T @ X) * len(X) / self.best.sums.nobs

    def _covariance(self, test: Test) -> np.ndarray:
        if test == "kenward-roger":
            return self._kenward_roger.covariance
        return self.best.sigma2 * self.best.unscaled_cov

    def _approximate(self, test: Test, L: np.ndarray) -> tuple[Any, Any]:
        if test == "kenward-roger":
            return self._kenward_roger.approximate(L)
        if test == "satterthwaite":
            return self._satterthwaite.approximate(L)
        return np.array([np.inf]), 1.0

    @cached_property
    def _kenward_roger(self) -> KenwardRoger:
        best = self.best
        sums = variance_sums(best.sums, best.directions, best.psi)
        return kenward_roger(best.unscaled_cov, best.sigma2, sums)

    @cached_property
    def _satterthwaite(self) -> Satterthwaite:
        best = self.best
        bends = derivatives(best.model.layout, best.theta, best.evaluation, best.f)
        return satterthwaite(best, best.f, bends)


def fit_own_effects(model: SubjectModel, y: np.ndarray) -> BatchFit:
    """Fit complete data y (K, B, n) by REML: see `batch.fit_batch`."""
    layout, sums = model.layout, model.sums(y)
    best = BestFits(model, sums, maximise(sums, layout.directions(sums.R), layout, "REML"))
    tests = _tests(model, y, best)
    estimates = model.rows @ best.beta
    raw, sampling = _two_stage(model, y, tests)
    own = None if model.own is None else best.variance(len(layout.terms) - 1, model.own)
    return BatchFit(
        grand_mean=estimates[0],
        condition_effects=estimates[1:],
        between_variance=best.variance(0, model.intercept),
        within_variance=best.sigma2,
        raw_variance=raw,
        sampling_variance=sampling,
        fixed_effects=tests,
        df_num=len(model.tested),
        own_variance=own,
        singular=best.singular,
    )


def _tests(model: SubjectModel, y: np.ndarray, best: BestFits) -> OwnEffectsTests:
    """The mean squares of data sets y (K, B, n), for the ANOVA's tests."""
    K, _, n = y.shape
    means = y.mean(axis=0)
    contrasts = np.linalg.qr(model.X)[0][:, 1:]  # its first column is that of the mean
    scores = np.tensordot(contrasts.T, y, axes=1)  # (q, B, n)
    q, shared = len(scores), scores.mean(axis=2)
    if model.own is None:
        within = np.square(y - means).sum(axis=(0, 2)) - n * np.square(shared).sum(axis=0)
        df = (K - 1) * n - q
    else:
        within = np.square(scores - shared[..., None]).sum(axis=(0, 2))
        df = q * (n - 1)
    return OwnEffectsTests(best, K * means.var(axis=1, ddof=1), within / df, n - 1, df)


def _two_stage(
    model: SubjectModel, y: np.ndarray, tests: OwnEffectsTests
) -> tuple[np.ndarray, np.ndarray]:
    """The raw variance of the subjects' own intercepts (B,), and what it is too large by."""
    K, _, n = y.shape
    if len(model.intercept) == 1:  # they are means
        return tests.ms_between / K, tests.ms_error / K
    weights = model.intercept @ np.linalg.pinv(model.X)
    raw = np.tensordot(weights, y, axes=1).var(axis=1, ddof=1)
    left = tests.best.sums.within_yy / (n * (K - len(model.intercept)))
    return raw, left * (weights @ weights)
