"""A random part on the rows of a table: the numbers that a likelihood is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from twolevel.random.random_part import RandomPart, RandomTerm

if TYPE_CHECKING:
    import pandas as pd

    from twolevel.random.supported import Support
    from twolevel.random.term_source import TermSource


@dataclass(frozen=True, eq=False)
class TermColumns:
    """One term's columns on N rows.

    values (N, q) are the columns z in working coordinates, about 1 in size: the effects b of the
    formula are back (q, q) times those of `values`. levels (N,) says to which of its subject's own
    levels of the grouping factor a row belongs, counted from 0 within each subject in the order of
    the levels; None where the grouping factor is the subject. In rows of another table than the
    model's it is -1 where the subject has no such level. source makes the same of other rows.
    """

    term: RandomTerm
    values: np.ndarray
    back: np.ndarray
    levels: np.ndarray | None = None
    source: TermSource | None = None

    @property
    def most_levels(self) -> int:
        """The largest number of levels that one subject has in the model."""
        if self.levels is None:
            return 1
        # Other rows than the model's may hold a few of them only.
        known = None if self.source is None else self.source.own
        return int(self.levels.max()) + 1 if known is None else known.most

    def of_rows(self, keep: np.ndarray) -> TermColumns:
        """The same for some of the rows only, keep (N,)."""
        levels = None if self.levels is None else self.levels[keep]
        return replace(self, values=self.values[keep], levels=levels)


@dataclass(frozen=True, eq=False)
class RandomColumns:
    """All terms of a random part on N rows; support is what it was chosen by, if it was asked."""

    terms: tuple[TermColumns, ...]
    support: Support | None = None

    @property
    def part(self) -> RandomPart:
        """The random part."""
        return RandomPart(tuple(each.term for each in self.terms))

    def of_rows(self, keep: np.ndarray) -> RandomColumns:
        """The same for some of the rows only, keep (N,)."""
        return RandomColumns(tuple(each.of_rows(keep) for each in self.terms))

    @property
    def width(self) -> int:
        """Q: how many columns one subject has, counting each of its levels' own."""
        return sum(place.size for place in self.places)

    def expanded(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """All columns (Q, m) of some rows: term by term, and level by level within each."""
        parts = []
        for each in self.terms:
            values = each.values[rows].T
            if each.levels is None:
                parts.append(values)
            else:
                own = each.levels[rows]
                parts += [values * (own == level) for level in range(each.most_levels)]
        return np.concatenate(parts)

    @cached_property
    def places(self) -> tuple[np.ndarray, ...]:
        """Of each term the positions (m, q) of its m levels' columns among all Q."""
        places, at = [], 0
        for each in self.terms:
            shape = each.most_levels, each.values.shape[1]
            places.append(at + np.arange(shape[0] * shape[1]).reshape(shape))
            at += places[-1].size
        return tuple(places)

    def variables(self, nested: bool) -> tuple[str, ...]:
        """The columns of a table that `at` reads, the subject aside; with what is nested or not."""
        sources = [each.source for each in self.terms if each.source is not None]
        names = (name for source in sources for name in source.columns(nested))
        return tuple(dict.fromkeys(names))

    def at(self, table: Mapping[str, pd.Series], subjects: np.ndarray) -> RandomColumns:
        """The same on other rows (m,), of subjects at these positions: -1 for ones not known.

        What is nested is not looked for where no subject is known.

        Raises InputError for variables of another kind, or with levels that the model has not seen.
        """
        sources = [each.source for each in self.terms if each.source is not None]
        return RandomColumns(tuple(source.at(table, subjects) for source in sources))

    def times(self, effects: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """z' b (N, ...) of effects b (n, Q, ...), where the rows are of the subjects codes (N,)."""
        columns = self.expanded()
        result = np.zeros((len(codes), *effects.shape[2:]))
        for k, column in enumerate(columns):
            result += column.reshape(-1, *[1] * (effects.ndim - 2)) * effects[codes, k]
        return result
