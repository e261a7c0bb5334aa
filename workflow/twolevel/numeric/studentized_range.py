"""The studentized range: that of k normal means over an independent estimate of their SD.

Tukey (1953). For thousands of differences at once, each with degrees of freedom of its own: the
tail of the range itself is tabulated once for k, and averaged over the estimate.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

from twolevel.numeric.tails import interpolated, t_quantile

# Steps of the trapezoidal rule, which for such smooth integrands is exact to 1e-11.
_NODES = 512
# The range of 1,000 means exceeds this with a probability below 1e-200.
_WIDEST = 50.0
# Values that are averaged at once, to bound memory.
_AT_ONCE = 4_000_000
# More degrees of freedom than are looked for one by one.
_MANY = 240


class StudentizedRange:
    """The distribution of the studentized range."""

    def __init__(self, k: int) -> None:
        """Tabulate the range of k means."""
        self.k = k
        self._log_tail = CubicSpline(*_log_tail(k))

    def sf(self, q: np.ndarray, df: np.ndarray) -> np.ndarray:
        """The probability (m,) that it exceeds q (m,), with df (m,) degrees of freedom."""
        q, df = np.broadcast_arrays(np.asarray(q, dtype=float), np.asarray(df, dtype=float))
        rows = _AT_ONCE // _NODES
        starts = range(0, len(q), rows)
        parts = [self._sf(q[i : i + rows], df[i : i + rows]) for i in starts]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _sf(self, q: np.ndarray, df: np.ndarray) -> np.ndarray:
        log_s, weights = _estimates(df)
        width = q[:, None] * np.exp(log_s)
        tail = np.exp(self._log_tail(np.minimum(width, _WIDEST)))
        return (weights * tail).sum(axis=1)

    def upper_quantile(self, p: float, df: np.ndarray) -> np.ndarray:
        """What it exceeds with probability p, for each of df (m,).

        Raises ArithmeticError where it is not found.
        """
        distinct, which = np.unique(df, return_inverse=True)
        found = np.empty(len(distinct))
        # From 10 to infinity a smooth function of 1 / df: a polynomial is exact to 1e-9.
        smooth = (distinct >= 10) & (len(distinct) > _MANY)
        found[smooth] = interpolated(lambda x: self._upper_quantile(p, 1 / x), 1 / distinct[smooth])
        found[~smooth] = self._upper_quantile(p, distinct[~smooth])
        return found[which]

    def _upper_quantile(self, p: float, df: np.ndarray) -> np.ndarray:
        """By secants of the logarithm of the tail."""

        def excess(log_q: np.ndarray) -> np.ndarray:
            return np.log(self.sf(np.exp(log_q), df)) - np.log(p)

        # It lies a little below Bonferroni's bound.
        high = np.log(np.sqrt(2) * t_quantile(1 - 2 * p / (self.k * (self.k - 1)), df))
        low = high + 0.02
        below, above = excess(low), excess(high)
        for _ in range(50):
            moving = (above != below) & (np.abs(above) > 1e-12)
            if not moving.any():
                return np.exp(high)
            slope = np.divide(high - low, above - below, out=np.zeros_like(high), where=moving)
            low, below, high = high, above, high + np.clip(-above * slope, -0.5, 0.5)
            above = excess(high)
        raise ArithmeticError(f"no quantile of the studentized range of {self.k} means")


@cache
def _log_tail(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Widths w, and the logarithm of the probability that the range of k normals exceeds w.

    With the largest at z, all others lie between z - w and z with probability
    (Phi(z) - Phi(z - w))^(k - 1); the tail is its complement, written so that small ones stay
    exact.
    """
    w = np.linspace(0, _WIDEST, 4001)
    z = np.linspace(-8, 8 + _WIDEST / 2, 401)[:, None]
    density = k * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * ndtr(z) ** (k - 1)
    with np.errstate(divide="ignore"):  # none lie between where w is 0
        beyond = -np.expm1((k - 1) * np.log1p(-ndtr(z - w) / ndtr(z)))
    return w, np.log((density * beyond).sum(axis=0) * (z[1, 0] - z[0, 0]))


def _estimates(df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the estimated SD over the true one, (m, nodes), and their probabilities."""
    df = np.minimum(df, 1e12)[:, None]  # from there on it is known
    spread = np.sqrt(32 / df)
    low, high = -28 / df - spread, np.minimum(spread, 2.5)
    log_s = low + (high - low) * np.linspace(0, 1, _NODES)
    density = np.exp(df * (log_s - np.expm1(2 * log_s) / 2))
    return log_s, density / density.sum(axis=1, keepdims=True)
