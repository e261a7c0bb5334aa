"""A column's values as codes, and what they say of it compared with others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from twolevel.pipeline.tables.column_types import NUMBER
from twolevel.text.errors import quoted

# Numbers of different columns that differ by more than this factor are not of one kind.
_SAME_SIZE, _SAME_SPREAD = 4, 6
# Against what chance would give, so little do the counts of a planned factor's cells differ.
_PLANNED = 0.5


class Column:
    """A column's values as codes, and what they could be."""

    def __init__(self, values: pd.Series) -> None:
        """Take the values of a column (N rows), some perhaps missing."""
        self._values = values
        self.is_number = pd.api.types.is_numeric_dtype(values)
        self.codes, self._labels = pd.factorize(values)
        self.distinct = len(self._labels)
        self.missing = int((self.codes < 0).sum())
        self.counts = np.bincount(self.codes[self.codes >= 0], minlength=self.distinct)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The numbers, without those missing."""
        return self._values.dropna().to_numpy(dtype=float)

    @cached_property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers, however they are stored."""
        return self.is_number and bool((self.numbers == np.round(self.numbers)).all())

    @property
    def runs(self) -> bool:
        """Whether the values are 1, 2, 3 and so on, or 0, 1, 2."""
        lowest = self.numbers.min() if self.is_whole and self.distinct else -1
        return lowest in (0, 1) and self.numbers.max() - lowest + 1 == self.distinct

    @property
    def levels(self) -> list[float]:
        """Numbers that stand for labels, in order."""
        return [int(n) if float(n).is_integer() else float(n) for n in sorted(self._labels)]

    @property
    def text_among_numbers(self) -> str | None:
        """A text, where most of the labels are numbers."""
        texts = [str(label) for label in self._labels]
        odd = [text for text in texts if not re.fullmatch(NUMBER, text.strip())]
        return odd[0] if 0 < len(odd) < len(texts) / 2 and not self.is_number else None

    def words(self, name: str) -> str:
        """What the column holds, in words."""
        kind = ("whole numbers" if self.is_whole else "numbers") if self.is_number else "labels"
        return f"{quoted(name)} ({self.distinct:,} different {kind})"

    def constant_within(self, other: Column) -> bool:
        """Whether all rows with one label of another column have one value here."""
        both = (self.codes >= 0) & (other.codes >= 0)
        first = np.full(other.distinct, -1)
        first[other.codes[both][::-1]] = self.codes[both][::-1]
        return bool((first[other.codes[both]] == self.codes[both]).all())

    def rises_within(self, other: Column) -> bool:
        """Whether numbers rise over the rows of each label of another column, and never fall."""
        if not self.is_number or self.missing or other.missing:
            return False
        rows = np.argsort(other.codes, kind="stable")
        steps = np.diff(self.numbers[rows])[np.diff(other.codes[rows]) == 0]
        return bool((steps > 0).any() and (steps >= 0).all())

    def cells(self, other: Column) -> np.ndarray:
        """The rows of every pair of labels of both columns that occurs."""
        return np.unique(self._pairs(other), return_counts=True)[1]

    def _pairs(self, other: Column) -> np.ndarray:
        both = (self.codes >= 0) & (other.codes >= 0)
        return self.codes[both].astype(np.int64) * other.distinct + other.codes[both]

    def planned(self, other: Column) -> bool:
        """Whether this column was planned for each label of another: its counts vary too little.

        Pearson's chi-square of independence, by its degrees of freedom, is about 1 for what was
        measured and not planned.
        """
        pairs, counts = np.unique(self._pairs(other), return_counts=True)
        if counts.max() == 1:
            return True
        rows = np.bincount(pairs // other.distinct, counts, self.distinct)
        columns = np.bincount(pairs % other.distinct, counts, other.distinct)
        expected = rows[pairs // other.distinct] * columns[pairs % other.distinct] / counts.sum()
        chi_square = (counts**2 / expected).sum() - counts.sum()
        return bool(chi_square < _PLANNED * (self.distinct - 1) * (other.distinct - 1))


def crossing(columns: Sequence[Column]) -> Column:
    """The combinations of some columns' labels, missing where one of them is."""
    codes = columns[0].codes.astype(np.int64)
    for column in columns[1:]:
        both = (codes >= 0) & (column.codes >= 0)
        codes = np.where(both, codes * column.distinct + column.codes, -1)
    return Column(pd.Series(codes).where(codes >= 0).astype("Int64"))


def comparable(columns: Sequence[Column]) -> bool:
    """Whether columns hold numbers of about the same size and spread, as of one kind."""
    sizes = [np.quantile(np.abs(c.numbers), 0.9) for c in columns if len(c.numbers)]
    spreads = [spread for c in columns if c.distinct > 1 and (spread := c.numbers.std()) > 0]
    return max(sizes) <= _SAME_SIZE * min(sizes) and (
        not spreads or max(spreads) <= _SAME_SPREAD * min(spreads)
    )
