"""The fits of a batch of data sets, and what their fixed effects are tested with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twolevel.numeric.tails import f_quantile, f_upper, t_quantile
from twolevel.text.confidence import LEVEL, alpha
from twolevel.text.methods import Test


class FixedEffects(Protocol):
    """What the tests of a batch's fixed effects need, by any of the methods of `Test`.

    The last axis of degrees of freedom is 1 where all data sets have the same. Effects are J
    deviations from the grand mean.
    """

    def errors(self, test: Test) -> tuple[np.ndarray, np.ndarray]:
        """SE (1 + J, B) and df (1 + J, B or 1) of the grand mean and the condition effects."""

    def wald(self, test: Test, effects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F (m, B) and df_den (B or 1,) of the tests that the effects are those given (m, J)."""


@dataclass(frozen=True, eq=False)
class BatchFit:
    """The fits of B data sets.

    grand_mean (B,), condition_effects (J, B), deviations from it; between_variance and
    within_variance (B,), the REML estimates of sigma_b^2 and sigma_w^2; raw_variance and
    sampling_variance (B,): the variance of the subject means, and by how much it overstates
    sigma_b^2 (see `hierarchical`). NaN for data sets that the model cannot be fitted to. df_num is
    that of the condition's F test.
    """

    grand_mean: np.ndarray
    condition_effects: np.ndarray
    between_variance: np.ndarray
    within_variance: np.ndarray
    raw_variance: np.ndarray
    sampling_variance: np.ndarray
    fixed_effects: FixedEffects
    df_num: int

    @property
    def failed(self) -> np.ndarray:
        """Which data sets (B,) the model could not be fitted to."""
        return np.isnan(self.within_variance)

    @property
    def boundary(self) -> np.ndarray:
        """In which data sets (B,) the variance between is estimated as exactly 0."""
        return self.between_variance == 0

    @property
    def two_stage_variance(self) -> np.ndarray:
        """The two-stage estimate (B,) of sigma_b^2: raw_variance corrected, but not below 0."""
        return np.maximum(self.raw_variance - self.sampling_variance, 0.0)

    def intervals(self, test: Test, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
        """SE and half-width (1 + J, B) of the intervals of the grand mean and the effects."""
        se, df = self.fixed_effects.errors(test)
        return se, t_quantile(level, df) * se

    def condition_tests(
        self, test: Test, effects: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F (m, B), df_den (B or 1,) and p (m, B) of tests that the effects are those given (m, J).

        The F test of the condition is that they are all 0. NaN where the method has no meaning, as
        the ANOVA's on incomplete data.
        """
        F, df_den = self.fixed_effects.wald(test, effects)
        return F, df_den, f_upper(F, self.df_num, df_den)

    def rejections(self, test: Test, effects: np.ndarray, level: float = LEVEL) -> np.ndarray:
        """Which (m, B) of the same tests reject, as 1 or 0; NaN where there is no test."""
        F, df_den = self.fixed_effects.wald(test, effects)
        q = self.df_num
        if len(df_den) == 1:  # a critical value for all is faster than their p values
            rejected = f_quantile(level, q, df_den[0]) < F
        else:
            rejected = f_upper(F, q, df_den) < alpha(level)
        return np.where(np.isnan(F), np.nan, rejected)
