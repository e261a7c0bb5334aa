"""Columns of a user's table, numbers or factors, and labels that are refused in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.pipeline.tables.missing_values import Coded
from twolevel.pipeline.tables.places import Places
from twolevel.text.errors import InputError, did_you_mean, listed, quoted

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
# Above all numbers of rows.
NEVER = np.iinfo(np.int64).max


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


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels (L,) of a factor that occur, in their order, and the first row (L,) of each."""

    name: str
    texts: pd.Index
    first: np.ndarray

    @classmethod
    def of(cls, values: pd.Series, start: int) -> Labels:
        """Those of a factor whose first row is the table's row `start`."""
        first = first_rows(values.cat.codes.to_numpy(), len(values.cat.categories))
        return cls(str(values.name), values.cat.categories, first + start).only(first < NEVER)

    def only(self, which: np.ndarray) -> Labels:
        """Some of the labels; `which` (L,) says which."""
        return Labels(self.name, self.texts[which], self.first[which])


def first_rows(codes: np.ndarray, count: int) -> np.ndarray:
    """The first row (L,) of each code from 0 up to `count` among codes (N,); NEVER where none."""
    first = np.full(count + 1, NEVER)  # the last one is for -1, a missing value
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first[:-1]


def refuse_other_levels(labels: Labels, order: Sequence[str], place: Places) -> None:
    """Refuse a factor whose levels are not those that the study lists."""
    for label, row in zip(labels.texts, labels.first, strict=True):
        if label not in order:
            raise InputError(
                f"{place(row, labels.name)}: found {quoted(label)}, which "
                f"levels: does not list{did_you_mean(label, order)}; add it there, or fix the row"
            )
    for label in order:
        if label not in labels.texts:
            raise InputError(
                f"{place(0, labels.name)} and below: found no {quoted(label)}, which levels: "
                f"lists{did_you_mean(label, labels.texts)}; take it out there. The levels found "
                f"are {listed(map(quoted, labels.texts), 30)}"
            )


def refuse_text_among_numbers(labels: Labels, is_response: bool, place: Places) -> None:
    """Refuse text in the response, and a few typing errors among a covariate's numbers."""
    texts = labels.texts.to_series()
    odd = ~texts.str.strip().str.fullmatch(NUMBER).to_numpy(dtype=bool)
    if not is_response:
        odd |= texts.str.fullmatch(TOO_LONG).to_numpy(dtype=bool)
    if not odd.any() or not (is_response or odd.sum() < RARE * len(texts)):
        return
    found = labels.only(odd)
    text, row = found.texts[found.first.argmin()], found.first.min()
    number = text.strip().replace(",", ".")
    remedy = "write a number"
    if re.fullmatch(r"\s*[+-]?\d{1,3}(?:([\s,.'’])\d{3})(?:\1\d{3})*(?:[.,]\d*)?\s*", text):
        remedy = "take out the marks for thousands"
    elif text.count(",") == 1 and re.fullmatch(NUMBER, number):
        remedy = f"write decimals with a point, as {number}"
    raise InputError(
        f"{place(row, labels.name)}: found {quoted(text)}, expected a number; {remedy}, or, where "
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


def refuse_dates(labels: Labels, formula: str, place: Places) -> None:
    """Refuse dates that the study does not say to be levels: their unit as numbers is open."""
    name = labels.name
    if is_date(labels.texts) and not declared_factor(name, formula):
        raise InputError(
            f"{place(labels.first[0], name)}: found {quoted(labels.texts[0])}, a date, expected a "
            "number or a level; for a slope write a number into the table, such as the days since "
            "the first, and for a mean on each date write "
            f"C({name if name.isidentifier() else f'`{name}`'}) in the formula"
        )


def refuse_numbers_as_text(labels: Labels, coded: Coded, formula: str, place: Places) -> None:
    """Refuse text that is numbers once the codes among it are gone: the file made text of them."""
    name = labels.name
    words = [code for code in coded.get(name, ()) if not re.fullmatch(NUMBER, code)]
    if words and labels.texts.str.fullmatch(NUMBER).all() and not declared_factor(name, formula):
        raise InputError(
            f"{place(0, name)} and below: found numbers that the file holds as text, expected "
            f"numbers beside {quoted(words[0])}; write them as numbers into the file, or C({name}) "
            "in the formula for a mean at each of them"
        )


def refuse_long_labels(labels: Labels, place: Places) -> None:
    """Refuse labels that no figure or table can show, as whole lines after a forgotten quote."""
    long = np.flatnonzero(labels.texts.str.len() > MAX_LABEL)
    if len(long):
        label = labels.texts[long[0]]
        raise InputError(
            f"{place(labels.first[long[0]], labels.name)}: found a label of {len(label):,} "
            f"characters, {quoted(label)}, expected at most {MAX_LABEL:,}; shorten it, or close "
            "its quote"
        )


def refuse_twin_labels(labels: Labels, place: Places) -> None:
    """Refuse two labels that look alike: blanks around them, or another spelling in Unicode."""
    shown = pd.Series(labels.texts, dtype=object).str.strip().str.normalize("NFC")
    if not shown.duplicated().any():
        return
    # The first row with a label whose twin stands above it.
    earliest = pd.Series(labels.first).groupby(shown).transform("min").to_numpy()
    row = labels.first[labels.first > earliest].min()
    label = int(np.flatnonzero(labels.first == row)[0])
    twin = int(np.flatnonzero(labels.first == earliest[label])[0])
    raise InputError(
        f"{place(row, labels.name)}: found {quoted(labels.texts[label])} besides "
        f"{quoted(labels.texts[twin])}, which differ only by blanks or in how letters are "
        "encoded; spell them alike"
    )
