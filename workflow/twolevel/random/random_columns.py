"""A random part on the rows of a table: the numbers that a likelihood is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.random.random_part import RandomPart, RandomTerm


@dataclass(frozen=True, eq=False)
class TermColumns:
    """One term's columns on N rows.

    values (N, q) are the columns z in working coordinates, about 1 in size: the effects b of the
    formula are back (q, q) times those of `values`. levels (N,) says to which of its subject's own
    levels of the grouping factor a row belongs, counted from 0 within each subject in the order of
    the levels; None where the grouping factor is the subject.
    """

    term: RandomTerm
    values: np.ndarray
    back: np.ndarray
    levels: np.ndarray | None = None

    def of_rows(self, keep: np.ndarray) -> TermColumns:
        """The same for some of the rows only, keep (N,)."""
        levels = None if self.levels is None else self.levels[keep]
        return TermColumns(self.term, self.values[keep], self.back, levels)


@dataclass(frozen=True, eq=False)
class RandomColumns:
    """All terms of a random part on N rows."""

    terms: tuple[TermColumns, ...]

    @property
    def part(self) -> RandomPart:
        """The random part."""
        return RandomPart(tuple(each.term for each in self.terms))

    def of_rows(self, keep: np.ndarray) -> RandomColumns:
        """The same for some of the rows only, keep (N,)."""
        return RandomColumns(tuple(each.of_rows(keep) for each in self.terms))
