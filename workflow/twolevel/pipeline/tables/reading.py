"""The rows of a user's table, read part by part: columns of numbers, and factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twolevel.pipeline.tables.formats import delimited, labelled, parquet, spreadsheet
from twolevel.pipeline.tables.formats.numbers_in_text import typed
from twolevel.pipeline.tables.missing_values import Coded, without_codes
from twolevel.pipeline.tables.table_files import TableFiles, check_columns, columns_of, readable
from twolevel.text.errors import InputError, quoted

Found = TypeVar("Found")

_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a table, as the file has them, and how many rows of the table are above them."""

    rows: pa.Table
    start: int

    @property
    def data(self) -> pd.DataFrame:
        """A column of numbers, or a factor, for each that was asked for; missing values are NA."""
        return pd.DataFrame({name: _series(self.rows[name]) for name in self.rows.column_names})


@dataclass(eq=False)
class Reader:
    """Columns of a table, to be read as often as wanted: numbers where all are numbers, or factors.

    Those in `text` stay text, those in `numeric` stay numbers where these have labels. `codes` are
    the values of each column that stand for missing ones. A part is a whole file, of Parquet
    `part_rows` rows at most where that is given.

    What was seen on the way is that of the last time: `starts`, how many rows are above each file,
    `facts` on how files were read, and `coded`, how many values stood for missing ones. Raises
    InputError for what `headers` finds in any of the files, for rows of the wrong length, and for
    text that cannot be read.
    """

    table: TableFiles
    columns: Sequence[str]
    text: Sequence[str] = ()
    numeric: Sequence[str] = ()
    codes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    part_rows: int | None = None
    starts: list[int] = field(init=False, default_factory=list)
    coded: Coded = field(init=False, default_factory=dict)
    _facts: dict[str, dict[str, None]] = field(init=False, default_factory=dict)
    _factors: dict[str, set[bool]] = field(init=False, default_factory=dict)

    @property
    def facts(self) -> dict[str, str]:
        """How the files were read, what differs between them joined by "and"."""
        return {key: " and ".join(found) for key, found in self._facts.items()}

    def through(self, look: Callable[[Iterator[Part]], Found]) -> Found:
        """What `look` finds in all parts; it looks again where a column is text in some only.

        What is text in one file is text in all, also where it looks like a number.
        """
        found = look(self.parts())
        if mixed := [name for name, kinds in self._factors.items() if len(kinds) > 1]:
            self.text = [*self.text, *mixed]
            found = look(self.parts())
        return found

    def whole(self) -> Part:
        """All rows as one part."""
        parts = self.through(list)
        return Part(pa.concat_tables([p.rows for p in parts], promote_options="permissive"), 0)

    def parts(self) -> Iterator[Part]:
        """All parts, read anew."""
        for seen in (self.starts, self.coded, self._facts, self._factors):
            seen.clear()
        start = 0
        for path in self.table.paths:
            file = self.table.opened(path)
            check_columns(self.columns, columns_of(file), file.place)
            self.starts.append(start)
            with readable(file.place):
                for rows in self._tables(file):
                    yield Part(rows, start)
                    start += rows.num_rows

    def _note(self, facts: Mapping[str, str]) -> None:
        for key, fact in facts.items():
            self._facts.setdefault(key, {})[fact] = None

    def _tables(self, file: Any) -> Iterator[pa.Table]:
        """The parts of one file."""
        if isinstance(file, parquet.Parquet) and self.part_rows is not None:
            tables = file.parts(self.columns, self.part_rows)
        else:
            if isinstance(file, labelled.Labelled):
                file.codes, file.coded = self.codes, self.coded
            tables = iter([file.read(self.columns, self.numeric)])
        for table in tables:
            self._note(file.facts)
            if isinstance(file, delimited.Delimited | spreadsheet.Spreadsheet):
                table = self._typed(table, file)
            table = _plain(table, self.text, file.place)
            table = without_codes(table, self.codes, self.coded)
            for k, name in enumerate(table.column_names):
                if (values := table[name]).null_count == len(values):
                    # Neither numbers nor text, so they go with what is in the other parts.
                    table = table.set_column(k, name, pa.nulls(len(values)))
                else:
                    is_factor = pa.types.is_dictionary(values.type)
                    self._factors.setdefault(name, set()).add(is_factor)
            yield table

    def _typed(self, table: pa.Table, file: Any) -> pa.Table:
        """A table of text with its numbers as such."""
        # While all is text: a word among numbers would make labels of them.
        table = without_codes(table, self.codes, self.coded)
        # Semicolons are written where the comma is taken for decimals.
        comma = file.facts.get("delimiter") == delimited.DELIMITERS[";"]
        decimal = self.table.reading.get("decimal")
        plain, sign = typed(table, self.text, decimal, file.place, comma)
        if isinstance(file, delimited.Delimited) and sign is not None:
            self._note({"decimal": {".": "point", ",": "comma"}[sign]})
        return pa.table({name: plain[name] for name in self.columns})


def _plain(table: pa.Table, text: Sequence[str], place: str) -> pa.Table:
    """The table with these columns as factors of text, and others that are numbers as such."""
    for k, name in enumerate(table.column_names):
        values = table[name]
        if pa.types.is_dictionary(values.type):
            continue
        if name in text:
            column = f"{place}: column {quoted(name)}"
            plain = pc.cast(_whole(values, column), pa.string()).dictionary_encode()
        elif pa.types.is_decimal(values.type):
            # By their text they become the nearest doubles, else only nearly so.
            plain = pc.cast(pc.cast(values, pa.string()), pa.float64())
        elif pa.types.is_uint64(values.type) and pc.max(values).as_py() not in _INT64:
            plain = pc.cast(values, pa.string()).dictionary_encode()
        else:
            continue
        table = table.set_column(k, name, plain)
    return table


def _whole(values: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
    """Whole numbers as integers, so that subject 1.0 is called 1, and what is no number missing."""
    kind = pa.int64()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
        most = pc.max(pc.abs(values)).as_py()
        if most is not None and 2**53 <= most < float("inf"):
            raise InputError(
                f"{column}: found the number {most:.17g} as a label, where the last digits of so "
                "long ones are lost in the file itself; write the labels as text"
            )
    elif pa.types.is_decimal(values.type):
        kind = pa.decimal128(38, 0)
    else:
        return values
    try:
        return pc.cast(values, kind)
    except pa.ArrowInvalid:
        return values


def _series(values: pa.ChunkedArray) -> pd.Series:
    """A column as pandas has it: integers that may be missing, floats, or a factor."""
    if pa.types.is_dictionary(values.type):
        return values.unify_dictionaries().to_pandas()
    if pa.types.is_integer(values.type):
        return values.to_pandas(types_mapper={values.type: pd.Int64Dtype()}.get)
    if pa.types.is_null(values.type):
        return pd.Series(np.full(len(values), np.nan))
    return values.to_pandas()
