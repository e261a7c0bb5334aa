"""What the columns of a table hold, added up over its parts, and what is refused in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from twolevel.pipeline.tables.column_types import (
    NEVER,
    Labels,
    first_rows,
    is_number,
    refuse_dates,
    refuse_long_labels,
    refuse_numbers_as_text,
    refuse_other_levels,
    refuse_text_among_numbers,
    refuse_twin_labels,
)
from twolevel.pipeline.tables.likely_codes import Range
from twolevel.pipeline.tables.missing_values import Coded
from twolevel.pipeline.tables.places import Places
from twolevel.text.errors import InputError, listed, quoted

MAX_NUMERIC_CONDITIONS = 50
# A part's columns (N,) by their names: numbers, or factors of labels.
Columns = Mapping[str, pd.Series]

# Labels that wait to be put together with those of the parts before.
_WAITING = 1_000_000


@dataclass(eq=False)
class Column:
    """What a column holds in the parts seen so far: labels, or in complete rows numbers."""

    name: str
    whole: bool = True
    lowest: float = np.inf
    highest: float = -np.inf
    distinct: set[float] = field(default_factory=set)
    range: Range = field(default_factory=Range)
    infinite: tuple[int, float] | None = None
    _texts: list[pd.Index] = field(default_factory=list)
    # The first rows (2, L) with each label: of all rows, and of complete ones.
    _first: list[np.ndarray] = field(default_factory=list)

    @property
    def is_factor(self) -> bool:
        """Whether it holds labels."""
        return bool(self._texts)

    @property
    def labels(self) -> Labels:
        """The labels in all rows."""
        return self._labels(0)

    @property
    def complete_labels(self) -> Labels:
        """The labels in complete rows."""
        return self._labels(1)

    def levels(self, order: Sequence[str] | None) -> pd.Index:
        """The labels in complete rows, in the order that the study gives if it gives one."""
        found = self.complete_labels.texts
        return found if order is None else pd.Index([n for n in order if n in found], dtype="str")

    def _labels(self, k: int) -> Labels:
        self._put_together()
        (texts,), (first,) = self._texts, self._first
        labels, there = Labels(self.name, texts, first[k]), first[k] < NEVER
        return labels if there.all() else labels.only(there)

    def add_labels(self, values: pd.Series, start: int, complete: np.ndarray) -> None:
        """Take note of a part's labels; `complete` are the positions of its complete rows."""
        codes, count = values.cat.codes.to_numpy(), len(values.cat.categories)
        first = np.full((2, count), NEVER)
        for own, rows in zip(first, (np.arange(len(codes)), complete), strict=True):
            found = first_rows(codes[rows], count)
            there = found < NEVER
            own[there] = start + rows[found[there]]
        self._texts.append(values.cat.categories)
        self._first.append(first)
        # When they have doubled: putting each part to the others would take n steps every time.
        if sum(map(len, self._texts[1:])) > max(len(self._texts[0]), _WAITING):
            self._put_together()

    def _put_together(self) -> None:
        """Make one list of labels, in the order in which the parts have them first."""
        if len(self._texts) > 1:
            codes, texts = pd.factorize(np.concatenate(self._texts))
            first = np.full((2, len(texts)), NEVER)
            for own, more in zip(first, np.concatenate(self._first, axis=1), strict=True):
                np.minimum.at(own, codes, more)
            self._texts, self._first = [pd.Index(texts, dtype="str")], [first]

    def add_numbers(self, values: pd.Series, start: int, complete: np.ndarray) -> None:
        """Take note of a part's numbers, those in complete rows."""
        if not len(complete):
            return
        values = values if len(complete) == len(values) else values.iloc[complete]
        self.whole &= pd.api.types.is_integer_dtype(values)
        # As they are: as floats, different long integers may be the same.
        self.lowest = min(self.lowest, values.min())
        self.highest = max(self.highest, values.max())
        if (
            self.infinite is None
            and not np.isfinite([float(self.lowest), float(self.highest)]).all()
        ):
            at = int(np.isinf(values.to_numpy(dtype=float)).argmax())
            self.infinite = start + int(complete[at]), values.iloc[at]
        self.range.add(values)
        # Of most columns some rows show that there are too many to be counted.
        for some in (values.iloc[:1000], values):
            if len(self.distinct) <= MAX_NUMERIC_CONDITIONS:
                self.distinct.update(some.unique()[: MAX_NUMERIC_CONDITIONS + 1].tolist())


@dataclass(eq=False)
class Survey:
    """All columns that a study uses, how many rows there are, and in how many no value is missing.

    dropped counts the missing values by column, first_missing is the first row that has one, and
    the first of its columns that has.
    """

    columns: dict[str, Column] = field(default_factory=dict)
    rows: int = 0
    complete: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    first_missing: tuple[int, str] | None = None

    @classmethod
    def of(cls, parts: Iterable[tuple[int, Columns]]) -> Survey:
        """Look through parts: each the number of rows above it, and its columns."""
        survey = cls()
        for start, columns in parts:
            survey._add(start, columns)
        return survey

    def _add(self, start: int, columns: Columns) -> None:
        complete = complete_rows(columns)
        rows = len(next(iter(columns.values())))
        self.rows += rows
        self.complete += len(complete)
        if len(complete) < rows:
            missing = {name: values.isna().to_numpy() for name, values in columns.items()}
            for name, at in missing.items():
                if at.any():
                    self.dropped[name] = self.dropped.get(name, 0) + int(at.sum())
            if self.first_missing is None:
                row = int(np.setdiff1d(np.arange(rows), complete)[0])
                name = next(name for name, at in missing.items() if at[row])
                self.first_missing = start + row, name
        for name, values in columns.items():
            column = self.columns.setdefault(name, Column(name))
            if is_number(values):
                column.add_numbers(values, start, complete)
            else:
                column.add_labels(values, start, complete)

    def refuse_missing(self, missing: str, coded: Coded, place: Places) -> None:
        """Refuse missing values unless told to leave out their rows, and if no row is complete."""
        if self.first_missing is not None and missing != "drop":
            raise InputError(
                f"{place(*self.first_missing)}: the value is missing "
                f"({self.rows - self.complete} of {self.rows} rows lack one{_which(coded)}); fill "
                "it in, or write missing: drop to leave them out"
            )
        if not self.complete:
            raise InputError(
                f"{place.where}: every row lacks a value in one of "
                f"{listed(map(quoted, self.dropped))}; expected some complete rows"
            )

    def labels(
        self,
        formula: str,
        named: Collection[str],
        levels: Mapping[str, Sequence[str]],
        made: Collection[str],
        missing: str,
        coded: Coded,
        place: Places,
    ) -> dict[str, pd.Index]:
        """The labels of each factor in their order, when nothing is found that is to be refused.

        Columns that name subjects, and what is nested in them, may have labels of any kind.
        Columns that were `made` of a wide table's have labels from the config, not from the table.
        """
        if not self.rows:
            raise InputError(f"{place.where}: found a header and no rows; add the observations")
        factors = [column for column in self.columns.values() if column.is_factor]
        for column in factors:
            if column.name in levels:
                refuse_other_levels(column.labels, levels[column.name], place)
            elif column.name not in named:
                labels = column.labels
                refuse_text_among_numbers(labels, False, place)
                if column.name not in made:
                    refuse_dates(labels, formula, place)
                    refuse_numbers_as_text(labels, coded, formula, place)
        self.refuse_missing(missing, coded, place)
        for column in self.columns.values():
            if column.infinite is not None:
                row, value = column.infinite
                raise InputError(
                    f"{place(row, column.name)}: found {value}, expected a finite number; write "
                    "one, or leave the cell empty and write missing: drop"
                )
            if column.is_factor:
                labels = column.complete_labels
                refuse_long_labels(labels, place)
                refuse_twin_labels(labels, place)
        return {column.name: column.levels(levels.get(column.name)) for column in factors}


def complete_rows(columns: Columns) -> np.ndarray:
    """The positions of the rows in which no column lacks a value."""
    missing = [values.isna().to_numpy() for values in columns.values()]
    return np.flatnonzero(~np.logical_or.reduce(missing))


def _which(coded: Coded) -> str:
    """How many of the missing values are codes."""
    found = [f"{n} {code} in {name}" for name, some in coded.items() for code, n in some.items()]
    return f"; {listed(found)} count as missing" if found else ""
