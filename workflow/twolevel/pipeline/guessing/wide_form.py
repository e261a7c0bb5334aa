"""A table with one row for each subject, and the measurements in several columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from twolevel.pipeline.guessing.alike import Family, families, stem_of
from twolevel.pipeline.guessing.between import between
from twolevel.pipeline.guessing.evidence import Column, comparable
from twolevel.pipeline.guessing.guess_made import Guess, formulas, group_words, name_in_formula
from twolevel.pipeline.guessing.vocabulary import (
    ATTRIBUTE,
    CONDITION,
    DIMENSION,
    GROUP,
    ORDER,
    RESPONSE,
    TIME,
    called,
    called_subject,
    free,
    usable,
)
from twolevel.pipeline.tables.wide import ROW, columns_read
from twolevel.text.errors import InputError, listed, quoted

# Fewer columns than this beside others of another kind may be alike by chance.
_FEWEST_BESIDE = 3


@dataclass(frozen=True)
class _Measured:
    """The columns with the measurements, the factors that these make, and why it is these."""

    columns: tuple[str, ...]
    factors: dict[str, tuple[str, ...]]
    wide: Any
    response: str
    why: list[str]


def guess_wide(columns: Mapping[str, Column], subject: str | None) -> Guess | None:
    """A study of a table in wide form, whose rows `subject` names; None if it is not."""
    rows = len(next(iter(columns.values())).codes)
    numbers = {
        name: column
        for name, column in columns.items()
        if column.is_number and column.distinct and name != subject and not called_subject(name)
    }
    alike = families(numbers)
    measured = _alike(alike[0], columns) if alike else _in_words(numbers, columns, subject)
    if measured is None or (subject is None and ROW in columns):
        return None
    varying = {name: c for name, c in columns.items() if c.distinct > 1}
    found = between(
        varying, Column(pd.Series(np.arange(rows))), {*filter(None, [subject]), *measured.columns}
    )
    unused = found.unused | _left_out(measured, alike, numbers, columns, found.unused)
    factors = [name_in_formula(factor) for factor in measured.factors]
    formula, simpler = formulas(measured.response, " * ".join(factors), found.groups)
    names = f"{rows:,} labels, another one in every row."
    numbered = "No column names the subjects; every row is one, and its number names it."
    return Guess(
        subject=subject or ROW,
        formula=formula,
        simpler=simpler,
        wide=measured.wide,
        measured=measured.columns,
        condition=next(iter(measured.factors))
        if found.groups and not _names_factors(measured.wide)
        else None,
        levels={n: columns[n].levels for n in found.groups if columns[n].is_number},
        reasons={
            "subject": [names if subject else numbered],
            "wide": [f"One row per subject: {measured.why[0]}", *measured.why[1:]],
            "formula": [
                f"{measured.response}: what these columns hold.",
                *(_factor_words(f, levels) for f, levels in measured.factors.items()),
                *group_words(found.groups, columns),
            ],
        },
        unused=unused,
    )


def _names_factors(wide: Any) -> bool:
    """Whether what stands below wide: says what the factors are called."""
    return isinstance(wide, str) or (
        isinstance(wide, Mapping) and isinstance(next(iter(wide.values())), Mapping)
    )


def _factor_words(factor: str, levels: Sequence[str]) -> str:
    levels = list(dict.fromkeys(levels))
    neutral = re.fullmatch(r"(time|condition)\d*", factor)
    name = "a neutral name, for what tells them apart" if neutral else "as their names have it"
    return f"{factor}: {name}, {len(levels)} levels that subjects were seen under."


def _alike(family: Family, columns: Mapping[str, Column]) -> _Measured:
    """The measurements in columns that are called alike."""
    response, factors = "score", dict(family.factors)
    shared = family.shared
    if shared and usable(shared) and not called(shared, CONDITION):
        response = shared
    elif len(factors) == 1:
        stem = stem_of(next(iter(factors.values())))
        if called(stem, RESPONSE) and usable(stem):
            response = stem
    response = free(response, [*columns, *factors])
    renamed = {name: free(name, [*columns, response]) for name in factors}
    factors = {renamed[name]: levels for name, levels in factors.items()}
    pattern = re.sub(r"\{([^{}]+)\}", lambda m: f"{{{renamed[m[1]]}}}", family.pattern)
    count = len(family.columns)
    why = [f"these {count} columns are called alike."]
    if not family.complete:
        why = [
            f"these {count} columns are called alike, but not for all combinations of what their "
            "names differ by, so they are taken for levels of one factor."
        ]
    if not comparable([columns[name] for name in family.columns]):
        why.append("Their numbers differ much in size: make sure that they measure the same.")
    if all(columns[name].distinct <= 2 for name in family.columns):
        why.append("They hold two different numbers only, and the model is for measurements.")
    wide = _as_written(family.columns, factors, pattern, response, columns)
    return _Measured(family.columns, factors, wide, response, why)


def _as_written(
    names: Sequence[str],
    factors: Mapping[str, tuple[str, ...]],
    pattern: str,
    response: str,
    columns: Mapping[str, Column],
) -> Any:
    """What to write below wide: names, a pattern if it says the same, or names with levels."""
    if len(factors) == 1 and next(iter(factors.values())) == tuple(names):
        return list(names)
    levels = dict(zip(names, zip(*factors.values(), strict=True), strict=True))
    formula = " + ".join(map(name_in_formula, factors))
    try:
        row = free(ROW, columns)
        made = columns_read(f"{response} ~ {formula}", row, pattern, None, [*columns, row], "")[1]
    except InputError:
        made = None
    if made is not None and made.levels == levels:
        return pattern
    if len(factors) == 1:
        return {level: name for name, (level,) in levels.items()}
    return {name: dict(zip(factors, found, strict=True)) for name, found in levels.items()}


def _in_words(
    numbers: Mapping[str, Column], columns: Mapping[str, Column], subject: str | None
) -> _Measured | None:
    """The measurements in columns whose names share nothing, but their numbers are of one kind."""
    candidates = {
        name: column
        for name, column in numbers.items()
        if column.distinct > 1
        and not called(name, f"{ATTRIBUTE}|{GROUP}|{DIMENSION}")
        and not (called(name, ORDER) and column.runs)
    }
    if any(column.distinct > 2 for column in candidates.values()):
        candidates = {name: c for name, c in candidates.items() if c.distinct > 2}
    best: list[str] = []
    for start in candidates.values():
        near = [name for name, c in candidates.items() if comparable([start, c])]
        if len(near) > len(best) and comparable([candidates[name] for name in near]):
            best = near
    beside = len(best) < len(candidates)
    if len(best) < 2 or (beside and (subject is None or len(best) < _FEWEST_BESIDE)):
        return None
    time = all(re.fullmatch(TIME, name.casefold()) for name in best)
    factor = free("time" if time else "condition", columns)
    response = free("score", columns)
    why = f"these {len(best)} columns hold numbers of about the same size."
    return _Measured(tuple(best), {factor: tuple(best)}, best, response, [why])


def _left_out(
    measured: _Measured,
    alike: Sequence[Family],
    numbers: Mapping[str, Column],
    columns: Mapping[str, Column],
    unused: Mapping[str, str],
) -> dict[str, str]:
    """Better reasons for leaving out columns that are called like others."""
    reasons: dict[str, str] = {}
    for family in alike:
        for name in family.columns:
            if name in unused and not set(family.columns) & set(measured.columns):
                reasons.setdefault(
                    name, "called alike, perhaps another measurement, and so another study"
                )
    for name, column in columns.items():
        if name in unused and name not in numbers and _called_like(name, measured):
            if text := column.text_among_numbers:
                others = listed(map(quoted, measured.columns))
                raise InputError(
                    f"column {quoted(name)} is called like {others}, and holds {quoted(text)} "
                    "among numbers; write a number there, or leave the cell empty"
                )
            reasons[name] = "called like the measurements, but it holds labels and no numbers"
    return reasons


def _called_like(name: str, measured: _Measured) -> bool:
    """Whether a column is called as those with the measurements are."""
    one = Column(pd.Series([0, 1]))
    names = {name, *measured.columns}
    return any(f.complete and names == set(f.columns) for f in families(dict.fromkeys(names, one)))
