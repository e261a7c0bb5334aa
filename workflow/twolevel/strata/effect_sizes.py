"""Effect sizes of an ANOVA's terms: partial and generalised eta squared."""

from __future__ import annotations

import numpy as np
from scipy import special

# Noncentralities beyond which scipy's distribution of F has no values; up to there, those by the
# error alone come within 1e-4 of it, and 1 - partial eta squared is less than 1e-5 there.
_LARGE = 1e8


def partial_eta2(ss: float, ss_error: float) -> float:
    """A term's share of its own and its error's sum of squares (Cohen 1973); NaN where both are 0.

    Equal to F df_num / (F df_num + df_den).
    """
    both = ss + ss_error
    return ss / both if both > 0 else np.nan


def generalised_eta2(ss: float, ss_errors: float) -> float:
    """A term's share of its own sum of squares and those of all strata's errors together.

    For manipulated factors (Olejnik & Algina 2003, eq. 6, and afex where no factor is `observed`):
    comparable between designs, for what subjects differ in counts whether a design measures it or
    not. NaN where all are 0.
    """
    return partial_eta2(ss, ss_errors)


def partial_eta2_interval(
    F: float, df_num: float, df_den: float, level: float
) -> tuple[float, float]:
    """The interval of the population's partial eta squared, from that of F's noncentrality.

    The ends lambda of the latter are those under which F lies at the upper or the lower
    (1 - level) / 2, or 0; they become lambda / (lambda + df_num + df_den + 1) (Steiger 2004;
    Smithson 2001). (1, 1) where F is infinite, NaN where it is not known.
    """
    if np.isnan(F):
        return np.nan, np.nan
    if np.isinf(F):
        return 1.0, 1.0
    tail = (1 - level) / 2
    low, high = (_noncentrality(F, df_num, df_den, below) for below in (1 - tail, tail))
    size = df_num + df_den + 1
    return low / (low + size), high / (high + size)


def _noncentrality(F: float, df_num: float, df_den: float, below: float) -> float:
    """The noncentrality under which an F lies below the one found with this probability, or 0.

    Of a large F, only the mean square of the error still counts: a chi-square variable over df_den.
    """
    from scipy.optimize import brentq  # which takes longer to import than most ANOVAs

    def beyond(noncentrality: float) -> float:
        return float(special.ncfdtr(df_num, df_den, noncentrality, F)) - below

    if df_num * F > _LARGE:
        return float(df_num * F * special.chdtri(df_den, below) / df_den)
    if beyond(0.0) <= 0:
        return 0.0
    high = 2 * df_num * F + 10
    while beyond(high) > 0:
        high *= 2
    return float(brentq(beyond, 0.0, high, xtol=1e-12, rtol=1e-14))
