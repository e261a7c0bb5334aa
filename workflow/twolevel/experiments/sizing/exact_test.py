"""F tests whose power is exact: balanced within subjects, in groups of any sizes.

With means M (G, C) of G groups in C cells, n_g subjects in a group, contrasts L (b, G) of groups
and orthonormal contrasts H (C, w) of cells, the hypothesis is L M H = 0, the sums of squares of
type III. Where the covariance of a subject's own contrasts, H' V H, is s^2 I, F is a noncentral F
on b w and (N - G) w degrees of freedom with noncentrality

    tr (L M H)' (L diag(1/n) L')^-1 (L M H) / s^2

(Muller & Stewart 2006, Linear Model Theory, ch. 16). Groups alone are H = 1 / sqrt(C), conditions
alone are L = 1' / G.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from twolevel.numeric.tails import f_quantile
from twolevel.text.confidence import LEVEL

# The most subjects that are looked for.
MOST = 100_000
# How far from a multiple of 1 a covariance may be, by rounding, next to that multiple and to the
# variances that it is left of.
_ROUNDING, _LOST = 1e-9, 1e-14


@dataclass(frozen=True)
class ExactTest:
    """The law of an F: degrees of freedom, and noncentrality under the truth."""

    df_num: float
    df_den: float
    noncentrality: float

    def power(self, level: float = LEVEL) -> float:
        """The probability that F exceeds its critical value; 0 without degrees of freedom."""
        if self.df_den <= 0:
            return 0.0
        critical = f_quantile(level, self.df_num, self.df_den)
        if not self.noncentrality:
            return 1 - level
        return 1 - float(special.ncfdtr(self.df_num, self.df_den, self.noncentrality, critical))


def contrasts(levels: int) -> np.ndarray:
    """Orthonormal contrasts (levels, levels - 1) of so many levels (Helmert's)."""
    H = np.zeros((levels, levels - 1))
    for k in range(levels - 1):
        H[: k + 1, k], H[k + 1, k] = 1.0, -(k + 1.0)
        H[:, k] /= np.sqrt((k + 1.0) * (k + 2.0))
    return H


def exact_test(
    means: np.ndarray,
    sizes: np.ndarray,
    covariance: np.ndarray,
    between: np.ndarray,
    within: np.ndarray,
    df_den: float | None = None,
) -> ExactTest | None:
    """The law of the F test of L M H = 0; None where the contrasts' covariance is not s^2 I.

    means (G, C); sizes (G,), the subjects of each group; covariance (C, C) of a subject's means in
    the cells; between L (b, G); within H (C, w), orthonormal. df_den where the error is pooled with
    others of the same expected mean square.
    """
    error = within.T @ covariance @ within
    w = error.shape[0]
    mean_square = float(np.trace(error)) / w
    rounding = _ROUNDING * mean_square + _LOST * np.abs(covariance).max()
    if np.abs(error - mean_square * np.eye(w)).max() > rounding:
        return None
    hypothesis = between @ means @ within
    weights = between @ (between / sizes).T
    sum_of_squares = float(np.sum(hypothesis * np.linalg.solve(weights, hypothesis)))
    if df_den is None:
        df_den = float((sizes.sum() - len(sizes)) * w)
    return ExactTest(len(between) * w, df_den, sum_of_squares / mean_square)


def fewest(enough: Callable[[int], bool], least: int = 2, most: int = MOST) -> int | None:
    """The fewest of `least` to `most` that are enough, if more always are; None if none is."""
    end = least
    while not enough(end):
        if end >= most:
            return None
        end = min(2 * end, most)
    return bisect_left(range(end), True, lo=least, key=enough)
