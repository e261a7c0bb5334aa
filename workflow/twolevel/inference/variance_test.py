"""Do subjects differ at all? The exact restricted likelihood ratio test of sigma_between = 0.

The statistic d(0) - d(lambda_hat), with d the REML deviance, has no chi-square distribution: 0 is
on the edge of what lambda can be, and a data set's subjects are not independent parts of it. Its
distribution under the hypothesis depends on the design alone, and is simulated from the spectral
form (Crainiceanu & Ruppert 2004, eq. 9; R's RLRsim).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.model.likelihood import Likelihood
from twolevel.numeric.tails import chi_square_upper

_BLOCK = 10_000  # draws that share a stream of random numbers
_ROUNDING = 1e-9  # a statistic below this is 0


@dataclass(frozen=True, eq=False)
class BetweenVarianceTest:
    """The statistic, its p values, and what the simulation saw.

    p is the share of draws as large as the statistic, with the Monte Carlo standard error p_se; it
    is 0 where no draw was. p_mixture is that of the equal mixture of 0 and chi-square with 1 df
    (Self & Liang 1987). boundary_share is the share of draws with the statistic 0.
    """

    statistic: float
    p: float
    p_se: float
    p_mixture: float
    draws: int
    boundary_share: float
    seed: int

    def table(self) -> pd.DataFrame:
        """One row per reference distribution: statistic, p, p_se."""
        rows = {
            "exact": (self.statistic, self.p, self.p_se),
            "mixture": (self.statistic, self.p_mixture, np.nan),
        }
        return pd.DataFrame.from_dict(
            rows, orient="index", columns=["statistic", "p", "p_se"]
        ).rename_axis("distribution")


def between_variance_test(
    likelihood: Likelihood, draws: int = 100_000, seed: int = 1
) -> BetweenVarianceTest:
    """Test sigma_between = 0 by REML. On the boundary itself the statistic is 0 and p = 1."""
    observed = likelihood.fall
    observed = observed if observed > _ROUNDING else 0.0
    drawn = np.concatenate(
        [
            _block(likelihood, min(_BLOCK, draws - k * _BLOCK), np.random.default_rng(child))
            for k, child in enumerate(np.random.SeedSequence(seed).spawn(-(-draws // _BLOCK)))
        ]
    )
    p = float(np.mean(drawn >= observed))
    return BetweenVarianceTest(
        statistic=observed,
        p=p,
        p_se=float(np.sqrt(p * (1 - p) / draws)),
        p_mixture=0.5 * chi_square_upper(observed, 1) if observed > 0 else 1.0,
        draws=draws,
        boundary_share=float(np.mean(drawn == 0)),
        seed=seed,
    )


def _block(likelihood: Likelihood, size: int, generator: np.random.Generator) -> np.ndarray:
    """Statistics (size,) of data sets without differences between subjects."""
    falls = likelihood.falls_by_chance(size, generator)
    return np.where(falls > _ROUNDING, falls, 0.0)
