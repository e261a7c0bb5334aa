"""A user's table, in one file or many: the header while the DAG is built, the rows in a job."""

from __future__ import annotations

import glob
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.errors import InputError, did_you_mean, listed, quoted
from twolevel.formula import parse
from twolevel.pipeline.formats import delimited, labelled, parquet, spreadsheet
from twolevel.pipeline.formats.numbers import typed

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


def columns_needed(formula: str, subject: str) -> list[str]:
    """Name the columns of the user's table that a study reads. Raises InputError (the formula)."""
    names = parse(formula)
    return list(dict.fromkeys([subject, names.response, *names.variables]))


def table_files(data: str | Path) -> list[str]:
    """The files of a table: those that a pattern with * matches, in order, or the one named."""
    if "*" in str(data) and not Path(data).exists():
        return sorted(glob.glob(str(data)))
    return [str(data)]


def header(path: str | Path, where: str, reading: Mapping[str, str] | None = None) -> list[str]:
    """The names of a table's columns, reading no more of its first file than that takes.

    `where` starts the messages, as `study anxiety`. Raises InputError.
    """
    files = table_files(path)
    if not files:
        raise InputError(
            f"{where}: {path}: no file matches this pattern; mend the path in data: or put them "
            "there"
        )
    place = f"{where}: {files[0]}"
    with _readable(place):
        columns = _file(files[0], place, reading).columns
    for i, name in enumerate(columns):
        if name and name in columns[:i]:
            raise InputError(
                f"{place}: the header names column {quoted(name)} twice (columns "
                f"{columns.index(name) + 1} and {i + 1}); rename one"
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
    if not file.exists():
        raise InputError(f"{place}: no such file; mend the path in data: or put it there")
    if file.is_dir():
        raise InputError(
            f"{place}: found a directory; for a table in many files write a pattern, as "
            f"data: {path.rstrip('/')}/*.parquet"
        )
    if not file.is_file():
        raise InputError(f"{place}: found a device, expected a file")
    ending = "".join(s.lower() for s in file.suffixes[-2:])
    kind = FORMATS.get(ending) or FORMATS.get(file.suffix.lower())
    if kind is None:
        raise InputError(
            f"{place}: found the ending {quoted(file.suffix)}, expected one of "
            f"{listed(FORMATS, 30)}; save the table in one of these formats"
        )
    return kind(file, place, dict(reading or {}))


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """Say which file cannot be read, and why."""
    try:
        yield
    except InputError:
        raise
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{place}: cannot be read ({reason}); mend its path or rights") from None


@dataclass(frozen=True, eq=False)
class Table:
    """A table that was read: its rows, and the files they come from.

    data has a column of numbers, or a factor, for each that was asked for; missing values are NA.
    facts say how the files were read, rows how many each of them has.
    """

    data: pd.DataFrame
    facts: dict[str, str]
    files: list[str]
    rows: list[int]


def read_table(
    path: str | Path,
    columns: Sequence[str],
    where: str,
    text: Sequence[str] = (),
    numeric: Sequence[str] = (),
    reading: Mapping[str, str] | None = None,
) -> Table:
    """Read these columns of a table, each as numbers when all of it is numbers, else as a factor.

    Those in `text` stay text, those in `numeric` stay numbers where these have labels. Raises
    InputError for whatever `header` finds in any of the files, for rows of the wrong length,
    and for text that cannot be read.
    """
    import pandas as pd
    import pyarrow as pa

    columns = list(dict.fromkeys(columns))
    files = table_files(path)
    settings = columns, where, numeric, reading
    parts = [_read_file(file, text, *settings) for file in files]
    # What is text in one file is text in all, also where it looks like a number.
    mixed = [
        name
        for name in columns
        if len({pa.types.is_dictionary(part[name].type) for part, _ in parts}) > 1
    ]
    if mixed:
        parts = [_read_file(file, (*text, *mixed), *settings) for file in files]
    whole = pa.concat_tables([part for part, _ in parts], promote_options="permissive")
    data = pd.DataFrame({name: _series(whole[name]) for name in columns})
    facts = {}
    for key in dict.fromkeys(key for _, read in parts for key in read):
        often = Counter(read[key] for _, read in parts if key in read)
        facts[key] = " and ".join(often)
    return Table(data, facts, files, [part.num_rows for part, _ in parts])


def _read_file(
    path: str,
    text: Sequence[str],
    columns: Sequence[str],
    where: str,
    numeric: Sequence[str],
    reading: Mapping[str, str] | None,
) -> tuple[pa.Table, dict[str, str]]:
    """One file's columns as numbers or factors, and how it was read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    place = f"{where}: {path}"
    check_columns(columns, header(path, where, reading), place)
    with _readable(place):
        file = _file(path, place, reading)
        table = file.read(columns, numeric)
        facts = dict(file.facts)
        if isinstance(file, delimited.Delimited | spreadsheet.Spreadsheet):
            decimal = None if reading is None else reading.get("decimal")
            table, sign = typed(table, text, decimal, place)
            if isinstance(file, delimited.Delimited) and sign is not None:
                facts["decimal"] = {".": "point", ",": "comma"}[sign]
        else:
            table = {name: table[name] for name in columns}
            for name in text:
                if name in table and not pa.types.is_dictionary(table[name].type):
                    table[name] = pc.cast(_whole(table[name]), pa.string()).dictionary_encode()
    return pa.table({name: table[name] for name in columns}), facts


def _whole(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats that are whole numbers as integers, so that subject 1.0 is called 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(values.type):
        try:
            return pc.cast(values, pa.int64())
        except pa.ArrowInvalid:
            return values
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
