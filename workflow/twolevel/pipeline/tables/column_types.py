"""Columns of a user's table: as numbers or factors, and what is refused in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from twolevel.pipeline.tables.missing_values import Coded
from twolevel.pipeline.tables.places import Places
from twolevel.text.errors import InputError, did_you_mean, listed, quoted
from twolevel.text.numbers import written

NUMBER = r"(?i:[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
MAX_LABEL = 1000
# Days, with or without a time: 2024-03-01, 2024/3/1, 1.3.2024, 3/1/24 or 2024-03-01T09:30:00Z.
_DAY = r"\d{4}(?P<a>[-/.])\d{1,2}(?P=a)\d{1,2}|\d{1,2}(?P<b>[-/.])\d{1,2}(?P=b)\d{4}"
_DAY += r"|\d{1,2}/\d{1,2}/\d{2}"
_TIME = r"([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?"
DATE = re.compile(rf"\s*({_DAY}){_TIME}\s*")
# Whole numbers that as floats would not all differ.
TOO_LONG = r"[+-]?\d{19,}"
# With fewer distinct texts than this among a column's numbers, they are typing errors.
RARE = 0.1


def is_number(values: pd.Series) -> bool:
    """Whether a column holds numbers, and not yes and no."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def factor(values: pd.Series) -> pd.Series:
    """A factor of labels, in the order of the file unless it has one of its own."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.rename_categories(values.cat.categories.astype(str))
    codes, labels = pd.factorize(values)
    factor = pd.Categorical.from_codes(codes, [str(label) for label in labels])
    return pd.Series(factor, name=values.name)


def as_numbers(values: pd.Series) -> pd.Series:
    """Numbers that the file holds as text."""
    numbers = pd.to_numeric(values.cat.categories.to_series()).to_numpy(dtype=float)
    return pd.Series(np.append(numbers, np.nan)[values.cat.codes], name=values.name)


def _first_row(values: pd.Series, label: str) -> int:
    """The position of a label's first row."""
    code = values.cat.categories.get_loc(label)
    return int((values.cat.codes.to_numpy() == code).argmax())


def ordered(values: pd.Series, order: list[str], place: Places) -> pd.Series:
    """A factor with its levels in the order that the study gives."""
    if is_number(values):
        labels = values.map(written, na_action="ignore")
        values = factor(labels.rename(values.name))
    occurring = list(values.cat.remove_unused_categories().cat.categories)
    for label in occurring:
        if label not in order:
            raise InputError(
                f"{place(_first_row(values, label), values.name)}: found {quoted(label)}, which "
                f"levels: does not list{did_you_mean(label, order)}; add it there, or fix the row"
            )
    for label in order:
        if label not in occurring:
            raise InputError(
                f"{place(0, values.name)} and below: found no {quoted(label)}, which levels: "
                f"lists{did_you_mean(label, occurring)}; take it out there. The levels found are "
                f"{listed(map(quoted, occurring), 30)}"
            )
    return values.cat.set_categories(order)


def complete(
    frame: Mapping[str, pd.Series], missing: str, place: Places, coded: Coded | None = None
) -> tuple[np.ndarray, dict[str, int]]:
    """The positions of rows that lack no value, and how many are missing by column.

    Refuses missing values unless told to leave out their rows; `coded` says which stood there.
    """
    absent = {name: values.isna().to_numpy() for name, values in frame.items()}
    counts = {str(name): int(at.sum()) for name, at in absent.items() if at.any()}
    incomplete = np.logical_or.reduce(list(absent.values()))
    kept = np.flatnonzero(~incomplete)
    if not counts:
        return kept, {}
    if missing != "drop":
        row = int(incomplete.argmax())
        name = next(name for name, at in absent.items() if at[row])
        raise InputError(
            f"{place(row, name)}: the value is missing ({incomplete.sum()} of "
            f"{len(incomplete)} rows lack one{_which(coded or {})}); fill it in, or write "
            "missing: drop to leave them out"
        )
    return kept, counts


def _which(coded: Coded) -> str:
    """How many of the missing values are codes."""
    found = [f"{n} {code} in {name}" for name, some in coded.items() for code, n in some.items()]
    return f"; {listed(found)} count as missing" if found else ""


def refuse_text_among_numbers(values: pd.Series, is_response: bool, place: Places) -> None:
    """Refuse text in the response, and a few typing errors among a covariate's numbers."""
    values = values.cat.remove_unused_categories()
    labels, codes = values.cat.categories, values.cat.codes.to_numpy()
    odd = ~labels.to_series().str.strip().str.fullmatch(NUMBER).to_numpy(dtype=bool)
    if not is_response:
        odd |= labels.to_series().str.fullmatch(TOO_LONG).to_numpy(dtype=bool)
    if not odd.any() or not (is_response or odd.sum() < RARE * len(labels)):
        return
    row = int(np.append(odd, False)[codes].argmax())
    text = labels[codes[row]]
    number = text.strip().replace(",", ".")
    remedy = "write a number"
    if re.fullmatch(r"\s*[+-]?\d{1,3}(?:([\s,.'’])\d{3})(?:\1\d{3})*(?:[.,]\d*)?\s*", text):
        remedy = "take out the marks for thousands"
    elif text.count(",") == 1 and re.fullmatch(NUMBER, number):
        remedy = f"write decimals with a point, as {number}"
    raise InputError(
        f"{place(row, values.name)}: found {quoted(text)}, expected a number; {remedy}, or, where "
        f"it stands for a missing value, write missing_values: [{quoted(text)}] and missing: drop"
    )


def is_date(labels: Iterable[str]) -> bool:
    """Whether all labels of a factor, of which there are some, are dates."""
    labels = list(labels)
    return bool(labels) and all(DATE.fullmatch(label) for label in labels)


def declared_factor(name: str, formula: str) -> bool:
    """Whether a formula says by C() that a column is a factor."""
    return (
        re.search(rf"\bC\(\s*(`{re.escape(name)}`|{re.escape(name)})\s*[,)]", formula) is not None
    )


def refuse_dates(values: pd.Series, formula: str, place: Places) -> None:
    """Refuse dates that the study does not say to be levels: their unit as numbers is open."""
    labels = values.cat.remove_unused_categories().cat.categories
    name = str(values.name)
    if is_date(labels) and not declared_factor(name, formula):
        row = _first_row(values, labels[0])
        raise InputError(
            f"{place(row, name)}: found {quoted(labels[0])}, a date, expected a number or a level; "
            "for a slope write a number into the table, such as the days since the first, and for "
            f"a mean on each date write C({name if name.isidentifier() else f'`{name}`'}) in the "
            "formula"
        )


def refuse_numbers_as_text(values: pd.Series, coded: Coded, formula: str, place: Places) -> None:
    """Refuse text that is numbers once the codes among it are gone: the file made text of them."""
    name = str(values.name)
    words = [code for code in coded.get(name, ()) if not re.fullmatch(NUMBER, code)]
    labels = values.cat.remove_unused_categories().cat.categories
    if words and labels.str.fullmatch(NUMBER).all() and not declared_factor(name, formula):
        raise InputError(
            f"{place(0, name)} and below: found numbers that the file holds as text, expected "
            f"numbers beside {quoted(words[0])}; write them as numbers into the file, or C({name}) "
            "in the formula for a mean at each of them"
        )


def refuse_infinite(values: pd.Series, rows: np.ndarray, place: Places) -> None:
    """Refuse infinite numbers; rows (N,) are the positions of the values in the table."""
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        at = int(infinite.argmax())
        raise InputError(
            f"{place(int(rows[at]), values.name)}: found {values.iloc[at]}, expected a finite "
            "number; write one, or leave the cell empty and write missing: drop"
        )


def refuse_long_labels(values: pd.Series, rows: np.ndarray, place: Places) -> None:
    """Refuse labels that no figure or table can show, as whole lines after a forgotten quote."""
    labels = values.cat.categories
    long = np.flatnonzero(labels.str.len() > MAX_LABEL)
    if len(long):
        label = labels[long[0]]
        row = _first_row(values, label)
        raise InputError(
            f"{place(int(rows[row]), values.name)}: found a label of {len(label):,} characters, "
            f"{quoted(label)}, expected at most {MAX_LABEL:,}; shorten it, or close its quote"
        )


def refuse_twin_labels(values: pd.Series, rows: np.ndarray, place: Places) -> None:
    """Refuse two labels that look alike: blanks around them, or another spelling in Unicode."""
    labels = pd.Series(values.cat.categories, dtype=object)
    shown = labels.str.strip().str.normalize("NFC")
    if not shown.duplicated().any():
        return
    codes = values.cat.codes.to_numpy()
    first = np.full(len(labels), len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    # The first row with a label whose twin stands above it.
    earliest = pd.Series(first).groupby(shown).transform("min").to_numpy()
    row = int(first[first > earliest].min())
    at, other = codes[row], codes[earliest[codes[row]]]
    raise InputError(
        f"{place(int(rows[row]), values.name)}: found {quoted(labels[at])} besides "
        f"{quoted(labels[other])}, which differ only by blanks or in how letters are encoded; "
        "spell them alike"
    )
