"""From a user's table to observations: the project's columns, checked to support a model.

Nothing here walks through rows in Python unless there is a row to complain about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twolevel.errors import InputError, listed, quoted
from twolevel.formula import parse
from twolevel.pipeline.tables import columns_needed, read_table

MAX_NUMERIC_CONDITIONS = 50
NUMBER = r"(?i:[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
# With fewer distinct texts than this among a column's numbers, they are typing errors.
RARE = 0.1


@dataclass(frozen=True, eq=False)
class Loaded:
    """A table in the project's own columns: subject, condition, response, and further ones.

    `columns` maps each of them to its name in the user's table (`condition` is absent when there
    is none), `source_rows` gives each row's number there (the first below the header is 1),
    `dropped` counts the missing values per column of the user's table for which rows were left
    out, and `rows_read` counts the rows before that.
    """

    data: pd.DataFrame
    columns: dict[str, str]
    source_rows: np.ndarray
    dropped: dict[str, int]
    rows_read: int


def observations(
    table: pd.DataFrame,
    *,
    formula: str,
    subject: str,
    where: str,
    condition: str | None = None,
    missing: str = "refuse",
    replicates: str = "refuse",
) -> Loaded:
    """Bring a user's table into the project's columns and check that a model can be fitted to it.

    `where` names study and file in messages. The condition is the one named, else the first
    variable of the formula that is not numeric and varies within a subject, else the first
    numeric one with few values that does, else a constant. Raises InputError.
    """
    names = parse(formula)
    used = columns_needed(formula, subject)
    frame = table[used].reset_index(drop=True)
    rows_read = len(frame)
    if not rows_read:
        raise InputError(f"{where}: found a header and no rows; add the observations")
    for name in used:
        if name != subject and _is_text(frame[name]):
            _refuse_text_among_numbers(frame[name], name == names.response, where)
    orders = {name: frame[name].dropna().unique() for name in used if _is_text(frame[name])}
    frame, dropped = _without_missing(frame, missing, where)
    source_rows = frame.index.to_numpy() + 1
    for name in used:
        if name == subject:
            frame[name] = frame[name].astype(str)
        elif name == names.response or not _is_text(frame[name]):
            whole = pd.api.types.is_integer_dtype(frame[name]) and name != names.response
            frame[name] = frame[name].astype("int64" if whole else "float64")
            _refuse_infinite(frame[name], where)
        if _is_text(frame[name]):
            _refuse_twin_labels(frame[name], where)
            if name != subject and not isinstance(frame[name].dtype, pd.CategoricalDtype):
                # The order of the file, rows left out included; levels that only they had go.
                frame[name] = pd.Categorical(frame[name], categories=orders[name])
                frame[name] = frame[name].cat.remove_unused_categories()
    subjects = pd.factorize(frame[subject])[0]
    if subjects.max() == 0:
        raise InputError(
            f"{where}: column {quoted(subject)}: found one subject only "
            f"({quoted(frame[subject].iloc[0])}), expected at least two; name the right column "
            "in subject: or add subjects"
        )
    if np.bincount(subjects).max() == 1:
        raise InputError(
            f"{where}: column {quoted(subject)}: every subject has one row only, so that "
            "sigma_between and sigma_within cannot be told apart; name the right column in "
            "subject: or add repeated measurements"
        )
    _refuse_constant(frame, names.response, names.variables, where)
    if condition is None:
        condition = _find_condition(frame, names.variables, subjects)
    elif not _varies_within(frame[condition], subjects):
        raise InputError(
            f"{where}: column {quoted(condition)}: varies within no subject, so it is not the "
            "condition of repeated measurements; name another or leave out condition:"
        )
    if condition is not None and replicates == "refuse":
        _refuse_duplicates(frame, subject, condition, source_rows, where)

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
    return Loaded(data, columns, source_rows, dropped, rows_read)


def _is_text(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values)


def _at(where: str, values: pd.Series, position: int) -> str:
    """Name one value of a column whose index counts the rows of the file from 0."""
    return f"{where}: row {values.index[position] + 1}, column {quoted(values.name)}"


def _without_missing(
    frame: pd.DataFrame, missing: str, where: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out rows that lack a value, and count these by column; refuse unless told to."""
    lacking = frame.isna()
    counts = {str(name): int(count) for name, count in lacking.sum().items() if count}
    if not counts:
        return frame, {}
    incomplete = lacking.any(axis=1).to_numpy()
    if missing != "drop":
        row = incomplete.argmax()
        name = lacking.columns[lacking.iloc[row].to_numpy().argmax()]
        raise InputError(
            f"{_at(where, frame[name], row)}: the value is missing ({incomplete.sum()} of "
            f"{len(frame)} rows lack one); fill it in, or write missing: drop to leave them out"
        )
    kept = frame[~incomplete].copy()
    if kept.empty:
        raise InputError(
            f"{where}: every row lacks a value in one of {listed(map(quoted, counts))}; "
            "expected some complete rows"
        )
    return kept, counts


def _refuse_text_among_numbers(values: pd.Series, is_response: bool, where: str) -> None:
    """Refuse text in the response, and a few typing errors among a covariate's numbers."""
    distinct = values.dropna().astype(str).drop_duplicates()
    odd = distinct[~distinct.str.strip().str.fullmatch(NUMBER)]
    if odd.empty or not (is_response or len(odd) < RARE * len(distinct)):
        return
    text = odd.iloc[0]
    number = text.strip().replace(",", ".")
    remedy = "write a number"
    if text.count(",") == 1 and re.fullmatch(NUMBER, number):
        remedy = f"write decimals with a point, as {number}"
    raise InputError(
        f"{_at(where, odd, 0)}: found {quoted(text)}, expected a number; {remedy}, or leave the "
        "cell empty and write missing: drop"
    )


def _refuse_infinite(values: pd.Series, where: str) -> None:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        at = infinite.argmax()
        raise InputError(
            f"{_at(where, values, at)}: found {values.iloc[at]}, expected a finite number; "
            "write one, or leave the cell empty and write missing: drop"
        )


def _refuse_twin_labels(values: pd.Series, where: str) -> None:
    """Refuse two labels that look alike: blanks around them, or another spelling in Unicode."""
    labels = values.drop_duplicates().astype(str)
    shown = labels.str.strip().str.normalize("NFC")
    twins = shown.duplicated().to_numpy()
    if twins.any():
        at = twins.argmax()
        other = labels[shown == shown.iloc[at]].iloc[0]
        raise InputError(
            f"{_at(where, labels, at)}: found {quoted(labels.iloc[at])} besides {quoted(other)}, "
            "which differ only by blanks or in how letters are encoded; spell them alike"
        )


def _refuse_constant(
    frame: pd.DataFrame, response: str, variables: Iterable[str], where: str
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
    frame: pd.DataFrame, variables: Iterable[str], subjects: np.ndarray
) -> str | None:
    within = [name for name in variables if _varies_within(frame[name], subjects)]
    for name in within:
        if _is_text(frame[name]):
            return name
    for name in within:
        if frame[name].nunique() <= MAX_NUMERIC_CONDITIONS:
            return name
    return None


def _refuse_duplicates(
    frame: pd.DataFrame, subject: str, condition: str, source_rows: np.ndarray, where: str
) -> None:
    """Refuse a few cells with more rows than the one that is usual in this table."""
    cells = frame.groupby([subject, condition], sort=False, observed=True).ngroup().to_numpy()
    counts = np.bincount(cells)
    if np.median(counts) > 1 or counts.max() == 1:
        return
    doubled = np.flatnonzero(cells == (counts > 1).argmax())
    at, rows = doubled[0], source_rows[doubled]
    cell = ", ".join(f"{name} {quoted(frame[name].iloc[at])}" for name in (subject, condition))
    raise InputError(
        f"{where}: rows {listed(rows)} hold the same cell ({cell}), where most cells hold one row; "
        "remove what is doubled, or write replicates: allow"
    )


def load_table(
    path: str | Path, study: str, *, formula: str, subject: str, **options: Any
) -> Loaded:
    """Read a study's table: `read_table`, then `observations` with its options.

    Raises InputError that names the study and the file.
    """
    where = f"study {study}"
    table = read_table(path, columns_needed(formula, subject), where, text=(subject,))
    return observations(
        table, formula=formula, subject=subject, where=f"{where}: {path}", **options
    )
