"""Columns of a user's table: as numbers or factors, and what is refused in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from twolevel.errors import InputError, did_you_mean, listed, quoted
from twolevel.pipeline.places import Places
from twolevel.positional import written

NUMBER = r"(?i:[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
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


def complete(
    frame: Mapping[str, pd.Series], missing: str, place: Places
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
    return kept, counts


def refuse_text_among_numbers(values: pd.Series, is_response: bool, place: Places) -> None:
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


def refuse_infinite(values: pd.Series, rows: np.ndarray, place: Places) -> None:
    """Refuse infinite numbers; rows (N,) are the positions of the values in the table."""
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        at = int(infinite.argmax())
        raise InputError(
            f"{place(int(rows[at]), values.name)}: found {values.iloc[at]}, expected a finite "
            "number; write one, or leave the cell empty and write missing: drop"
        )


def refuse_twin_labels(values: pd.Series, rows: np.ndarray, place: Places) -> None:
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
