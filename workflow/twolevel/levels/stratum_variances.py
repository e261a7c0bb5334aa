"""Variances of what is nested in the subject, by mean squares: one for each error stratum.

With (1 | id:a), subjects differ in their effects of a by a random amount of variance sigma_a^2.
What a term's columns take from the residual sum of squares, beside the shared effects and all terms
that do not contain it, is its stratum's sum of squares, and

    E(MS) = sigma_w^2 + k sigma_a^2 + (a multiple of the variance of each term that contains it),

by Henderson's method III (Searle, Casella & McCulloch 1992, sec. 5.5). In balanced data these are
the error strata of the partitioned ANOVA, and k is the number of rows that a level has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.levels.swept import Swept
from twolevel.random.random_columns import TermColumns
from twolevel.text.errors import InputError


class NotEstimable(InputError):
    """A random part whose variances the two-stage fit has no estimates of, and why."""


@dataclass(frozen=True)
class StratumVariance:
    """A stratum's mean square, and its term's variance, raw and corrected.

    raw is mean_square / per_level, of which `sampling` is the share of what varies within levels;
    corrected, the difference, may be negative. per_level is k.
    """

    grp: str
    df: int
    mean_square: float
    per_level: float
    raw: float
    sampling: float

    @property
    def corrected(self) -> float:
        """What is left of the raw variance: an unbiased estimate."""
        return self.raw - self.sampling

    def in_unit(self, unit: float) -> StratumVariance:
        """The same in the response's unit."""
        squares = {key: unit**2 * getattr(self, key) for key in ("mean_square", "raw", "sampling")}
        return replace(self, **squares)


@dataclass(frozen=True, eq=False)
class Stratum:
    """A stratum's variance, and its part (N,) of each observation: an effect of its level."""

    variance: StratumVariance
    part: np.ndarray


def stratum_variances(design: DesignMatrix, full: Swept) -> dict[TermColumns, Stratum]:
    """The strata of all terms whose levels are nested in the subject, in working units.

    `full` has the whole random part swept out. Of a table in shards, the parts of observations are
    those of the sample.

    Raises NotEstimable for nested effects that are correlated, of which mean squares say nothing,
    and where a stratum has no degrees of freedom.
    """
    within = full.fit[0] / full.df_resid
    terms, nested = full.terms, [term for term in full.terms if term.levels is not None]
    found: dict[TermColumns, Stratum] = {}
    # The finest levels first: their variances are part of the others' mean squares.
    for term in sorted(nested, key=lambda each: -each.most_levels):
        if len(term.term.effects) > 1:
            raise NotEstimable(
                f"{term.term}: the two-stage fit has variances of single nested effects only; "
                "expected terms such as (1 | id:session); read the mixed model's results"
            )
        containing = [t for t in nested if t is not term and _contains(design, t, term)]
        beside = [t for t in terms if t is not term and t not in containing]
        swept = Swept.of(design, (*beside, term, *containing))
        stratum = _Stratum(swept.first(len(beside)), swept.first(len(beside) + 1))
        if stratum.df < 1:
            raise NotEstimable(
                f"{term.term}: its stratum has {stratum.df} degrees of freedom beside the other "
                "terms; expected at least 1; leave the term out, or add observations"
            )
        per_level = stratum.multiple(term)
        error = within + sum(stratum.multiple(t) * found[t].variance.corrected for t in containing)
        variance = StratumVariance(
            grp=":".join(term.term.grouping),
            df=stratum.df,
            mean_square=stratum.mean_square,
            per_level=per_level,
            raw=stratum.mean_square / per_level,
            sampling=error / per_level,
        )
        found[term] = Stratum(variance, stratum.part(design))
    return {term: found[term] for term in nested}


@dataclass(frozen=True, eq=False)
class _Stratum:
    """The rows with everything beside a term swept out, and with the term as well."""

    beside: Swept
    together: Swept

    def part(self, design: DesignMatrix) -> np.ndarray:
        """What the term's columns take from the residuals (N,)."""
        return self.beside.residuals(design) - self.together.residuals(design)

    @property
    def df(self) -> int:
        return self.beside.df_resid - self.together.df_resid

    @property
    def mean_square(self) -> float:
        return (self.beside.fit[0] - self.together.fit[0]) / self.df

    def multiple(self, term: TermColumns) -> float:
        """Of a term's variance, in the expectation of the mean square."""
        return (self.beside.rest(term) - self.together.rest(term)) / self.df


def _contains(design: DesignMatrix, one: TermColumns, other: TermColumns) -> bool:
    """Whether the columns of `other` are sums of those of `one`: its levels are made of finer ones.

    Both are single effects of levels nested in the subject.
    """
    assert one.levels is not None
    assert other.levels is not None
    level = design.codes * one.most_levels + one.levels
    _, first, which = np.unique(level, return_index=True, return_inverse=True)
    return all(
        bool((values == values[first][which]).all())
        for values in (other.levels, other.values, one.values)
    )
