"""A table's study: long or wide, or a refusal that says what every column is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from twolevel.pipeline.guessing.evidence import Column
from twolevel.pipeline.guessing.guess_made import Guess
from twolevel.pipeline.guessing.long_form import guess_long, roles
from twolevel.pipeline.guessing.vocabulary import ORDER, called, called_subject
from twolevel.pipeline.guessing.wide_form import guess_wide
from twolevel.text.errors import InputError, listed


def guess(table: pd.DataFrame) -> Guess:
    """Guess subject, conditions, response and groups of a table. Raises InputError where it can't.

    In a long table the subject is a column whose labels come back; in a wide one every row is a
    subject, and numbers of one kind stand in several columns.
    """
    columns = {name: Column(table[name]) for name in table if name.strip()}
    useful = {name: c for name, c in columns.items() if c.distinct > 1}
    if len(table) < 3 or len(useful) < 2:
        raise InputError(
            f"found {len(table)} rows and {len(useful)} columns that are not the same throughout; "
            "expected a column for the subject, one for the response, and several rows of each "
            "subject"
        )
    found = _found(columns, useful, len(table))
    for name, column in columns.items():
        if name not in useful and name not in found.measured:
            found.unused[name] = "no values" if not column.distinct else "the same in every row"
    return found


def _found(columns: Mapping[str, Column], useful: Mapping[str, Column], rows: int) -> Guess:
    ids = _ids(useful, rows)
    named = [name for name in ids if called_subject(name)]
    long = roles(useful, rows)
    # In long tables too, rows may be numbered; only subjects crossed with conditions tell.
    if long is not None and long.single and (not named or called_subject(long.subject)):
        return guess_long(useful, long)
    doubtful = long is None or not (called_subject(long.subject) or long.conditions.all)
    if doubtful or ids:
        wide = guess_wide(columns, ids[0] if ids else None)
        if wide is not None:
            return wide
    if long is not None and (long.single or not named):
        return guess_long(useful, long)
    if ids:
        found = (
            f"every {ids[0]} has one row, and no several columns hold one measurement, so these "
            "are no repeated measurements"
        )
    else:
        found = (
            "no column looks like the subjects, whose labels come back in several rows, and no "
            "several columns like one measurement of them"
        )
    raise InputError(
        f"{found}; the columns are {listed((c.words(n) for n, c in columns.items()), 30)}. If one "
        "of them does name subjects who were measured several times, write the study by hand: "
        "docs/own-data.md has an example"
    )


def _ids(columns: Mapping[str, Column], rows: int) -> list[str]:
    """The columns that may name the subjects of a wide table's rows, the likeliest first.

    They have another label in every row; numbers do, where they are called so or count the rows.
    """
    ids = [
        name
        for name, c in columns.items()
        if c.distinct == rows
        and (not c.is_number or (called_subject(name) and c.is_whole) or c.runs)
    ]
    ids.sort(key=lambda n: (called_subject(n), not called(n, ORDER), not columns[n].is_number))
    return ids[::-1]
