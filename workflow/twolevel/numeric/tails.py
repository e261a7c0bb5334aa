"""Tail probabilities and quantiles, from scipy.special (scipy.stats takes 0.7 s to import)."""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

import numpy as np
from scipy import special

_NODES = 24


def t_two_sided(t: np.ndarray, df: np.ndarray | float) -> np.ndarray:
    """P(|T| >= |t|) for Student's t; the standard normal where df is infinite."""
    df = np.asarray(df, dtype=float)
    normal, finite = np.isinf(df), np.where(np.isinf(df), 1, df)
    # The incomplete beta keeps its digits far in the tail, where 1 - F(t) has none.
    tail = special.betainc(finite / 2, 0.5, finite / (finite + np.square(t)))
    return np.where(normal, 2 * special.ndtr(-np.abs(t)), tail)


def t_quantile(level: float, df: np.ndarray) -> np.ndarray:
    """The t with P(|T| <= t) = level for Student's t; the normal's where df is infinite."""
    df = np.asarray(df, dtype=float)
    normal = np.isinf(df)
    direct = ~normal
    found = np.where(normal, special.ndtri(0.5 + level / 2), np.nan)
    if df.size > 10 * _NODES:
        # Between 1 and infinity a smooth function of 1 / df: a polynomial is exact to 1e-14.
        smooth = direct & (df >= 1)
        found[smooth] = interpolated(lambda x: _t_quantile(level, 1 / x), 1 / df[smooth])
        direct &= ~smooth
    found[direct] = _t_quantile(level, df[direct])
    return found[()]


def _t_quantile(level: float, df: np.ndarray) -> np.ndarray:
    # The square of t is an F, whose quantile scipy finds ten times faster.
    return np.sqrt(special.fdtri(1, df, level))


def interpolated(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """A smooth function of many x, from its values at Chebyshev points of their range."""
    if x.size == 0 or np.ptp(x) == 0:
        return function(x)
    return np.polynomial.Chebyshev.interpolate(function, _NODES - 1, [x.min(), x.max()])(x)


@overload
def f_upper(F: float, df_num: float, df_den: float) -> float: ...


@overload
def f_upper(F: np.ndarray, df_num: float, df_den: np.ndarray | float) -> np.ndarray: ...


def f_upper(F: np.ndarray | float, df_num: float, df_den: np.ndarray | float) -> np.ndarray | float:
    """P(X >= F) for the F distribution; chi-square / df_num where df_den is infinite."""
    F, known = np.asarray(F), np.isinf(df_den)
    if known.all():
        return special.chdtrc(df_num, df_num * F)[()]
    upper = special.fdtrc(df_num, df_den, F)
    return np.where(known, special.chdtrc(df_num, df_num * F), upper)[()] if known.any() else upper


def f_quantile(level: float, df_num: float, df_den: float) -> float:
    """The F with P(X <= F) = level; of chi-square / df_num where df_den is infinite."""
    if np.isinf(df_den):
        return float(special.chdtri(df_num, 1 - level) / df_num)
    return float(special.fdtri(df_num, df_den, level))


def chi_square_upper(x: float, df: float) -> float:
    """P(X >= x) for the chi-square distribution with df degrees of freedom."""
    return float(special.chdtrc(df, x))


def share_interval(count: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of a share's interval, of `count` in n: Wilson's (1927), between 0 and 1."""
    z2 = special.ndtri(0.5 + level / 2) ** 2
    centre = (count + z2 / 2) / (n + z2)
    half = np.sqrt(z2) / (n + z2) * np.sqrt(count * (1 - count / n) + z2 / 4)
    return centre - half, centre + half
