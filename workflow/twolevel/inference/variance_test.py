"""Does a random effect differ at all? The restricted likelihood ratio test that its variance is 0.

The statistic is by how much the REML deviance falls where the effect, with all its covariances, is
added. It has no chi-square distribution: 0 is on the edge of what a variance can be, and a data
set's subjects are not independent parts of it. For a random intercept alone its distribution under
the hypothesis depends on the design alone, and is simulated from the spectral form (Crainiceanu &
Ruppert 2004, eq. 9; R's RLRsim). Beside other effects, the model without the effect draws the data
sets, to which both models are fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.model.likelihood import Likelihood, Reduction
from twolevel.numeric.tails import chi_square_upper
from twolevel.random.random_part import RandomPart

_BLOCK = 10_000  # draws that share a stream of random numbers
_ROUNDING = 1e-9  # a statistic below this is 0


@dataclass(frozen=True, eq=False)
class VarianceTest:
    """The statistic, its p values, and what the simulation saw.

    p is the share of draws as large as the statistic, with the Monte Carlo standard error p_se; it
    is 0 where no draw was. p_mixture is that of the equal mixture of chi-square with as many df as
    parameters are tested, and with one fewer (Self & Liang 1987; Stram & Lee 1994). boundary_share
    is the share of draws with the statistic 0.
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


def variance_test(reduction: Reduction, draws: int | None = None, seed: int = 1) -> VarianceTest:
    """Test that a random effect has no variance. Where it is estimated as 0, p = 1."""
    draws = draws or reduction.draws
    observed = _rounded(np.array(reduction.fall))[()]
    drawn = np.concatenate(
        [
            _rounded(
                reduction.falls_by_chance(
                    min(_BLOCK, draws - k * _BLOCK), np.random.default_rng(child)
                )
            )
            for k, child in enumerate(np.random.SeedSequence(seed).spawn(-(-draws // _BLOCK)))
        ]
    )
    p = float(np.mean(drawn >= observed))
    return VarianceTest(
        statistic=float(observed),
        p=p,
        p_se=float(np.sqrt(p * (1 - p) / draws)),
        p_mixture=_mixture(float(observed), reduction.n_parameters),
        draws=draws,
        boundary_share=float(np.mean(drawn == 0)),
        seed=seed,
    )


def variance_tests(
    likelihood: Likelihood, part: RandomPart, draws: int | None = None, seed: int = 1
) -> pd.DataFrame:
    """Every random effect's test: grouping, effect, statistic, df, p, p_se, p_mixture."""
    effects = [(":".join(term.grouping), effect) for term in part.terms for effect in term.effects]
    rows = []
    for (grouping, effect), reduction in zip(effects, likelihood.reductions, strict=True):
        test = variance_test(reduction, draws, seed)
        rows.append(
            {
                "grouping": grouping,
                "effect": effect,
                "statistic": test.statistic,
                "df": reduction.n_parameters,
                "p": test.p,
                "p_se": test.p_se,
                "p_mixture": test.p_mixture,
            }
        )
    return pd.DataFrame(rows)


def _mixture(statistic: float, q: int) -> float:
    if statistic == 0:
        return 1.0
    without = chi_square_upper(statistic, q - 1) if q > 1 else 0.0
    return 0.5 * (without + chi_square_upper(statistic, q))


def _rounded(falls: np.ndarray) -> np.ndarray:
    return np.where(falls > _ROUNDING, falls, 0.0)
