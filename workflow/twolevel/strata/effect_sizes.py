"""Effect sizes with their intervals: eta squared of a term, partial and generalised; d of a pair.

Each interval is that of a noncentrality, of F or of t, put on the scale of the effect size. Where
what the effect is divided by is not the error of its own test alone, it is as good as a variance
with other degrees of freedom, those of Satterthwaite (1946), and the distribution has these.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from twolevel.numeric.noncentral_t import noncentrality_interval
from twolevel.strata.error_strata import Stratum

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
    odds = df_num * F / (df_num + df_den + 1)
    return _eta2_interval(F, df_num, df_den, odds, level)


def generalised_eta2_interval(
    ss: float, df_num: float, own: Stratum, errors: Sequence[Stratum], level: float
) -> tuple[float, float]:
    """The interval of the population's generalised eta squared, of a term tested against `own`.

    In the population, the term has the odds Q / T against all errors, where T sums the expected
    mean square of each stratum times its degrees of freedom before any term is fitted, and lambda
    = Q / (that of `own`) is the noncentrality of the term's F. The estimate of T is T chi2_f / f
    by Satterthwaite's approximation; so, with the ratio of T to the own error as estimated, F is a
    noncentral F with f degrees of freedom, and its ends lambda become lambda / (lambda + ratio).

    effectsize 0.8.3 takes a noncentral F with the degrees of freedom of the test for the sample's
    generalised eta squared, as if all errors were that of the test. Simulated (see
    tests/strata/test_effect_sizes.py), its interval is twice as wide as the level asks for where
    subjects differ much, or misses the population's value in 2 of 5 experiments.
    """
    parts = np.array([error.df_total * error.ms for error in errors])
    total = float(parts.sum())
    if total == 0:
        return (np.nan, np.nan) if ss == 0 else (1.0, 1.0)
    df = total**2 / float(np.sum(parts**2 / np.array([error.df for error in errors])))
    F = ss / df_num / own.ms if own.ms > 0 else np.inf
    return _eta2_interval(F, df_num, df, ss / total, level)


def _eta2_interval(
    F: float, df_num: float, df_den: float, odds: float, level: float
) -> tuple[float, float]:
    """The shares at the ends of F's noncentrality, where odds belong to the one that F estimates.

    The noncentrality df_num F belongs to these odds, and others are in proportion to it.
    """
    if np.isnan(F):
        return np.nan, np.nan
    if np.isinf(odds):
        return 1.0, 1.0
    tail = (1 - level) / 2
    low, high = (
        odds * relative_noncentrality(F, df_num, df_den, below) for below in (1 - tail, tail)
    )
    return low / (1 + low), high / (1 + high)


def relative_noncentrality(F: float, df_num: float, df_den: float, below: float) -> float:
    """The noncentrality, over df_num F, under which an F lies below the one found so often, or 0.

    Of a large F, only the mean square of the error still counts: a chi-square variable over df_den.
    """
    from scipy.optimize import brentq  # which takes longer to import than most ANOVAs

    def beyond(centre: float) -> float:
        return float(special.ncfdtr(df_num, df_den, centre, F)) - below

    if df_num * F > _LARGE:
        return float(special.chdtri(df_den, below) / df_den)
    if beyond(0.0) <= 0:
        return 0.0
    high = 2 * df_num * F + 10
    while beyond(high) > 0:
        high *= 2
    return float(brentq(beyond, 0.0, high, xtol=1e-12, rtol=1e-14)) / (df_num * F)


def standardised(
    estimate: float, se: float, by: float, df: float, level: float
) -> tuple[float, float, float]:
    """A difference in units of a standard deviation `by` that has df degrees of freedom: d, ends.

    With by = d se / t, t is noncentral with df degrees of freedom and the noncentrality delta by /
    se, of which each end has an end of delta: exact where `by` estimates the standard deviation
    of which se is a multiple, as in d_z (Steiger & Fouladi 1997; Cumming & Finch 2001), else with
    by / se as estimated (Cousineau 2020). NaN where there is nothing to divide by.
    """
    if by == 0 or se == 0:
        return np.nan, np.nan, np.nan
    low, high = noncentrality_interval(estimate / se, df, level)
    return estimate / by, low * se / by, high * se / by


def df_of_mean_sd(sds: tuple[float, float], sd_apart: float, df: float) -> float:
    """The degrees of freedom of the mean of two standard deviations, each with df.

    sd_apart is that of the differences, which tells their correlation r. By the squared
    coefficient of variation, as Satterthwaite (1946) of a variance: df (s + t)^2 / (s^2 + t^2 +
    2 r^2 s t); with s = t 2 df / (1 + r^2), as Cousineau (2020) has it.
    """
    s, t = sds
    if s == 0 or t == 0:
        return df
    r = (s**2 + t**2 - sd_apart**2) / (2 * s * t)
    return df * (s + t) ** 2 / (s**2 + t**2 + 2 * r**2 * s * t)
