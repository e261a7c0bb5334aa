"""Batches of complete data: closed forms.

With SS_S and SS_E the sums of squares between subjects and of the errors, MS_S and MS_E their mean
squares, and K observations from each subject,

    sigma_w^2 = MS_E,                     sigma_b^2 = (MS_S - MS_E) / K    where MS_S > MS_E,
    sigma_w^2 = (SS_S + SS_E) / (N - J),  sigma_b^2 = 0                    elsewhere

(Searle, Casella & McCulloch 1992, sec. 4.5 and 4.8). X and V commute here, so that Kenward and
Roger's covariance is the unadjusted one, and their degrees of freedom are those of the strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.experiments.batch_fit import BatchFit
from twolevel.text.methods import Test


@dataclass(frozen=True, eq=False)
class CompleteEffects:
    """Tests of the fixed effects from mean squares (B,); see `batch_fit.FixedEffects`.

    between and within are K sigma_b^2 + sigma_w^2 and sigma_w^2 as REML estimates them, ms_between
    and ms_within the mean squares; per_cell is n x replicates.
    """

    effects: np.ndarray
    n_subjects: int
    per_cell: int
    between: np.ndarray
    within: np.ndarray
    ms_between: np.ndarray
    ms_within: np.ndarray

    @property
    def df_within(self) -> int:
        """The degrees of freedom of the errors."""
        J = len(self.effects)
        return J * self.per_cell - self.n_subjects - J + 1

    def _df(self, test: Test, df: int) -> np.ndarray:
        """The degrees of freedom, (1,) where all data sets have the same."""
        if test == "satterthwaite":  # which holds sigma_b^2 at 0 at a boundary fit
            return np.where(self.between > self.within, df, self.df_within + self.n_subjects - 1)
        return np.array([np.inf if test == "asymptotic" else df])

    def errors(self, test: Test) -> tuple[np.ndarray, np.ndarray]:
        """SE and df of the grand mean and the condition effects."""
        J, anova = len(self.effects), test == "anova"
        grand = (self.ms_between if anova else self.between) / (J * self.per_cell)
        effect = (self.ms_within if anova else self.within) * (1 - 1 / J) / self.per_cell
        se = np.sqrt(np.stack([grand] + [effect] * J))
        df = [self._df(test, self.n_subjects - 1)] + [self._df(test, self.df_within)] * J
        return se, np.stack(df)

    def wald(self, test: Test, effects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F and df_den of the tests that the condition effects are those given (m, J)."""
        centred = effects - effects.mean(axis=1, keepdims=True)
        ss = np.stack([np.square(self.effects - row[:, None]).sum(axis=0) for row in centred])
        error = self.ms_within if test == "anova" else self.within
        F = self.per_cell * ss / (len(self.effects) - 1) / error
        return F, self._df(test, self.df_within)


def fit_complete(y: np.ndarray, replicates: int) -> BatchFit:
    """Fit complete data y (J x replicates, B, n): see `batch.fit_batch`."""
    K, B, n = y.shape
    J, per_cell = K // replicates, n * replicates
    every = np.ones(n)  # a product with which sums over subjects, faster than sum()

    def of_conditions(totals: np.ndarray) -> np.ndarray:
        return totals.reshape(J, replicates, B).sum(axis=1) / per_cell

    # Deviations are squared after means are subtracted: no digits are lost to an offset. One
    # part of the data at a time, so that memory is used again.
    at = of_conditions(y @ every)  # (J, B), rounded as the data are
    rest, subject, error = np.empty((B, n)), np.zeros((B, n)), np.empty((K, B))
    for k in range(K):
        np.subtract(y[k], at[k // replicates][:, None], out=rest)
        error[k] = rest @ every
        subject += rest
    subject /= K
    ss_between = K * np.einsum("bn,bn->b", subject, subject)
    ss_within = np.zeros(B)
    for k in range(K):
        np.subtract(y[k], at[k // replicates][:, None], out=rest)
        rest -= subject
        ss_within += np.einsum("bn,bn->b", rest, rest)
    mean = (at - at[0]) + of_conditions(error)  # less at[0]
    df_between, df_within = n - 1, K * n - n - J + 1
    ms_between, ms_within = ss_between / df_between, ss_within / df_within
    pooled = (ss_between + ss_within) / (df_between + df_within)
    interior = ms_between > ms_within
    within = np.where(interior, ms_within, pooled)
    between = np.where(interior, ms_between, pooled)
    grand_mean = mean.mean(axis=0)
    effects = mean - grand_mean
    return BatchFit(
        grand_mean=grand_mean + at[0],
        condition_effects=effects,
        between_variance=np.where(interior, (ms_between - ms_within) / K, 0.0),
        within_variance=within,
        raw_variance=ms_between / K,
        sampling_variance=ms_within / K,
        fixed_effects=CompleteEffects(effects, n, per_cell, between, within, ms_between, ms_within),
        df_num=J - 1,
    )
