"""The noncentral t distribution: how likely a t is, and which noncentralities leave it likely.

scipy's `nctdtr` has no value, or never returns, where a t lies far in a tail.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import special

# The probability that is left out at either end of an integral.
_LEFT_OUT = 1e-17
_NODES = 256


@cache
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(_NODES)


def _nodes(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss and Legendre's nodes between two ends, and their weights."""
    nodes, weights = _legendre()
    half = (high - low) / 2
    return (low + high) / 2 + half * nodes, half * weights


def noncentral_t_lower(t: float, df: float, noncentrality: float) -> float:
    """P(T <= t) for T = (Z + noncentrality) / U, Z standard normal, U^2 chi-square over df.

    The mean of P(T <= t | U) over U, or where t is so large that this is a step in U, of
    P(T <= t | Z) over Z (Johnson, Kotz & Balakrishnan 1995, ch. 31).
    """
    if t < 0:
        return 1.0 - noncentral_t_lower(-t, df, -noncentrality)
    if t <= 3 * np.sqrt(2 * df):
        # U counts on the scale of its logarithm, on which its density is smooth at 0 too.
        ends = special.chdtri(df, [1 - 1e-16, _LEFT_OUT])
        ends[0] = min(ends[0], df * np.exp(2 * np.log(_LEFT_OUT) / df))
        log_u, weights = _nodes(*(np.log(ends / df) / 2))
        u2 = np.exp(2 * log_u)
        constant = np.log(2) + df / 2 * np.log(df / 2) - special.gammaln(df / 2)
        density = np.exp(constant + df * (log_u - u2 / 2))
        return float(weights @ (density * special.ndtr(t * np.sqrt(u2) - noncentrality)))
    end = -special.ndtri(_LEFT_OUT)
    if noncentrality <= -end:
        return 1.0
    z, weights = _nodes(max(-end, -noncentrality), end)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    above = special.chdtrc(df, df * ((z + noncentrality) / t) ** 2)
    return float(special.ndtr(-noncentrality) + weights @ (density * above))


def noncentrality_interval(t: float, df: float, level: float) -> tuple[float, float]:
    """The noncentralities under which t lies at the upper and at the lower (1 - level) / 2.

    An exact interval of the noncentrality where t has df degrees of freedom (Steiger & Fouladi
    1997). NaN where t is not known.
    """
    if not np.isfinite(t):
        return np.nan, np.nan
    from scipy.optimize import brentq  # which takes longer to import than most ANOVAs

    width = 4 * float(np.sqrt(1 + t**2 / (2 * df)))  # in standard errors of the noncentrality

    def end(below: float) -> float:
        def beyond(noncentrality: float) -> float:
            return noncentral_t_lower(t, df, noncentrality) - below

        low, high = t - width, t + width
        while beyond(low) < 0:
            low -= width
        while beyond(high) > 0:
            high += width
        return float(brentq(beyond, low, high, xtol=1e-12, rtol=1e-12))

    tail = (1 - level) / 2
    return end(1 - tail), end(tail)
