"""The random part that one subject's data support: what is random where a formula has no bars.

A subject with one row under each condition supports an intercept only. One that meets a condition
repeatedly shows its own effect of the condition apart from the residual, and one seen at three
values of a number or more its own slope. So the candidates are, in the order of the terms,

- for each term of factors that vary within subjects, an effect of each subject's cells, (1 | id:a):
  the error stratum of the partitioned ANOVA;
- for each number that does, a line through each subject's rows, (1 + x | id); in an interaction
  with such factors a line through those of each cell, (1 + x | id:a).

A number with two values is taken as a factor. A number that stands in one transform alone has its
line in that, (1 + log(x) | id); where its effect is a curve, of several columns, subjects differ
from the curve by a line in the number itself, which is the most that three values can show. Terms
that vary between subjects only add nothing.

A subject supports an effect of its cells where it meets two at least, one of them repeatedly, and
where they divide its rows otherwise than the cells of a term before. It supports a line where its
rows (those of two cells at least) have three different values, one more for each line before, and
the number is there no combination of the numbers before. A candidate is in the model where half of
the subjects or more support it, so that neither a row too many here and there nor a handful of
subjects makes a variance, and missing rows do not take one away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import independent_columns
from twolevel.design.variables import is_factor
from twolevel.numeric.standardised import Standardised
from twolevel.random.bars import Bar, written
from twolevel.random.own_levels import OwnLevels, numbered
from twolevel.random.support_reasons import Reason

# The share of a number's squares, around the mean of a subject's, that is not its rounding.
_ROUNDING = 1e-10
# Subjects up to which it takes longer to find those that are alike than to count them all.
_FEW = 1_000


@dataclass(frozen=True)
class Candidate:
    """An effect that subjects could have of their own.

    term is the formula's, number the text of the number with a line (None of an effect of cells),
    factors those whose levels make the cells. So many subjects support it; reason says why it is
    not in the model, None where it is.
    """

    term: str
    number: str | None
    factors: tuple[str, ...]
    subjects: int
    reason: Reason | None


@dataclass(frozen=True)
class Support:
    """What n subjects' data support: the candidates, and the bars of those in the model."""

    subject: str
    n_subjects: int
    candidates: tuple[Candidate, ...]

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The random part, the subject's intercept first."""
        of_cells: dict[tuple[str, ...], list[str]] = {(): []}
        for each in self.candidates:
            if each.reason is None:
                of_cells.setdefault(each.factors, []).extend(filter(None, [each.number]))
        return tuple(
            Bar(" + ".join(["1", *numbers]), (self.subject, *factors))
            for factors, numbers in of_cells.items()
        )

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {
            "random": " + ".join(map(str, self.bars)),
            "n_subjects": self.n_subjects,
            "candidates": [vars(each) for each in self.candidates],
        }


def supported(design: DesignMatrix) -> Support:
    """What the subjects' rows of a design support.

    Of a table in shards, what those support of which its sample has all rows; of few subjects with
    many rows each, it has a part of the rows of each.
    """
    design, weights = _one_of_each(_of_whole_subjects(design))
    cells = within_factors(design)
    lines = _lines(design, cells)
    count, found, seen = _Count(design, cells, weights), list[Candidate](), set()
    for term in design.tested_terms:
        variables = [n for n in design.variables.columns if n in design.encoding.variables_of(term)]
        factors = tuple(name for name in variables if name in cells)
        of_term: list[_Line | None] = [lines[name] for name in variables if name in lines]
        for line in of_term or [None] * bool(factors):
            number = None if line is None else line.text
            if (number, factors) in seen:
                continue
            seen.add((number, factors))
            support, reason = count.cells(factors) if line is None else count.line(line, factors)
            found.append(Candidate(term, number, factors, int(weights @ support), reason))
    return Support(design.subject, int(weights.sum()), tuple(found))


def _of_whole_subjects(design: DesignMatrix) -> DesignMatrix:
    """The design of the subjects with all their rows, unless most rows are those of others."""
    here = design.with_all_rows
    if here.all() or 2 * here[design.codes].sum() < len(design.codes):
        return design
    return design.of_subjects(np.flatnonzero(here))


def _one_of_each(design: DesignMatrix) -> tuple[DesignMatrix, np.ndarray]:
    """The design of one subject of each kind, and how many there are of it (P,).

    Subjects are of a kind where all variables are factors and their rows fall into the same cells.
    """
    n = len(design.subjects)
    if design.cells.codes is None or n <= _FEW:
        return design, np.ones(n, dtype=np.intp)
    _, pattern = design.subject_rows.patterns(design.cells)
    _, first, counts = np.unique(pattern, return_index=True, return_counts=True)
    return (design, counts) if len(first) == n else (design.of_subjects(first), counts)


def within_factors(design: DesignMatrix) -> dict[str, pd.Categorical]:
    """The variables that divide subjects' rows into cells, as factors."""
    found = {}
    for name, values in design.variables.columns.items():
        if not is_factor(values) and len(levels := pd.unique(values)) == 2:
            values = pd.Categorical(values, np.sort(levels))
        if is_factor(values) and design.varies_within(name):
            found[name] = values
    return found


@dataclass(frozen=True, eq=False)
class _Line:
    """A number's text in a formula, and its values (N,), centred and scaled."""

    text: str
    values: np.ndarray


def _lines(design: DesignMatrix, cells: Collection[str]) -> dict[str, _Line]:
    """What subjects' own lines are lines in, by the numbers that vary within subjects."""
    encoding, found = design.encoding, {}
    values = [number.expr for number in encoding.numbers], encoding.values(design.variables)
    of_text = dict(zip(*values, strict=True))
    for name, column in design.variables.columns.items():
        if is_factor(column) or name in cells or not design.varies_within(name):
            continue
        places = encoding.places_of(name)
        if len(places) == 1 and places[0] in of_text:
            plain = encoding.shown(places[0]) == name
            text = written(name) if plain else encoding.shown(places[0])
            found[name] = _Line(text, of_text[places[0]])
        else:
            found[name] = _Line(written(name), Standardised.of(column).of_values(column))
    return found


class _Count:
    """Counts, candidate by candidate, the subjects that support each beside those before it."""

    def __init__(
        self, design: DesignMatrix, factors: Mapping[str, pd.Categorical], weights: np.ndarray
    ) -> None:
        self.rows, self.factors, self.weights = design.subject_rows, factors, weights
        self.n = len(design.subjects)
        # What is in the model: the factors of its cells, and of its lines at some factors' cells
        # the values that are no combination of those before, and which points they pass.
        self.of_cells: list[tuple[str, ...]] = []
        self.of_lines: dict[tuple[str, ...], tuple[list[np.ndarray], np.ndarray]] = {}
        self.same: set[tuple[str, ...]] = set()
        self._known: dict[frozenset[str], tuple[np.ndarray, np.ndarray]] = {
            frozenset(): (self.rows.codes, np.ones(self.n, dtype=np.intp))
        }

    def cells(self, names: tuple[str, ...]) -> tuple[np.ndarray, Reason | None]:
        """The subjects (n,) that support effects of cells, and why these are not in the model."""
        own = self._counts(names)
        several = own > 1
        repeated = several & (self.rows.counts > own)
        apart = repeated.copy()
        for before in self.of_cells:
            joint = self._counts({*before, *names})
            apart &= (joint > own) | (joint > self._counts(before))
        reason = self._reason(
            ("one cell", several), ("single rows", repeated), ("same cells", apart)
        )
        if reason is None and self._combined(names):
            reason = "combination"
        if reason is None:
            self.of_cells.append(names)
        elif reason == "same cells":
            self.same.add(names)
        return apart, reason

    def line(self, line: _Line, names: tuple[str, ...]) -> tuple[np.ndarray, Reason | None]:
        """The subjects (n,) that support lines of cells, and why these are not in the model."""
        cell, counts = self._cells(names)
        G, N = int(counts.sum()), len(cell)
        before, points = self.of_lines.get(names, ([], np.zeros(N, dtype=np.intp)))

        def sums(values: np.ndarray) -> np.ndarray:
            return np.bincount(cell, values, minlength=G)

        centred = line.values - (sums(line.values) / np.bincount(cell, minlength=G))[cell]
        rest = centred
        for other in before:
            squares = sums(other * other)
            ratio = np.divide(sums(rest * other), squares, where=squares > 0, out=np.zeros(G))
            rest = rest - ratio[cell] * other
        codes, values = pd.factorize(line.values)
        points = numbered(points * len(values) + codes, (int(points.max()) + 1) * len(values))[0]
        P = int(points.max()) + 1
        passed = np.bincount(numbered(cell * P + points, G * P)[1] // P, minlength=G)
        enough = passed >= 3 + len(before)
        straight = enough & (sums(rest * rest) > _ROUNDING * sums(centred * centred))
        support = self._subjects(straight, counts)
        reason = self._reason(
            ("few values", self._subjects(enough, counts)), ("collinear", support)
        )
        if reason is None and self.weights @ counts * (2 + len(before)) >= self._rows:
            reason = "few rows"
        if reason is None and names in self.same:
            reason = "same cells"
        if reason is None:
            self.of_lines[names] = ([*before, rest], points)
        return support, reason

    def _reason(self, *conditions: tuple[Reason, np.ndarray]) -> Reason | None:
        """The first of some reasons whose condition (n,) fewer than half of the subjects meet."""
        half = self.weights.sum() / 2
        return next((reason for reason, met in conditions if self.weights @ met < half), None)

    def _cells(self, names: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
        """The cell (N,) of each row, and how many cells each subject meets (n,)."""
        key = frozenset(names)
        if key not in self._known:
            factors = {name: self.factors[name] for name in key}
            own, levels = OwnLevels.of(self.rows.codes, self.n, factors)
            cell = own.first[self.rows.codes] + levels
            self._known[key] = cell, np.diff(own.first, append=own.count)
        return self._known[key]

    @property
    def _rows(self) -> int:
        """N, the number of all rows."""
        return int(self.weights @ self.rows.counts)

    def _counts(self, names: Collection[str]) -> np.ndarray:
        return self._cells(names)[1]

    def _subjects(self, cells: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The subjects (n,) of which two cells, or all where there is one, are among some (G,)."""
        owner = np.repeat(np.arange(self.n), counts)
        return np.bincount(owner[cells], minlength=self.n) >= (1 if len(cells) == self.n else 2)

    def _combined(self, names: tuple[str, ...]) -> bool:
        """Whether Z Z' of cells is a combination of those in the model, of J_i and of I.

        The inner product of two such matrices is the sum of squared counts of the joint cells.
        """
        parts: list[tuple[str, ...]] = [(), *self.of_cells, names]
        gram = np.full((len(parts) + 1,) * 2, float(self._rows))  # with I last but one
        where = [*range(len(parts) - 1), len(parts)]
        for i, one in zip(where, parts, strict=True):
            for j, other in zip(where, parts, strict=True):
                if i <= j:
                    cell, counts = self._cells({*one, *other})
                    often = np.repeat(self.weights, counts)
                    gram[i, j] = gram[j, i] = often @ np.bincount(cell).astype(float) ** 2
        return len(gram) - 1 not in independent_columns(gram, np.diag(gram))
