"""Reading a user's table: the header while the DAG is built, the rows in a job.

Text is read exactly as it stands, and numbers become the nearest doubles.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.errors import InputError, did_you_mean, listed, quoted
from twolevel.formula import parse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# "None" is not among them: it is a likely label of a condition.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL", "Null")
MAX_HEADER = 2**20
MAX_FIELD = 2**24


def columns_needed(formula: str, subject: str) -> list[str]:
    """Name the columns of the user's table that a study reads. Raises InputError (the formula)."""
    names = parse(formula)
    return list(dict.fromkeys([subject, names.response, *names.variables]))


def check_header(path: str | Path, columns: Iterable[str], where: str) -> None:
    """Check that a table is there and has these columns, reading its first line only.

    `where` starts the messages, as `study anxiety`. Raises InputError.
    """
    place = f"{where}: {path}"
    header = _header(Path(path), place)
    if len(header) == 1 and (found := [c for c in ";\t,|" if c in header[0]]):
        used = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}[found[0]]
        remedy = "name the file .tsv" if found[0] == "\t" else "save it as CSV with commas"
        remedy = "name the file .csv" if found[0] == "," else remedy
        raise InputError(f"{place}: the columns are separated by {used}; {remedy}")
    for i, name in enumerate(header):
        if name in header[:i]:
            raise InputError(
                f"{place}: the header names column {quoted(name)} twice (columns "
                f"{header.index(name) + 1} and {i + 1}); rename one"
            )
    for name in columns:
        if name not in header:
            raise InputError(
                f"{place}: there is no column {quoted(name)}{did_you_mean(name, header)}; "
                f"the columns are {listed(map(quoted, header), 30)}"
            )


def _header(path: Path, place: str) -> list[str]:
    try:
        if not path.exists():
            raise InputError(f"{place}: no such file; mend the path in data: or put it there")
        if not path.is_file():
            raise InputError(f"{place}: found a directory or device, expected a .csv or .tsv file")
        if path.suffix.lower() not in DELIMITERS:
            raise InputError(
                f"{place}: found the ending {quoted(path.suffix)}, expected .csv (commas) or "
                ".tsv (tabs); save the table as one of these"
            )
        with path.open("rb") as handle:
            rows = csv.reader(
                _lines(handle, place), delimiter=DELIMITERS[path.suffix.lower()], strict=True
            )
            header = next((row for row in rows if row), None)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place}: the header is not UTF-8 text (byte {error.object[error.start]:#04x}); "
            "save the table as CSV in UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(f"{place}: the header cannot be read ({error}); mend it") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{place}: cannot be read ({reason}); mend its path or rights") from None
    if header is None:
        raise InputError(f"{place}: the file is empty; expected a header and rows")
    return header


def _lines(handle: Any, place: str) -> Iterator[str]:
    """Decode a file line by line, so that only what the header needs is looked at."""
    first = True
    while line := handle.readline(MAX_HEADER):
        if b"\0" in line:
            raise InputError(f"{place}: this is not text; save the table as CSV in UTF-8")
        if len(line) == MAX_HEADER:
            raise InputError(f"{place}: the header is longer than {MAX_HEADER} bytes; shorten it")
        yield line.decode("utf-8-sig" if first else "utf-8")
        first = False


def read_table(
    path: str | Path, columns: Sequence[str], where: str, text: Sequence[str] = ()
) -> pd.DataFrame:
    """Read these columns of a CSV or TSV file, each as numbers when all of it is numbers.

    Those in `text` stay text. Missing values become NA. Raises InputError for whatever
    `check_header` finds, for rows of the wrong length, and for text that is not UTF-8.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    check_header(path, columns, where)
    place = f"{where}: {path}"
    table = _read_text(Path(path), columns, place)
    result = {}
    for name in columns:
        labels = table[name].combine_chunks()
        broken = pc.match_substring_regex(labels, r"[\r\n]")
        if (at := pc.index(broken, True).as_py()) >= 0:
            raise InputError(
                f"{place}: row {at + 1}, column {quoted(name)}: found {quoted(labels[at])}, "
                "expected text without a line break; close the quote or remove the break"
            )
        trimmed = pc.utf8_trim_whitespace(labels)
        missing = pc.is_in(trimmed, value_set=pa.array(MISSING))
        numbers = None if name in text else _numbers(pc.if_else(missing, None, trimmed))
        result[name] = pc.if_else(missing, None, labels) if numbers is None else numbers
    return pa.table(result).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


def _read_text(path: Path, columns: Sequence[str], place: str) -> pa.Table:
    """Read columns as text, every row with as many fields as the header."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror}); mend its rights") from None
    if b"\0" in content:
        raise InputError(f"{place}: this is not text; save the table as CSV in UTF-8")
    if content.count(b'"') % 2:
        raise InputError(
            f'{place}: found an odd number of quotes ("), so one is not closed and rows would be '
            'lost; close it, or write "" for a quote inside quoted text'
        )

    def read(threads: bool) -> pa.Table:
        return arrow_csv.read_csv(
            pa.py_buffer(content),
            read_options=arrow_csv.ReadOptions(use_threads=threads, block_size=MAX_FIELD),
            parse_options=arrow_csv.ParseOptions(
                delimiter=DELIMITERS[path.suffix.lower()], newlines_in_values=True
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(dict.fromkeys(columns)),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
            ),
        )

    try:
        return read(threads=True)
    except pa.ArrowInvalid as error:
        problem = str(error)
    # Threads do not know how many rows the others have read.
    try:
        return read(threads=False)
    except pa.ArrowInvalid as error:
        problem = str(error)
    if ragged := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", problem):
        line, expected, found = map(int, ragged.groups())
        raise InputError(
            f"{place}: row {line - 1}: found {found} fields, expected {expected} as in the header; "
            "add or remove what separates them (text that holds one goes in quotes)"
        )
    if "UTF8" in problem:
        raise InputError(f"{place}: the rows are not UTF-8 text; save the table as CSV in UTF-8")
    if "try to increase block size" in problem:
        raise InputError(
            f"{place}: a row is longer than {MAX_FIELD} bytes; break it or close its quote"
        )
    raise InputError(f"{place}: cannot be read ({' '.join(problem.split())}); mend that row")


def _numbers(labels: pa.Array) -> pa.Array | None:
    """Turn text into integers, else into floats, else give None."""
    import pyarrow as pa

    floats = _cast(labels, pa.float64())
    integers = None if floats is None else _cast(labels, pa.int64())
    return floats if integers is None else integers


def _cast(labels: pa.Array, kind: pa.DataType) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        # A cast that fails goes on to the end, and slowly: fail early where most columns do.
        pc.cast(labels[:1000], kind)
        return pc.cast(labels, kind)
    except pa.ArrowInvalid:
        return None
