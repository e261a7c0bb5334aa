"""The factors that subjects are crossed with, and what else varies within them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twolevel.pipeline.guessing.evidence import Column, crossing
from twolevel.pipeline.guessing.guess_made import name_in_formula
from twolevel.pipeline.guessing.vocabulary import (
    AGE,
    CONDITION,
    GROUP,
    LABELS,
    MEASURED,
    ORDER,
    RESPONSE,
    called,
)
from twolevel.text.errors import quoted

MOST_LEVELS = 50
# More distinct numbers than this are a scale, not labels.
MOST_NUMBERED = 6
# So many factors are proposed, and of many columns so many are looked at.
MOST_FACTORS, MOST_CANDIDATES = 3, 10
# Share of the cells (one subject under one level) that must be filled for a crossing.
CROSSED = 0.5


@dataclass(frozen=True)
class Conditions:
    """The factors, those that subjects are crossed with jointly first, and how well they are.

    `apart` are further ones, of whose combinations with the first ones subjects saw a part only.
    """

    crossed: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    fullest: int = 0  # rows in the fullest cell
    share: float = 0.0  # of cells that are filled

    @property
    def all(self) -> tuple[str, ...]:
        """All factors."""
        return (*self.crossed, *self.apart)


class Within:
    """What varies within the subjects of one column: the likeliest conditions first."""

    def __init__(self, columns: Mapping[str, Column], subject: str) -> None:
        """Look at all columns except that of the subject."""
        self._columns, self._subject = columns, columns[subject]
        self._fullest: dict[str, int] = {}
        self._crossings: dict[tuple[str, ...], tuple[int, float]] = {}
        for name, column in columns.items():
            if name != subject and self._is_factor(name, column):
                self._fullest[name] = int(self._subject.cells(column).max())
        self._ranked = sorted(self._fullest, key=self._rank, reverse=True)

    def _is_factor(self, name: str, column: Column) -> bool:
        """Whether a column was planned, with few levels, for all subjects."""
        if not 1 < column.distinct <= MOST_LEVELS or called(name, MEASURED):
            return False
        if column.is_number:
            scale = column.distinct > MOST_NUMBERED and not column.is_whole
            if scale or (called(name, RESPONSE) and not called(name, CONDITION)):
                return False
        if column.constant_within(self._subject) or self._subject.constant_within(column):
            return False
        filled, cells = len(self._subject.cells(column)), self._subject.distinct * column.distinct
        if filled < CROSSED * cells:
            return False
        # Where trials are left out, the counts of a condition may differ as if by chance.
        whole = filled == cells and called(name, CONDITION)
        return whole or self._subject.planned(column)

    def _rank(self, name: str) -> tuple:
        column = self._columns[name]
        return (
            not self._counts_rows(name),
            -self._fullest[name],
            called(name, CONDITION),
            not column.is_number,
        )

    def _counts_rows(self, name: str) -> bool:
        """Whether a column numbers the rows of each subject, or the items that they saw."""
        column = self._columns[name]
        many = column.distinct > MOST_NUMBERED
        items = many and called(name, LABELS)
        return items or (called(name, ORDER) and (many or column.runs))

    def _crossed(self, *names: str) -> tuple[int, float]:
        """The rows in the fullest cell, and the share of filled ones, of all these factors."""
        if names not in self._crossings:
            levels = crossing([self._columns[name] for name in names])
            counts = self._subject.cells(levels)
            cells = self._subject.distinct
            for name in names:
                cells *= self._columns[name].distinct
            self._crossings[names] = (int(counts.max()), len(counts) / cells) if cells else (0, 0.0)
        return self._crossings[names]

    def conditions(self, response: str) -> Conditions:
        """The factors to propose for one response."""
        names = [n for n in self._ranked if n != response][:MOST_CANDIDATES]
        main = [n for n in names if not self._counts_rows(n)] or names[:1]
        crossed: list[str] = []
        apart: list[str] = []
        for name in main:
            if len(crossed) + len(apart) == MOST_FACTORS or self._same(name, main):
                continue
            if not crossed or self._crossed(*crossed, name)[1] > CROSSED:
                crossed.append(name)
            else:
                apart.append(name)
        if not crossed:
            crossed = [n for n in self._columns if n != response and self._is_time(n)][:1]
        if not crossed:
            return Conditions()
        return Conditions(tuple(crossed), tuple(apart), *self._crossed(*crossed))

    def _is_time(self, name: str) -> bool:
        """Whether a column holds times of each subject's own, in the order of its rows."""
        return called(name, f"{CONDITION}|{AGE}") and self._columns[name].rises_within(
            self._subject
        )

    def _same(self, name: str, names: list[str]) -> str | None:
        """A column whose levels those of this one divide, or are the same as those of."""
        column = self._columns[name]
        for other in names:
            if other != name and self._columns[other].constant_within(column):
                same = column.constant_within(self._columns[other])
                if not same or names.index(other) < names.index(name):
                    return other
        return None

    def left_out(self, name: str, chosen: Conditions) -> str:
        """Why a column that varies within subjects is no condition."""
        column = self._columns[name]
        if name not in self._fullest:
            if column.is_number:
                return (
                    "numbers that vary within subjects: another measurement, or a covariate to be "
                    "added to the formula with +"
                )
            return "labels with which subjects are not crossed"
        if other := self._same(name, [*chosen.all, name]):
            return f"its levels lie within those of {quoted(other)}, or are the same"
        if self._counts_rows(name):
            return (
                "it numbers rows or items, which count as repeated measurements; for its effect, "
                "add it to the formula with +"
            )
        return "a further factor within subjects; add it to the formula with + or *"

    def numbered(self, names: tuple[str, ...]) -> dict[str, list[float]]:
        """The levels of the factors among these whose numbers stand for labels."""
        return {n: self._columns[n].levels for n in names if self._as_labels(n)}

    def _as_labels(self, name: str) -> bool:
        column = self._columns[name]
        few = column.distinct <= MOST_NUMBERED or called(name, LABELS)
        return column.is_number and few

    def words(self, name: str, response: str) -> str:
        """What a condition is, and what it is taken for."""
        column = self._columns[name]
        if not column.is_number:
            said = f"{name}: {column.distinct} levels that subjects were seen under."
            if called(name, GROUP) and not called(name, CONDITION):
                said += (
                    " If each has subjects of its own, whose labels begin anew, give every subject "
                    "a label of its own in the table."
                )
            return said
        if self._as_labels(name):
            return f"{name}: {column.distinct} numbers, taken for labels by levels:."
        if name not in self._fullest:
            return f"{name}: numbers that rise within each subject, taken for a straight line."
        return (
            f"{name}: {column.distinct} numbers, taken for a straight line; for a mean at each of "
            "them, as in a classical ANOVA, write formula: "
            f"{name_in_formula(response)} ~ C({name_in_formula(name)})"
        )
