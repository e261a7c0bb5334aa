"""The levels of a grouping factor that each subject has: its sessions, or its cells of a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class OwnLevels:
    """The combinations of n subjects and of levels of factors that occur, in their order.

    factors has the names and levels of the factors, the subject not among them. first (n,) is the
    number of combinations of the subjects before each; _occurring are, for the subject with the
    first factor, then with the first two and so on, the codes of what occurs.
    """

    factors: Mapping[str, pd.CategoricalDtype]
    first: np.ndarray
    _occurring: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls, subjects: np.ndarray, n: int, factors: Mapping[str, pd.Categorical]
    ) -> tuple[OwnLevels, np.ndarray]:
        """From rows of subjects (N,), positions among n, and of factors; also each row's level.

        The levels (N,) are counted from 0 within each subject.
        """
        code, size, owner, occurring = subjects, n, np.arange(n), []
        for factor in factors.values():
            J = len(factor.categories)
            code, found = numbered(code * J + factor.codes, size * J)
            owner, size = owner[found // J], len(found)
            occurring.append(found)
        first = np.searchsorted(owner, np.arange(n))
        dtypes = {name: factor.dtype for name, factor in factors.items()}
        return cls(dtypes, first, tuple(occurring)), code - first[subjects]

    @property
    def count(self) -> int:
        """The number of levels of all subjects."""
        return len(self._occurring[-1])

    @property
    def most(self) -> int:
        """The largest number of levels that one subject has."""
        return int(np.diff(self.first, append=self.count).max())

    def every(self, subjects: pd.Index) -> tuple[np.ndarray, np.ndarray, pd.MultiIndex]:
        """All levels: the position of each one's subject, its own position within it, and names."""
        of = np.arange(self.count)
        codes = []
        for dtype, found in zip(
            reversed(list(self.factors.values())), reversed(self._occurring), strict=True
        ):
            of, level = np.divmod(found[of], len(dtype.categories))
            codes.append(dtype.categories[level])
        names = [subjects.name, *self.factors]
        index = pd.MultiIndex.from_arrays([subjects[of], *reversed(codes)], names=names)
        return of, np.arange(self.count) - self.first[of], index

    def positions(self, subjects: np.ndarray, factors: Mapping[str, pd.Categorical]) -> np.ndarray:
        """The levels (m,) in rows of subjects (m,) and factors; -1 where the subject has none such.

        A subject that is not known is -1 too.
        """
        code, known = subjects.astype(np.intp), subjects >= 0
        for (name, dtype), found in zip(self.factors.items(), self._occurring, strict=True):
            level = factors[name].set_categories(dtype.categories).codes
            wanted = code * len(dtype.categories) + level
            code = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
            known = known & (level >= 0) & (found[code] == wanted)
        return np.where(known, code - self.first[subjects], -1)


def numbered(codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (N,) below `size` counted anew without gaps, and the old codes of the new, in order."""
    if size > 8 * len(codes):
        found, new = np.unique(codes, return_inverse=True)
        return new, found
    occurs = np.bincount(codes, minlength=size) > 0
    return (np.cumsum(occurs) - 1)[codes], np.flatnonzero(occurs)
