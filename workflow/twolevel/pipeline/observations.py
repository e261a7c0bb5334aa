"""From a user's table to observations: the project's columns, checked to support a model.

Nothing here walks through rows in Python unless there is a row to complain about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twolevel.errors import InputError, did_you_mean, listed, quoted
from twolevel.formula import parse
from twolevel.pipeline.keys import number_text
from twolevel.pipeline.places import Places
from twolevel.pipeline.tables import columns_needed, header, read_table
from twolevel.pipeline.wide import Wide, columns_read, lengthened

MAX_NUMERIC_CONDITIONS = 50
NUMBER = r"(?i:[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
# With fewer distinct texts than this among a column's numbers, they are typing errors.
RARE = 0.1
# Cells up to which they are counted in an array over all of them.
_MANY_CELLS = 50_000_000


@dataclass(frozen=True, eq=False)
class Loaded:
    """A table in the project's own columns: subject, condition, response, and further ones.

    `columns` maps each of them to its name in the user's table (`condition` is absent when there
    is none), `source_rows` gives each row's number there (the first below the header is 1),
    `dropped` counts the missing values per column of the user's table for which rows were left
    out, and `rows_read` counts the rows before that. `facts` say how the files were read.
    """

    data: pd.DataFrame
    columns: dict[str, str]
    source_rows: np.ndarray
    dropped: dict[str, int]
    rows_read: int
    facts: dict[str, str]

    def summary(self) -> dict:
        """What there is to tell of the loading, as plain values for JSON."""
        return {
            "rows_read": self.rows_read,
            "dropped": self.dropped,
            "facts": self.facts,
            "levels": {
                name: list(self.data[stored].cat.categories)
                for stored, name in self.columns.items()
                if stored != "subject" and not _is_number(self.data[stored])
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
        if not _is_number(values) or name == subject:
            frame[name] = _factor(values)
        if name != subject and not _is_number(frame[name]):
            _refuse_text_among_numbers(frame[name], name == names.response, place)
    for name in (levels or {}).keys() & set(names.variables):
        frame[name] = _ordered(frame[name], list(levels[name]), place)
    if not _is_number(frame[names.response]):
        frame[names.response] = _as_numbers(frame[names.response])
    kept, dropped = _complete(frame, missing, where, place)
    for name, values in frame.items():
        values = values[kept].reset_index(drop=True) if dropped else values
        if _is_number(values):
            whole = pd.api.types.is_integer_dtype(values) and name != names.response
            values = values.astype("int64" if whole else "float64")
            _refuse_infinite(values, kept, place)
        else:
            # Levels that only rows left out had go.
            values = values.cat.remove_unused_categories()
            _refuse_twin_labels(values, kept, place)
        frame[name] = values
    subjects = frame[subject].cat.codes.to_numpy()
    _refuse_unrepeated(frame[subject], where)
    _refuse_constant(frame, names.response, names.variables, where)
    if condition is None:
        condition = _find_condition(frame, names.variables, subjects)
    elif not _varies_within(frame[condition], subjects):
        raise InputError(
            f"{where}: column {quoted(condition)}: varies within no subject, so it is not the "
            "condition of repeated measurements; name another or leave out condition:"
        )
    if condition is not None and replicates == "refuse":
        _refuse_duplicates(frame[subject], frame[condition], kept, where, place)

    columns = {"subject": subject, "response": names.response}
    if condition is not None:
        columns = {"subject": subject, "condition": condition, "response": names.response}
    for name in used:
        if name not in columns.values():
            stored = name
            while (
                stored in ("subject", "condition", "response")
                or stored in columns
                or (stored != name and stored in used)
            ):
                stored += "_"
            columns[stored] = name
    data = pd.DataFrame({stored: frame[name].array for stored, name in columns.items()})
    if condition is None:
        data.insert(1, "condition", pd.Categorical(["all"]).repeat(len(data)))
    return Loaded(data, columns, kept + 1, dropped, len(table), dict(facts or {}))


def load_table(
    data: str | Path,
    study: str,
    *,
    formula: str,
    subject: str,
    wide: Wide | None = None,
    condition: str | None = None,
    read: Mapping[str, str] | None = None,
    **options: Any,
) -> Loaded:
    """Read a study's table: `read_table`, then `observations` with its options.

    A table in wide form is turned long first. Raises InputError that names the study and the file.
    """
    where = f"study {study}"
    names = parse(formula)
    if wide is not None:
        condition = condition or names.variables[0]
    place = f"{where}: {data}"
    columns, made = columns_read(
        formula, subject, wide, condition, header(data, where, read), place
    )
    numeric = list(made.values()) or [names.response]
    table = read_table(data, columns, where, (subject,), numeric, read)

    places, rows = Places(place, table.files, table.rows), table.data
    if wide is not None:
        for name in numeric:
            if not _is_number(rows[name]):
                _refuse_text_among_numbers(rows[name], True, places)
        rows = lengthened(rows, made, condition, names.response)
        places = replace(places, wide=numeric, made=(condition, names.response))
    return observations(
        rows,
        formula=formula,
        subject=subject,
        condition=condition,
        where=place,
        place=places,
        facts=table.facts,
        **options,
    )


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _factor(values: pd.Series) -> pd.Series:
    """A factor of labels, in the order of the file unless it has one of its own."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.rename_categories(values.cat.categories.astype(str))
    codes, labels = pd.factorize(values)
    factor = pd.Categorical.from_codes(codes, [str(label) for label in labels])
    return pd.Series(factor, name=values.name)


def _as_numbers(values: pd.Series) -> pd.Series:
    """Numbers that the file holds as text."""
    numbers = pd.to_numeric(values.cat.categories.to_series()).to_numpy(dtype=float)
    return pd.Series(np.append(numbers, np.nan)[values.cat.codes], name=values.name)


def _first_row(values: pd.Series, label: str) -> int:
    """The position of a label's first row."""
    code = values.cat.categories.get_loc(label)
    return int((values.cat.codes.to_numpy() == code).argmax())


def _ordered(values: pd.Series, order: list[str], place: Places) -> pd.Series:
    """A factor with its levels in the order that the study gives."""
    if _is_number(values):
        labels = values.map(number_text, na_action="ignore")
        values = _factor(labels.rename(values.name))
    occurring = list(values.cat.remove_unused_categories().cat.categories)
    for label in occurring:
        if label not in order:
            raise InputError(
                f"{place(_first_row(values, label), values.name)}: found {quoted(label)}, which "
                f"levels: does not list{did_you_mean(label, order)}; add it there, or mend the row"
            )
    for label in order:
        if label not in occurring:
            raise InputError(
                f"{place(0, values.name)} and below: found no {quoted(label)}, which levels: "
                f"lists{did_you_mean(label, occurring)}; take it out there. The levels found are "
                f"{listed(map(quoted, occurring), 30)}"
            )
    return values.cat.set_categories(order)


def _complete(
    frame: Mapping[str, pd.Series], missing: str, where: str, place: Places
) -> tuple[np.ndarray, dict[str, int]]:
    """The positions of rows that lack no value, and how many are missing by column.

    Refuses missing values unless told to leave out their rows.
    """
    lacking = {name: values.isna().to_numpy() for name, values in frame.items()}
    counts = {str(name): int(at.sum()) for name, at in lacking.items() if at.any()}
    incomplete = np.logical_or.reduce(list(lacking.values()))
    kept = np.flatnonzero(~incomplete)
    if not counts:
        return kept, {}
    if missing != "drop":
        row = int(incomplete.argmax())
        name = next(name for name, at in lacking.items() if at[row])
        raise InputError(
            f"{place(row, name)}: the value is missing ({incomplete.sum()} of "
            f"{len(incomplete)} rows lack one); fill it in, or write missing: drop to leave them "
            "out"
        )
    if not len(kept):
        raise InputError(
            f"{where}: every row lacks a value in one of {listed(map(quoted, counts))}; "
            "expected some complete rows"
        )
    return kept, counts


def _refuse_text_among_numbers(values: pd.Series, is_response: bool, place: Places) -> None:
    """Refuse text in the response, and a few typing errors among a covariate's numbers."""
    distinct = pd.Series(values.cat.remove_unused_categories().cat.categories, dtype=object)
    odd = distinct[~distinct.str.strip().str.fullmatch(NUMBER)]
    if odd.empty or not (is_response or len(odd) < RARE * len(distinct)):
        return
    row, text = min((_first_row(values, text), text) for text in odd)
    number = text.strip().replace(",", ".")
    remedy = "write a number"
    if re.fullmatch(
        r"\s*[+-]?\d{1,3}(?:([ ,.'’\u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d*)?\s*", text
    ):
        remedy = "take out the marks for thousands"
    elif text.count(",") == 1 and re.fullmatch(NUMBER, number):
        remedy = f"write decimals with a point, as {number}"
    raise InputError(
        f"{place(row, values.name)}: found {quoted(text)}, expected a number; {remedy}, or leave "
        "the cell empty and write missing: drop"
    )


def _refuse_infinite(values: pd.Series, rows: np.ndarray, place: Places) -> None:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        at = int(infinite.argmax())
        raise InputError(
            f"{place(int(rows[at]), values.name)}: found {values.iloc[at]}, expected a finite "
            "number; write one, or leave the cell empty and write missing: drop"
        )


def _refuse_twin_labels(values: pd.Series, rows: np.ndarray, place: Places) -> None:
    """Refuse two labels that look alike: blanks around them, or another spelling in Unicode."""
    labels = pd.Series(values.cat.categories, dtype=object)
    shown = labels.str.strip().str.normalize("NFC")
    if not shown.duplicated().any():
        return
    row, at = min(
        (_first_row(values, labels[at]), at) for at in np.flatnonzero(_later_twins(values, shown))
    )
    twins = [k for k in np.flatnonzero(shown == shown[at]) if k != at]
    other = min(twins, key=lambda k: _first_row(values, labels[k]))
    raise InputError(
        f"{place(int(rows[row]), values.name)}: found {quoted(labels[at])} besides "
        f"{quoted(labels[other])}, which differ only by blanks or in how letters are encoded; "
        "spell them alike"
    )


def _later_twins(values: pd.Series, shown: pd.Series) -> np.ndarray:
    """Which labels look like one that occurs before them."""
    alike = np.flatnonzero(shown.duplicated(keep=False))
    first = {k: _first_row(values, values.cat.categories[k]) for k in alike}
    later = np.zeros(len(shown), dtype=bool)
    for k in alike:
        later[k] = any(first[j] < first[k] for j in alike if shown[j] == shown[k])
    return later


def _refuse_unrepeated(subjects: pd.Series, where: str) -> None:
    names = subjects.cat.categories
    if len(names) == 1:
        raise InputError(
            f"{where}: column {quoted(subjects.name)}: found one subject only "
            f"({quoted(names[0])}), expected at least two; name the right column in subject: or "
            "add subjects"
        )
    if len(names) == len(subjects):
        raise InputError(
            f"{where}: column {quoted(subjects.name)}: every subject has one row only, so that "
            "sigma_between and sigma_within cannot be told apart; name the right column in "
            "subject: or add repeated measurements (if the conditions are columns of their own, "
            "name them in wide:)"
        )


def _refuse_constant(
    frame: Mapping[str, pd.Series], response: str, variables: Iterable[str], where: str
) -> None:
    for name in (response, *variables):
        first = frame[name].iloc[0]
        if not (frame[name] == first).all():
            continue
        found = f"{where}: column {quoted(name)}: every row holds {quoted(first)}"
        if name == response:
            raise InputError(f"{found}, expected a response that varies; name the right column")
        raise InputError(
            f"{found}, expected at least two conditions; leave it out of the formula, which for "
            f"replicates of one condition is {response} ~ 1"
        )


def _varies_within(values: pd.Series, subjects: np.ndarray) -> bool:
    codes = pd.factorize(values)[0]
    first = np.unique(subjects, return_index=True)[1]
    return bool((codes != codes[first][subjects]).any())


def _find_condition(
    frame: Mapping[str, pd.Series], variables: Iterable[str], subjects: np.ndarray
) -> str | None:
    within = [name for name in variables if _varies_within(frame[name], subjects)]
    for name in within:
        if not _is_number(frame[name]):
            return name
    for name in within:
        if frame[name].nunique() <= MAX_NUMERIC_CONDITIONS:
            return name
    return None


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
