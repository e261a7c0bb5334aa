"""A user's table, in one file or many: its headers while the DAG is built, the rows in a job."""

from __future__ import annotations

import glob
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.design.formula import parse
from twolevel.pipeline.tables.formats import delimited, labelled, parquet, spreadsheet
from twolevel.pipeline.tables.formats.numbers_in_text import typed
from twolevel.pipeline.tables.missing_values import Coded, count_code, without_codes
from twolevel.text.errors import InputError, did_you_mean, listed, quoted

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMATS = {
    **dict.fromkeys(delimited.ENDINGS, delimited.Delimited),
    **{f"{ending}.gz": delimited.Delimited for ending in delimited.ENDINGS},
    **dict.fromkeys(parquet.ENDINGS, parquet.Parquet),
    **dict.fromkeys(spreadsheet.ENDINGS, spreadsheet.Spreadsheet),
    **dict.fromkeys(labelled.ENDINGS, labelled.Labelled),
}

# Files that are open at the same time while their headers are read.
_AT_ONCE = 100

_INT64 = range(-(2**63), 2**63)


def columns_needed(formula: str, subject: str) -> list[str]:
    """Name the columns of the user's table that a study reads. Raises InputError (the formula)."""
    names = parse(formula)
    return list(dict.fromkeys([subject, names.response, *names.variables]))


def table_files(data: str | Path) -> list[str]:
    """The files of a table: those that a pattern with * matches, in order, or the one named."""
    if "*" in str(data) and not os.path.exists(data):
        return sorted(glob.glob(str(data)))
    return [str(data)]


def header(path: str | Path, where: str, reading: Mapping[str, str] | None = None) -> list[str]:
    """The names of the columns of a table's first file. Raises InputError, as `headers` does."""
    _, columns = next(headers(path, where, reading))
    return columns


def headers(
    path: str | Path, where: str, reading: Mapping[str, str] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Each file of a table with the names of its columns, reading no more of it than that takes.

    `where` starts the messages, as `study anxiety`. Raises InputError.
    """
    files = table_files(path)
    if not files:
        raise InputError(
            f"{where}: {path}: no file matches this pattern; fix the path in data: or put them "
            "there"
        )
    for start in range(0, len(files), _AT_ONCE):
        opened = [_file(file, f"{where}: {file}", reading) for file in files[start:][:_AT_ONCE]]
        labelled.look_into([file for file in opened if isinstance(file, labelled.Labelled)])
        for file in opened:
            yield str(file.path), _columns(file)


def _columns(file: Any) -> list[str]:
    """The names of a file's columns, none of them twice."""
    with _readable(file.place):
        columns = file.columns
    places: dict[str, list[str]] = {}
    for i, name in enumerate(columns, 1):
        places.setdefault(name, []).append(str(i))
    each = [
        f"{quoted(name)} (columns {' and '.join(at)})"
        for name, at in places.items()
        if name and len(at) > 1
    ]
    if each:
        raise InputError(
            f"{file.place}: the header names columns twice or more: {listed(each)}; give "
            "each column a name of its own"
        )
    return columns


def check_columns(columns: Iterable[str], found: Sequence[str], place: str) -> None:
    """Check that a header has these columns. Raises InputError."""
    for name in columns:
        if name not in found:
            raise InputError(
                f"{place}: there is no column {quoted(name)}{did_you_mean(name, found)}; "
                f"the columns are {listed(map(quoted, found), 30)}"
            )


def _file(path: str, place: str, reading: Mapping[str, str] | None) -> Any:
    """One file, by its ending."""
    file = Path(path)
    with _readable(place):
        there, size = file.exists(), file.stat().st_size if file.is_file() else None
    if file.is_symlink() and not there:
        raise InputError(
            f"{place}: found a link to {os.readlink(path)}, which is not there; fix the link, or "
            "the path in data:"
        )
    if not there:
        raise InputError(f"{place}: no such file; fix the path in data: or put it there")
    if file.is_dir():
        raise InputError(
            f"{place}: found a directory; for a table in many files write a pattern, as "
            f"data: {path.rstrip('/')}/*.parquet"
        )
    if size is None:
        raise InputError(f"{place}: found a pipe or device, expected a file; save the table as one")
    ending = "".join(s.lower() for s in file.suffixes[-2:])
    kind = FORMATS.get(ending) or FORMATS.get(file.suffix.lower())
    if kind is None:
        raise InputError(
            f"{place}: found the ending {quoted(file.suffix)}, expected one of "
            f"{listed(FORMATS, 30)}; save the table in one of these formats"
        )
    if not size:
        raise InputError(f"{place}: the file is empty; expected a header and rows")
    return kind(file, place, dict(reading or {}))


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """Say which file cannot be read, and why."""
    try:
        yield
    except InputError:
        raise
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
        raise InputError(
            f"{place}: cannot be read ({reason}); fix the file, its path or its rights"
        ) from None


@dataclass(frozen=True, eq=False)
class Table:
    """A table that was read: its rows, and the files they come from.

    data has a column of numbers, or a factor, for each that was asked for; missing values are NA.
    facts say how the files were read, coded how many values stood for missing ones, rows how many
    rows each file has.
    """

    data: pd.DataFrame
    facts: dict[str, str]
    coded: Coded
    files: list[str]
    rows: list[int]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a table: numbers and factors, how its file was read, and what was missing in it."""

    table: pa.Table
    facts: dict[str, str]
    coded: Coded


def added(parts: Iterable[Coded]) -> Coded:
    """The counts of several parts."""
    whole: Coded = {}
    for part in parts:
        for name, found in part.items():
            for code, count in found.items():
                count_code(whole, name, code, count)
    return whole


def read_table(
    path: str | Path,
    columns: Sequence[str],
    where: str,
    text: Sequence[str] = (),
    numeric: Sequence[str] = (),
    reading: Mapping[str, str] | None = None,
    codes: Mapping[str, Sequence[str]] | None = None,
) -> Table:
    """Read these columns of a table, each as numbers when all of it is numbers, else as a factor.

    Those in `text` stay text, those in `numeric` stay numbers where these have labels. `codes` are
    the values of each column that stand for missing ones. Raises InputError for whatever `header`
    finds in any of the files, for rows of the wrong length, and for text that cannot be read.
    """
    import pyarrow as pa

    columns = list(dict.fromkeys(columns))
    files = table_files(path)
    settings = columns, where, numeric, reading, codes
    parts = [_read_file(file, text, *settings) for file in files]
    # What is text in one file is text in all, also where it looks like a number.
    mixed = [
        name
        for name in columns
        if len({pa.types.is_dictionary(part.table[name].type) for part in parts}) > 1
    ]
    if mixed:
        parts = [_read_file(file, (*text, *mixed), *settings) for file in files]
    whole = pa.concat_tables([part.table for part in parts], promote_options="permissive")
    data = _frame(whole.select(columns))
    facts = {}
    for key in dict.fromkeys(key for part in parts for key in part.facts):
        often = Counter(part.facts[key] for part in parts if key in part.facts)
        facts[key] = " and ".join(often)
    coded = added(part.coded for part in parts)
    return Table(data, facts, coded, files, [part.table.num_rows for part in parts])


def estimated_rows(path: str | Path, where: str) -> int:
    """Estimate how many rows a table has, by what its files say without reading them.

    Text is taken to have 20 bytes in a row, and five times as many as when it is compressed. The
    files of other programs, which are read at once in any case, count as none.
    """
    rows = 0
    for name in table_files(path):
        place = f"{where}: {name}"
        with _readable(place):
            file = _file(name, place, None)
            if isinstance(file, parquet.Parquet):
                rows += file.rows
            elif isinstance(file, delimited.Delimited):
                rows += file.path.stat().st_size * (5 if file.path.suffix == ".gz" else 1) // 20
    return rows


def table_parts(
    path: str | Path,
    columns: Sequence[str],
    where: str,
    text: Sequence[str],
    numeric: Sequence[str],
    reading: Mapping[str, str] | None,
    codes: Mapping[str, Sequence[str]],
    rows: int,
) -> Iterator[tuple[pd.DataFrame, Part, str, int]]:
    """`read_table` in parts: of Parquet so many rows, of other formats a file at a time.

    Gives each part's rows, the part, its file, and the number of its rows before the part.
    """
    for name in table_files(path):
        start = 0
        for part in _read_parts(name, text, columns, where, numeric, reading, codes, rows):
            yield _frame(part.table), part, name, start
            start += part.table.num_rows


def _read_file(
    path: str,
    text: Sequence[str],
    columns: Sequence[str],
    where: str,
    numeric: Sequence[str],
    reading: Mapping[str, str] | None,
    codes: Mapping[str, Sequence[str]] | None,
) -> Part:
    """One file's columns as numbers or factors."""
    (part,) = _read_parts(path, text, columns, where, numeric, reading, codes, None)
    return part


def _read_parts(
    path: str,
    text: Sequence[str],
    columns: Sequence[str],
    where: str,
    numeric: Sequence[str],
    reading: Mapping[str, str] | None,
    codes: Mapping[str, Sequence[str]] | None,
    rows: int | None,
) -> Iterator[Part]:
    """The same, of Parquet so many rows at a time."""
    import pyarrow as pa

    codes = codes or {}

    def part(table: pa.Table, facts: dict[str, str], coded: Coded) -> Part:
        return Part(without_codes(_plain(table, text, place), codes, coded), facts, coded)

    place = f"{where}: {path}"
    file = _file(path, place, reading)
    check_columns(columns, _columns(file), place)
    with _readable(place):
        if isinstance(file, parquet.Parquet) and rows is not None:
            for table in file.parts(columns, rows):
                yield part(table, file.facts, {})
            return
        coded: Coded = {}
        if isinstance(file, labelled.Labelled):
            file.codes, file.coded = codes, coded
        table = file.read(columns, numeric)
        facts = dict(file.facts)
        if isinstance(file, delimited.Delimited | spreadsheet.Spreadsheet):
            decimal = None if reading is None else reading.get("decimal")
            # While all is text: a word among numbers would make labels of them.
            table = without_codes(table, codes, coded)
            # Semicolons are written where the comma is taken for decimals.
            comma = facts.get("delimiter") == delimited.DELIMITERS[";"]
            plain, sign = typed(table, text, decimal, place, comma)
            if isinstance(file, delimited.Delimited) and sign is not None:
                facts["decimal"] = {".": "point", ",": "comma"}[sign]
            table = pa.table({name: plain[name] for name in columns})
        yield part(table, facts, coded)


def _plain(table: pa.Table, text: Sequence[str], place: str) -> pa.Table:
    """The table with these columns as factors of text, and others that are numbers as such."""
    import pyarrow as pa
    import pyarrow.compute as pc

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


def _frame(table: pa.Table) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: _series(table[name]) for name in table.column_names})


def _whole(values: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
    """Whole numbers as integers, so that subject 1.0 is called 1, and what is no number missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

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
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        return values.unify_dictionaries().to_pandas()
    if pa.types.is_integer(values.type):
        return values.to_pandas(types_mapper={values.type: pd.Int64Dtype()}.get)
    return values.to_pandas()
