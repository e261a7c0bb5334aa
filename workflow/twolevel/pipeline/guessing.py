"""What the columns of a table are, guessed from names and values, each guess with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from twolevel.errors import InputError, listed, quoted

# Words in the names of columns, in the languages that such tables come in.
SUBJECT = (
    r"subj|(^|_)id$|^id|ppt|partic|proband|vpn?$|patient|person|case|child|pupil|respond|animal"
)
SUBJECT += r"|sujet|sujeto|name|code|nr$|^no$|rat$|mouse"
RESPONSE = r"^y$|score|resp|value|^rt|rt$|time_ms|outcome|^dv$|measure|rating|points|yield|level_of"
CONDITION = r"cond|time|visit|day|week|month|session|phase|trial|treat|dose|occasion|wave|task|item"

MOST_LEVELS = 50
# More distinct numbers than this are a scale, not labels.
MOST_NUMBERED = 6
# Of many columns, so many are looked at as subjects and as conditions: all pairs would take hours.
MOST_SUBJECTS, MOST_FACTORS = 20, 10
# Share of the cells (one subject under one level) that must be filled for a crossing.
CROSSED = 0.5


@dataclass
class Guess:
    """A study's table, in the config's own keys, with a reason for each."""

    subject: str
    formula: str
    reasons: dict[str, list[str]]
    crossed: bool = False  # with conditions, one row under each
    wide: dict[str, str] | None = None
    condition: str | None = None
    simpler: list[str] = field(default_factory=list)  # formulas to fall back to
    unused: dict[str, str] = field(default_factory=dict)  # columns left out, and what they are


def guess(table: pd.DataFrame) -> Guess:
    """Guess subject, condition, response and groups of a table. Raises InputError where it can't.

    In a long table the subject is a column whose labels come back, and the condition one whose
    levels these are crossed with; in a wide one every row is a subject, and numbers stand in
    several columns that are called alike.
    """
    columns = {name: _Column(table[name]) for name in table if name.strip()}
    useful = {name: c for name, c in columns.items() if c.distinct > 1}
    if len(table) < 3 or len(useful) < 2:
        raise InputError(
            f"found {len(table)} rows and {len(useful)} columns that are not the same throughout; "
            "expected a column for the subject, one for the response, and several rows of each "
            "subject"
        )
    rows, ids = len(table), _ids(useful, len(table))
    found = _long(useful, rows)
    named = any(_called(name, SUBJECT) for name in ids)
    # In long tables too, rows may be numbered; only subjects crossed with conditions tell.
    sure = found is not None and found.crossed and (not named or _called(found.subject, SUBJECT))
    if ids and not sure:
        found = _wide(useful, rows) or found
    if found is None:
        raise InputError(
            "no two columns look like subjects and their measurements; the columns are "
            f"{listed((c.words(name) for name, c in columns.items()), 30)}. Write the study by "
            "hand: README.md has an example"
        )
    return found


class _Column:
    """A column's values as codes, and what they could be."""

    def __init__(self, values: pd.Series) -> None:
        self.is_number = pd.api.types.is_numeric_dtype(values)
        self.is_whole = pd.api.types.is_integer_dtype(values)
        self.codes, labels = pd.factorize(values)
        self.labels = [str(label) for label in labels[: MOST_LEVELS + 1]]
        self.distinct = len(labels)
        self.missing = int((self.codes < 0).sum())
        self.counts = np.bincount(self.codes[self.codes >= 0])

    def words(self, name: str) -> str:
        """What the column holds, in words."""
        kind = ("whole numbers" if self.is_whole else "numbers") if self.is_number else "labels"
        return f"{quoted(name)} ({self.distinct:,} different {kind})"

    def constant_within(self, other: _Column) -> bool:
        """Whether all rows with one label of another column have one value here."""
        both = (self.codes >= 0) & (other.codes >= 0)
        first = np.full(other.distinct, -1)
        first[other.codes[both][::-1]] = self.codes[both][::-1]
        return bool((first[other.codes[both]] == self.codes[both]).all())

    def cells(self, other: _Column) -> tuple[int, int]:
        """How many pairs of labels of both columns occur, and the rows in the fullest."""
        both = (self.codes >= 0) & (other.codes >= 0)
        pairs = self.codes[both].astype(np.int64) * other.distinct + other.codes[both]
        _, counts = np.unique(pairs, return_counts=True)
        return len(counts), int(counts.max())


def _called(name: str, words: str) -> bool:
    return re.search(words, name.casefold()) is not None


def _ids(columns: dict[str, _Column], rows: int) -> list[str]:
    """The columns that have another label or whole number in every row."""
    return [n for n, c in columns.items() if c.distinct == rows and c.is_whole >= c.is_number]


def _wide(columns: dict[str, _Column], rows: int) -> Guess | None:
    subject = max(
        _ids(columns, rows), key=lambda n: (_called(n, SUBJECT), not columns[n].is_number)
    )
    numbered: dict[tuple[str, str], dict[str, str]] = {}
    for name, column in columns.items():
        if column.is_number and name != subject:
            for match in re.finditer(r"\d+", name):
                around = name[: match.start()], name[match.end() :]
                numbered.setdefault(around, {})[match.group()] = name
    alike = max(numbered.values(), key=len, default={})
    if len(alike) > 1:
        wide, why = {name: name for name in alike.values()}, "are called alike but for a number"
    else:
        measured = [
            n
            for n, c in columns.items()
            if c.is_number
            and n != subject
            and not _called(n, r"^age|alter|year|birth|weight|height")
        ]
        if len(measured) < 2:
            return None
        wide, why = {name: name for name in measured}, "hold numbers"
    groups, unused = _between(columns, subject, {subject, *wide.values()})
    condition, response = _free("time", columns), _free("score", columns)
    formula, simpler = _formula(response, condition, groups)
    return Guess(
        subject=subject,
        formula=formula,
        simpler=simpler,
        wide=wide,
        condition=condition if groups else None,
        reasons={
            "subject": [f"{rows:,} labels, another one in every row."],
            "wide": [f"One row per subject: these {len(wide)} columns {why}."],
            "formula": [
                f"{response}: a new name, for what these columns hold.",
                f"{condition}: a new name, for what tells them apart.",
                *_group_words(groups, columns),
            ],
        },
        unused=unused,
    )


def _long(columns: dict[str, _Column], rows: int) -> Guess | None:
    pairs = []
    subjects = [
        name
        for name, s in columns.items()
        if (s.is_whole or not s.is_number) and s.distinct <= rows / 2 and s.counts.max() > 1
    ]
    subjects.sort(key=lambda name: (_called(name, SUBJECT), columns[name].distinct), reverse=True)
    for subject in subjects[:MOST_SUBJECTS]:
        s, factors = columns[subject], _Factors(columns, subject)
        for response, y in columns.items():
            if response == subject or not y.is_number or y.constant_within(s):
                continue
            conditions, crossing = factors.without(response)
            score = (
                3 * _called(subject, SUBJECT)
                + 2 * _called(response, RESPONSE)
                - 2 * _called(response, SUBJECT + "|" + CONDITION)
                - 2 * _called(subject, CONDITION)
                + 2 * crossing
                + (not y.is_whole)
                + (y.distinct > s.distinct) / 2
                + s.distinct / (s.distinct + y.distinct)
                + (s.distinct > max((columns[c].distinct for c in conditions), default=0))
            )
            pairs.append((score, subject, response, conditions))
    if not pairs:
        return None
    _, subject, response, conditions = max(pairs, key=lambda p: p[0])
    s = columns[subject]
    groups, unused = _between(columns, subject, {subject, response, *conditions})
    terms = [_term(name, columns[name]) for name in conditions]
    formula, simpler = _formula(_name(response), " * ".join(terms) or None, groups)
    labels = [
        f"C({_name(name)})" if columns[name].is_number else _name(name) for name in conditions
    ]
    as_labels, _ = _formula(_name(response), " * ".join(labels) or None, groups)
    each = f"{s.counts.min()} to {s.counts.max()}" if np.ptp(s.counts) else f"{s.counts.max()}"
    reasons = {
        "subject": [f"{s.distinct:,} labels, each in {each} rows."],
        "formula": [
            f"{response}: numbers that differ within subjects.",
            *(_condition_words(name, columns[name], as_labels) for name in conditions),
            *_group_words(groups, columns),
        ],
    }
    taken = {subject, response, *conditions, *groups, *unused}
    unused |= {name: c.words(name) for name, c in columns.items() if name not in taken}
    crossed = bool(conditions) and s.cells(_crossing(columns, conditions))[1] == 1
    return Guess(subject, formula, reasons, crossed, simpler=simpler, unused=unused)


class _Factors:
    """The factors that subjects are crossed with, the likeliest conditions first."""

    def __init__(self, columns: dict[str, _Column], subject: str) -> None:
        self._columns, self._subject = columns, columns[subject]
        self._fullest: dict[str, int] = {}
        self._crossings: dict[tuple[str, ...], tuple[int, float]] = {}
        for name, column in columns.items():
            if name == subject or not 1 < column.distinct <= MOST_LEVELS:
                continue
            if column.is_number and not column.is_whole:
                continue
            if column.constant_within(self._subject) or self._subject.constant_within(column):
                continue
            filled, fullest = self._subject.cells(column)
            if filled >= CROSSED * self._subject.distinct * column.distinct:
                self._fullest[name] = fullest
        self._ranked = sorted(self._fullest, key=self._rank, reverse=True)

    def _rank(self, name: str) -> tuple:
        column = self._columns[name]
        return (-self._fullest[name], _called(name, CONDITION), not column.is_number)

    def _crossed(self, *names: str) -> tuple[int, float]:
        """The rows in the fullest cell, and how well subjects are crossed with all of these."""
        if names not in self._crossings:
            levels = _crossing(self._columns, names)
            filled, fullest = self._subject.cells(levels)
            share = filled / (self._subject.distinct * levels.distinct)
            self._crossings[names] = fullest, (fullest == 1) + share
        return self._crossings[names]

    def without(self, response: str) -> tuple[list[str], float]:
        """One factor, or two where cells then hold one row, and how well subjects are crossed."""
        names = [name for name in self._ranked[: MOST_FACTORS + 1] if name != response]
        if not names:
            return [], 0.0
        best = names[:1]
        if self._fullest[best[0]] > 1:
            for pair in combinations(names, 2):
                one, other = (self._columns[name] for name in pair)
                if self._crossed(*pair)[0] == 1 and not one.constant_within(other):
                    best = list(pair)
                    break
        return best, self._crossed(*best)[1]


def _crossing(columns: dict[str, _Column], names: Sequence[str]) -> _Column:
    """The combinations of one or two factors' levels."""
    codes = columns[names[0]].codes
    for name in names[1:]:
        codes = codes * columns[name].distinct + columns[name].codes
    return _Column(pd.Series(codes))


def _between(
    columns: dict[str, _Column], subject: str, taken: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """The one factor that groups subjects, if there is one, and what else differs between them."""
    s, groups, others = columns[subject], [], {}
    for name, column in columns.items():
        if name in taken or not column.constant_within(s):
            continue
        first = np.unique(s.codes, return_index=True)[1]
        sizes = np.bincount(column.codes[first][column.codes[first] >= 0])
        labels = not column.is_number and column.distinct <= 10 and not column.missing
        if labels and sizes[sizes > 0].min() > 1 and not groups:
            groups.append(name)
        else:
            others[name] = column.words(name)
    return groups, others


def _formula(response: str, condition: str | None, groups: Sequence[str]) -> tuple[str, list[str]]:
    """The fullest formula, and simpler ones."""
    names = [_name(group) for group in groups]
    terms = [t for t in (condition, *names) if t]
    forms = [" * ".join(terms), " + ".join(terms), condition, "1"]
    formulas = list(dict.fromkeys(f"{response} ~ {form}" for form in forms if form))
    return formulas[0], formulas[1:]


def _name(column: str) -> str:
    """A column's name as it stands in formulas."""
    return column if re.fullmatch(r"[^\W\d]\w*", column) else f"`{column}`"


def _term(name: str, column: _Column) -> str:
    """A condition's term: few numbers are labels, many a scale."""
    as_labels = column.is_number and column.distinct <= MOST_NUMBERED
    return f"C({_name(name)})" if as_labels else _name(name)


def _condition_words(name: str, column: _Column, as_labels: str) -> str:
    if column.is_number and column.distinct <= MOST_NUMBERED:
        return f"{name}: {column.distinct} numbers, taken for labels by C()."
    if column.is_number:
        return (
            f"{name}: {column.distinct} numbers, taken for a straight line; for a mean at each of "
            f"them, as in a classical ANOVA, write formula: {as_labels}"
        )
    return f"{name}: {column.distinct} levels that subjects were seen under."


def _group_words(groups: Sequence[str], columns: dict[str, _Column]) -> list[str]:
    return [f"{name}: {columns[name].distinct} groups of subjects." for name in groups]


def _free(name: str, columns: Iterable[str]) -> str:
    """A name that no column has."""
    while name in columns:
        name += "_"
    return name
