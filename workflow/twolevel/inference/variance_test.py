"""Does a random effect differ at all? The restricted likelihood ratio test that its variance is 0.

The statistic is by how much the REML deviance falls where the effect, with all its covariances, is
added. It has no chi-square distribution: 0 is on the edge of what a variance can be, and a data
set's subjects are not independent parts of it. Where one variance is all that is random, its
distribution under the hypothesis depends on the design alone, and is simulated from the spectral
form (Crainiceanu & Ruppert 2004, eq. 9). Beside other effects that clearly differ, it is about the
one that it has without them (Greven, Crainiceanu, Kuechenhoff & Peters 2008; both as R's RLRsim).
Beside others that may not, and of an effect with covariances, the model without the effect draws
the data sets, to which both models are fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.model.eigenvalues import Eigenvalues
from twolevel.model.likelihood import Likelihood, Reduction
from twolevel.numeric.tails import chi_square_upper
from twolevel.random.random_part import RandomPart
from twolevel.text.methods import TestedBy

_BLOCK = 10_000  # draws that share a stream of random numbers
_ROUNDING = 1e-9  # a statistic below this is 0
_DRAWS = 100_000  # of the spectral form, which take no fits
_CLEAR = 0.05  # an effect clearly differs where the mixture gives less


@dataclass(frozen=True, eq=False)
class VarianceTest:
    """The statistic, its p values, and what the simulation saw.

    p is the share of draws as large as the statistic, with the Monte Carlo standard error p_se; it
    is 0 where no draw was; by says what was drawn from. p_mixture is that of the equal mixture of
    chi-square with as many df as parameters are tested, and with one fewer (Self & Liang 1987;
    Stram & Lee 1994). boundary_share is the share of draws with the statistic 0, NaN without draws.
    """

    statistic: float
    p: float
    p_se: float
    p_mixture: float
    by: TestedBy
    draws: int
    boundary_share: float
    seed: int

    def table(self) -> pd.DataFrame:
        """One row per reference distribution: statistic, p, p_se."""
        rows = {
            self.by: (self.statistic, self.p, self.p_se),
            "mixture": (self.statistic, self.p_mixture, np.nan),
        }
        return pd.DataFrame.from_dict(
            rows, orient="index", columns=["statistic", "p", "p_se"]
        ).rename_axis("distribution")


def variance_test(
    reductions: Sequence[Reduction], position: int, draws: int | None = None, seed: int = 1
) -> VarianceTest:
    """Test that the random effect at a position among all has no variance.

    Where it is estimated as 0, p = 1, and no data sets are drawn to find that by refits.
    """
    return _test(reductions[position], *_source(reductions, position), draws, seed)


def variance_tests(
    likelihood: Likelihood, part: RandomPart, refits: int | None = None, seed: int = 1
) -> pd.DataFrame:
    """Every random effect's test: grouping, effect, statistic, df, p, p_se, by and p_mixture.

    refits are the data sets of each bootstrap.
    """
    effects = [(":".join(term.grouping), effect) for term in part.terms for effect in term.effects]
    reductions, rows = likelihood.reductions, []
    for k, (grouping, effect) in enumerate(effects):
        by, source = _source(reductions, k)
        test = _test(reductions[k], by, source, refits if by == "bootstrap" else None, seed)
        rows.append(
            {
                "grouping": grouping,
                "effect": effect,
                "statistic": test.statistic,
                "df": reductions[k].n_parameters,
                "p": test.p,
                "p_se": test.p_se,
                "by": test.by,
                "p_mixture": test.p_mixture,
            }
        )
    return pd.DataFrame(rows)


def _source(
    reductions: Sequence[Reduction], position: int
) -> tuple[TestedBy, Reduction | Eigenvalues]:
    """What the statistic under the hypothesis is drawn from."""
    tested = reductions[position]
    others = [other for other in reductions if other is not tested]
    if all(_mixture(other) < _CLEAR for other in others) and (alone := tested.alone):
        return ("approximate" if others else "exact"), alone
    return "bootstrap", tested


def _test(
    tested: Reduction,
    by: TestedBy,
    source: Reduction | Eigenvalues,
    draws: int | None,
    seed: int,
) -> VarianceTest:
    observed = _statistic(tested)
    if by == "bootstrap" and observed == 0:
        return VarianceTest(0.0, 1.0, 0.0, 1.0, by, 0, np.nan, seed)
    draws = draws or (tested.draws if by == "bootstrap" else _DRAWS)
    drawn = np.concatenate(
        [
            _rounded(
                source.falls_by_chance(
                    min(_BLOCK, draws - k * _BLOCK), np.random.default_rng(child)
                )
            )
            for k, child in enumerate(np.random.SeedSequence(seed).spawn(-(-draws // _BLOCK)))
        ]
    )
    p = float(np.mean(drawn >= observed))
    return VarianceTest(
        statistic=observed,
        p=p,
        p_se=float(np.sqrt(p * (1 - p) / draws)),
        p_mixture=_mixture(tested),
        by=by,
        draws=draws,
        boundary_share=float(np.mean(drawn == 0)),
        seed=seed,
    )


def _mixture(tested: Reduction) -> float:
    """p by an equal mixture of chi-square distributions."""
    statistic, q = _statistic(tested), tested.n_parameters
    if statistic == 0:
        return 1.0
    without = chi_square_upper(statistic, q - 1) if q > 1 else 0.0
    return 0.5 * (without + chi_square_upper(statistic, q))


def _statistic(tested: Reduction) -> float:
    return float(_rounded(np.array(tested.fall)))


def _rounded(falls: np.ndarray) -> np.ndarray:
    return np.where(falls > _ROUNDING, falls, 0.0)
