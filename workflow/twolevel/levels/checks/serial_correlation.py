"""Are residuals of neighbouring rows alike, where a number orders a subject's rows?

Errors that follow one another in time make neighbours alike, and so do slopes of subjects' own. A
line through every subject's own residuals tells the two apart: it takes slopes away, and leaves
what errors have in common. Both lag-1 autocorrelations are negative on average where errors are
independent, the more so in short series, for means and lines are fitted to the same rows; they are
therefore held against those of data sets drawn from the model (`diagnostics`), not against 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix


@dataclass(frozen=True, eq=False)
class Series:
    """The rows of every subject in the order of a number.

    order (N,) sorts them, starts (n,) is where each subject's begin, place (N,) is the number.
    """

    order: np.ndarray
    starts: np.ndarray
    place: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """How many rows (n,) each subject has."""
        return np.diff(self.starts, append=len(self.order))

    @property
    def longest(self) -> int:
        """The most rows that a subject has."""
        return int(self.lengths.max())


def series(design: DesignMatrix, condition: str | None) -> Series | None:
    """The rows in the order of the condition, where it is a number, or a factor of numbers.

    None where it is neither, or takes a value twice in a subject.
    """
    if condition is None:
        return None
    levels = pd.Index(design.levels(condition))
    if not pd.api.types.is_any_real_numeric_dtype(levels) or pd.api.types.is_bool_dtype(levels):
        return None
    place = design.data[condition].to_numpy(dtype=float)
    order = np.lexsort((place, design.codes))
    codes, place = design.codes[order], place[order]
    new = np.diff(codes, prepend=-1) != 0
    if np.any((np.diff(place, prepend=np.nan) == 0) & ~new):
        return None
    return Series(order, np.flatnonzero(new), place)


def alike(resid: np.ndarray, rows: Series, lines: bool) -> np.ndarray:
    """The lag-1 autocorrelations (m,) of residuals (N, m) within subjects.

    With `lines`, of what lines through each subject's own residuals leave of them, in subjects of
    four rows or more.
    """
    kept = np.repeat(rows.lengths >= (4 if lines else 2), rows.lengths)
    subject = np.repeat(np.arange(len(rows.starts)), rows.lengths)[kept]
    e, place = resid[rows.order][kept], rows.place[kept]
    starts = np.flatnonzero(np.diff(subject, prepend=-1))
    if lines:
        which = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(e)))
        size = np.bincount(which)[:, None]

        def centred(values: np.ndarray) -> np.ndarray:
            return values - (np.add.reduceat(values, starts) / size)[which]

        x, e = centred(place[:, None]), centred(e)
        slopes = np.add.reduceat(x * e, starts) / np.add.reduceat(x * x, starts)
        e = e - x * slopes[which]
    following = np.diff(subject) == 0
    return (e[:-1] * e[1:])[following].sum(axis=0) / (e * e).sum(axis=0)
