"""From a user's table to observations: the project's columns, checked to support a model.

Nothing here walks through rows in Python unless there is a row to complain about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.formula import parse
from twolevel.pipeline.tables.column_types import (
    as_numbers,
    complete,
    factor,
    is_number,
    ordered,
    refuse_dates,
    refuse_infinite,
    refuse_long_labels,
    refuse_numbers_as_text,
    refuse_text_among_numbers,
    refuse_twin_labels,
)
from twolevel.pipeline.tables.likely_codes import LikelyCode, Range, likely_codes
from twolevel.pipeline.tables.missing_values import Coded, MissingValues, codes_of, refuse_absent
from twolevel.pipeline.tables.places import Places
from twolevel.pipeline.tables.stored import POSITION
from twolevel.pipeline.tables.table_files import columns_needed, header, read_table
from twolevel.pipeline.tables.wide import Wide, columns_read, lengthened
from twolevel.text.errors import InputError, listed, quoted

MAX_NUMERIC_CONDITIONS = 50
MAX_LEVELS = 1000
# The response differs by as many steps of its last digit at least, or rounding is what is analysed.
FEWEST_STEPS = 1000
# Cells up to which they are counted in an array over all of them.
_MANY_CELLS = 50_000_000


@dataclass(frozen=True, eq=False)
class Loaded:
    """A table in the project's own columns: subject, condition, response, and further ones.

    `columns` maps each of them to its name in the user's table (`condition` is absent when there
    is none), `source_rows` gives each row's number there (the first below the header is 1),
    `dropped` counts the missing values per column of the user's table for which rows were left
    out, and `rows_read` counts the rows before that. `facts` say how the files were read,
    `coded` how often a code stood for a missing value, by column, and `likely` which numbers look
    like such codes.
    """

    data: pd.DataFrame
    columns: dict[str, str]
    source_rows: np.ndarray
    dropped: dict[str, int]
    rows_read: int
    facts: dict[str, str]
    coded: Coded
    likely: list[LikelyCode]

    def summary(self) -> dict:
        """What there is to tell of the loading, as plain values for JSON."""
        return {
            "rows_read": self.rows_read,
            "dropped": self.dropped,
            "facts": self.facts,
            "coded": self.coded,
            "likely_codes": [found.plain() for found in self.likely],
            "levels": {
                name: list(self.data[stored].cat.categories)
                for stored, name in self.columns.items()
                if stored != "subject" and not is_number(self.data[stored])
            },
        }


def observations(
    table: pd.DataFrame,
    *,
    formula: str,
    subject: str,
    where: str,
    condition: str | None = None,
    missing: str = "refuse",
    replicates: str = "refuse",
    levels: Mapping[str, Sequence[str]] | None = None,
    place: Places | None = None,
    facts: Mapping[str, str] | None = None,
    coded: Coded | None = None,
) -> Loaded:
    """Bring a user's table into the project's columns and check that a model can be fitted to it.

    `where` names study and file in messages, `place` a value in them. The condition is the one
    named, else the first variable of the formula that is not numeric and varies within a subject,
    else the first numeric one with few values that does, else a constant. `levels` gives the order
    of factors' levels, which is otherwise that of the file. Raises InputError.
    """
    names = parse(formula)
    used = columns_needed(formula, subject)
    place = place or Places(where)
    if not len(table):
        raise InputError(f"{where}: found a header and no rows; add the observations")
    frame = {name: table[name].reset_index(drop=True) for name in used}
    for name, values in frame.items():
        if not is_number(values) or name == subject:
            frame[name] = factor(values)
        if name != subject and not is_number(frame[name]):
            refuse_text_among_numbers(frame[name], name == names.response, place)
            if name not in (*place.made, names.response, *(levels or {})):
                refuse_dates(frame[name], formula, place)
                refuse_numbers_as_text(frame[name], coded or {}, formula, place)
    for name in (levels or {}).keys() & set(names.variables):
        frame[name] = ordered(frame[name], list(levels[name]), place)
    if not is_number(frame[names.response]):
        frame[names.response] = as_numbers(frame[names.response])
    kept, dropped = complete(frame, missing, place, coded)
    if not len(kept):
        raise InputError(
            f"{where}: every row lacks a value in one of {listed(map(quoted, dropped))}; "
            "expected some complete rows"
        )
    for name, values in frame.items():
        values = values[kept].reset_index(drop=True) if dropped else values
        if is_number(values):
            whole = pd.api.types.is_integer_dtype(values) and name != names.response
            values = values.astype("int64" if whole else "float64")
            refuse_infinite(values, kept, place)
        else:
            # Levels that only rows left out had go.
            values = values.cat.remove_unused_categories()
            refuse_long_labels(values, kept, place)
            refuse_twin_labels(values, kept, place)
        frame[name] = values
    subjects = frame[subject].cat.codes.to_numpy()
    seen = Seen(
        rows=len(kept),
        subjects=frame[subject].cat.categories,
        factors={name for name in used if not is_number(frame[name])},
        single={
            name: values.iloc[0]
            for name, values in frame.items()
            if name != subject and (values == values.iloc[0]).all()
        },
        varying={name for name in names.variables if _varies_within(frame[name], subjects)},
        distinct={name: frame[name].nunique() for name in names.variables},
        span=(frame[names.response].min(), frame[names.response].max()),
    )
    condition, columns = roles(seen, formula, subject, condition, where)
    if condition is not None and replicates == "refuse":
        _refuse_duplicates(frame[subject], frame[condition], kept, where, place)
    data = pd.DataFrame({stored: frame[name].array for stored, name in columns.items()})
    if condition is None:
        data.insert(1, "condition", pd.Categorical(["all"]).repeat(len(data)))
    ranges = {}
    for name, values in frame.items():
        if is_number(values) and name != condition:
            ranges[name] = Range()
            ranges[name].add(values)
    likely = likely_codes(ranges)
    return Loaded(
        data, columns, kept + 1, dropped, len(table), dict(facts or {}), coded or {}, likely
    )


@dataclass(frozen=True)
class Seen:
    """What the roles of columns depend on, in a whole table or added up over its parts.

    rows and subjects are those that are kept; factors are the columns that are no numbers, single
    those with one value throughout, and that value; varying are variables that differ within some
    subject, distinct the numbers of their different values; span is the lowest and the
    highest response.
    """

    rows: int
    subjects: pd.Index
    factors: set[str]
    single: dict[str, Any]
    varying: set[str]
    distinct: dict[str, int]
    span: tuple[float, float]


def roles(
    seen: Seen, formula: str, subject: str, condition: str | None, where: str
) -> tuple[str | None, dict[str, str]]:
    """The condition, and the project's name for each column with the user's. Raises InputError."""
    names = parse(formula)
    column = f"{where}: column {quoted(subject)}"
    if len(seen.subjects) == 1:
        raise InputError(
            f"{column}: found one subject only ({quoted(seen.subjects[0])}), expected at least "
            "two; name the right column in subject: or add subjects"
        )
    if len(seen.subjects) == seen.rows:
        raise InputError(
            f"{column}: every subject has one row only, so that sigma_between and sigma_within "
            "cannot be told apart; name the right column in subject: or add repeated measurements "
            "(if the conditions are columns of their own, name them in wide:)"
        )
    for name in names.variables:
        if name in seen.factors and seen.distinct[name] > MAX_LEVELS:
            raise InputError(
                f"{where}: column {quoted(name)}: found {seen.distinct[name]:,} different labels, "
                f"expected at most {MAX_LEVELS:,} levels of a factor; name the right column in the "
                "formula"
            )
    for name in (names.response, *names.variables):
        if name not in seen.single:
            continue
        found = f"{where}: column {quoted(name)}: every row holds {quoted(seen.single[name])}"
        if name == names.response:
            raise InputError(f"{found}, expected a response that varies; name the right column")
        raise InputError(
            f"{found}, expected at least two levels; leave it out of the formula"
            f"{_without(formula, seen.single.keys() & set(names.variables))}"
        )
    low, high = seen.span
    step = np.spacing(max(abs(low), abs(high)))
    if high - low < FEWEST_STEPS * step:
        raise InputError(
            f"{where}: column {quoted(names.response)}: lies between {low:.17g} and {high:.17g}, "
            f"where numbers differ by {step:.2g} at least, so that their last digits are lost; "
            "subtract a constant from all of them in the table"
        )
    if condition is None:
        within = [name for name in names.variables if name in seen.varying]
        few = [n for n in within if n not in seen.factors]
        few = [n for n in few if seen.distinct[n] <= MAX_NUMERIC_CONDITIONS]
        condition = next((n for n in (*(n for n in within if n in seen.factors), *few)), None)
    elif condition not in seen.varying:
        raise InputError(
            f"{where}: column {quoted(condition)}: varies within no subject, so it is not the "
            "condition of repeated measurements; name another or leave out condition:"
        )
    columns = {"subject": subject, "response": names.response}
    if condition is not None:
        columns = {"subject": subject, "condition": condition, "response": names.response}
    used = columns_needed(formula, subject)
    for name in used:
        if name not in columns.values():
            stored = name
            while (
                stored in ("subject", "condition", "response", POSITION)
                or stored in columns
                or (stored != name and stored in used)
            ):
                stored += "_"
            columns[stored] = name
    return condition, columns


def _without(formula: str, gone: Collection[str]) -> str:
    """A formula without some variables, in words; nothing where it has more than names, + and *."""
    left, right = formula.split("~")
    products = [[name.strip() for name in part.split("*")] for part in right.split("+")]
    if not all(re.fullmatch(r"[^\W\d]\w*|`[^`]*`", n) for part in products for n in part):
        return " and keep its other terms"
    kept = [[name for name in part if name.strip("`") not in gone] for part in products]
    terms = " + ".join(dict.fromkeys(" * ".join(part) for part in kept if part))
    return f", which is then {left.strip()} ~ {terms or 1}"


def load_table(
    data: str | Path,
    study: str,
    *,
    formula: str,
    subject: str,
    wide: Wide | None = None,
    condition: str | None = None,
    read: Mapping[str, str] | None = None,
    missing_values: MissingValues = (),
    **options: Any,
) -> Loaded:
    """Read a study's table: `read_table`, then `observations` with its options.

    A table in wide form is turned long first. Raises InputError that names the study and the file.
    """
    where = f"study {study}"
    response, place = parse(formula).response, f"{where}: {data}"
    found = header(data, where, read)
    columns, cells = columns_read(formula, subject, wide, condition, found, place)
    numeric = list(cells.levels) if cells else [response]
    codes = codes_of(missing_values, columns, subject, response, cells, place)
    table = read_table(data, columns, where, (subject,), numeric, read, codes)
    refuse_absent(codes, missing_values, table.coded, place)

    places, rows = Places(place, table.files, table.rows), table.data
    if cells:
        for name in numeric:
            if not is_number(rows[name]):
                refuse_text_among_numbers(rows[name], True, places)
        rows = lengthened(rows, cells, response, subject)
        places = replace(places, wide=numeric, made=(*cells.factors, response))
    return observations(
        rows,
        formula=formula,
        subject=subject,
        condition=condition,
        where=place,
        place=places,
        facts=table.facts,
        coded=table.coded,
        **options,
    )


def _varies_within(values: pd.Series, subjects: np.ndarray) -> bool:
    codes = pd.factorize(values)[0]
    first = np.zeros(subjects.max() + 1, dtype=codes.dtype)
    first[subjects[::-1]] = codes[::-1]
    return bool((codes != first[subjects]).any())


def _refuse_duplicates(
    subjects: pd.Series, conditions: pd.Series, rows: np.ndarray, where: str, place: Places
) -> None:
    """Refuse a few cells with more rows than the one that is usual in this table."""
    codes, labels = pd.factorize(conditions)
    cells = subjects.cat.codes.to_numpy().astype(np.int64) * len(labels) + codes
    if len(subjects.cat.categories) * len(labels) > _MANY_CELLS:
        cells = np.unique(cells, return_inverse=True)[1]
    counts = np.bincount(cells)
    if counts.max() == 1 or np.median(counts[counts > 0]) > 1:
        return
    first = int((counts[cells] > 1).argmax())
    doubled = rows[cells == cells[first]]
    cell = ", ".join(f"{v.name} {quoted(v.iloc[first])}" for v in (subjects, conditions))
    raise InputError(
        f"{where}: rows {listed(map(place.row, doubled))} hold the same cell ({cell}), where most "
        "cells hold one row; remove what is doubled, or write replicates: allow"
    )
