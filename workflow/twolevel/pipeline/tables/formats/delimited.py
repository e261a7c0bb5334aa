"""Text tables: delimiter, encoding and decimal sign found in the file itself, or given.

What is not certain is refused: no number is ever read in two ways. Text is read exactly as it
stands, and numbers become the nearest doubles.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.text.errors import InputError, quoted

if TYPE_CHECKING:
    import pyarrow as pa

# The delimiter that an ending promises; the others are looked for too.
ENDINGS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# "None" is not among them: it is a likely label of a condition.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL", "Null")

# Bytes, also of what comes out of a compressed file.
MAX_TEXT = 2**31
# Of a compressed file, this many times its size: of tables there come some ten or twenty times.
MAX_RATIO, MIN_TEXT = 200, 2**26
MAX_HEADER = 2**20
MAX_FIELD = 2**24
_HEAD_ROWS = 100
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What Excel writes as CSV where it does not write UTF-8.
_WINDOWS = "cp1252"
_ENCODINGS = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}


@dataclass(eq=False)
class Delimited:
    """A text file with a header and one row per line, gzipped or not."""

    path: Path
    place: str
    reading: Mapping[str, str]
    facts: dict[str, str] = field(init=False, default_factory=dict)

    @cached_property
    def _head(self) -> str:
        """The first lines, without one that is cut off."""
        with self._opened() as handle:
            head = handle.read(MAX_HEADER + 1)
        whole = len(head) <= MAX_HEADER
        if not whole:
            text = head.decode(self._encoding(head), errors="ignore")
            end = text.rfind("\n")
            if end < 0:
                raise InputError(
                    f"{self.place}: the first line is longer than {MAX_HEADER:,} bytes, so this "
                    "is no table with a header; break its lines, or name the right file"
                )
            return text[: end + 1]
        return self._decoded(head)

    def _opened(self) -> io.BufferedIOBase:
        return gzip.open(self.path) if self.path.suffix.lower() == ".gz" else self.path.open("rb")

    def _encoding(self, content: bytes) -> str:
        if given := self.reading.get("encoding"):
            return given
        mark = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
        if mark:
            return mark
        try:
            # A head may end within a letter.
            codecs.getincrementaldecoder("utf-8")().decode(content)
        except UnicodeDecodeError:
            return _WINDOWS
        return "utf-8"

    def _decoded(self, content: bytes) -> str:
        encoding = self._encoding(content)
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            found = "neither UTF-8 nor" if encoding == _WINDOWS else "not"
            raise InputError(
                f"{self.place}: line {line} is {found} {_ENCODINGS.get(encoding, encoding)} text "
                f"(byte {content[error.start]:#04x}); say read: {{encoding: ...}}, or save the "
                "table as CSV in UTF-8"
            ) from None
        if "\0" in text:
            raise InputError(
                f"{self.place}: found a NUL byte, so this is not text; save the table as CSV in "
                "UTF-8"
            )
        # As old programs for the Macintosh end lines.
        return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text

    @cached_property
    def _delimiter(self) -> str:
        return self.reading.get("delimiter") or self._sniffed

    @property
    def _sniffed(self) -> str:
        """The delimiter that cuts the first rows into as many fields each as the header."""
        own = ENDINGS[_ending(self.path)]
        found: dict[str, tuple[bool, int]] = {}
        for delimiter in (own, *DELIMITERS):
            try:
                rows = list(islice(_rows(self._head, delimiter), _HEAD_ROWS))
            except csv.Error:
                continue
            widths = {len(row) for row in rows}
            if rows and len(rows[0]) > 1:
                # Alike in all rows first, then many, then the ending's own.
                found.setdefault(delimiter, (len(widths) == 1, len(rows[0])))
        return max(found, key=found.__getitem__, default=own)

    @cached_property
    def columns(self) -> list[str]:
        """The header."""
        try:
            header = next(_rows(self._head, self._delimiter), None)
        except csv.Error as error:
            raise InputError(f"{self.place}: the header cannot be read ({error}); fix it") from None
        if header is None:
            raise InputError(f"{self.place}: the file is empty; expected a header and rows")
        if len(header) == 1 and len(header[0].split()) > 1 and not self._head.startswith('"'):
            raise InputError(
                f"{self.place}: the header, {quoted(header[0])}, has no comma, semicolon, tab or "
                "bar to separate columns; save the table as CSV with commas"
            )
        self._refuse_another_width(len(header))
        return header

    def _refuse_another_width(self, names: int) -> None:
        """Refuse a header with more or fewer names than all of the first rows have fields.

        A header may hold a delimiter in a name; that its names then seem to stand twice, or to be
        absent, is no reason that one could fix.
        """
        rows = islice(_rows(self._head, self._delimiter), 1, _HEAD_ROWS)
        try:
            widths = {len(row) for row in rows}
        except csv.Error:
            return  # said with its row when that is read
        if len(widths) != 1 or names in widths:
            return
        (fields,) = widths
        signs = DELIMITERS[self._delimiter]
        if fields < names:
            remedy = f"put names that hold {signs} in quotes, or take out what is too much"
        else:
            remedy = (
                "name every column, the first one too, which some programs leave without a name; "
                f"text and numbers that hold {signs} go in quotes"
            )
        raise InputError(
            f"{self.place}: the header has {names} names and the rows have {fields} fields (the "
            f"columns are taken to be separated by {signs}); {remedy}"
        )

    def read(self, columns: Sequence[str], numeric: Sequence[str] = ()) -> pa.Table:
        """Read columns as text, every row with as many fields as the header."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        most, size = MAX_TEXT, self.path.stat().st_size
        if self.path.suffix.lower() == ".gz":
            most = min(most, max(MIN_TEXT, MAX_RATIO * size))
        with self._opened() as handle:
            content = handle.read(most + 1)
        if len(content) > most:
            raise InputError(
                f"{self.place}: {size:,} bytes hold more than {most:,} bytes of text, which is the "
                "most that is read of such a file; cut it into several (data: parts/*.csv), save "
                "it without compression, or write Parquet"
            )
        text = self._decoded(content)
        encoding = self._encoding(content)
        self.facts |= {
            "format": "text" + (", gzipped" if self.path.suffix.lower() == ".gz" else ""),
            "delimiter": DELIMITERS[self._delimiter],
            "encoding": _ENCODINGS.get(encoding, encoding),
        }
        if text.count('"') % 2:
            raise InputError(
                f'{self.place}: found an odd number of quotes ("), so one is not closed and rows '
                'would be lost; close it, or write "" for a quote inside quoted text'
            )
        content = text.encode()
        del text

        def read(threads: bool) -> pa.Table:
            return arrow_csv.read_csv(
                pa.py_buffer(content),
                read_options=arrow_csv.ReadOptions(use_threads=threads, block_size=MAX_FIELD),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=list(dict.fromkeys(columns)),
                    column_types=dict.fromkeys(columns, pa.string()),
                    strings_can_be_null=False,
                ),
            )

        try:
            return self._without_breaks(read(threads=True))
        except pa.ArrowInvalid as error:
            problem = str(error)
        # Threads do not know how many rows the others have read.
        try:
            return self._without_breaks(read(threads=False))
        except pa.ArrowInvalid as error:
            problem = str(error)
        if ragged := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", problem):
            line, expected, found = map(int, ragged.groups())
            raise InputError(
                f"{self.place}: row {line - 1}: found {found} fields, expected {expected} as in "
                f"the header (the columns are taken to be separated by "
                f"{DELIMITERS[self._delimiter]}); add or remove what separates them (text that "
                "holds one goes in quotes)"
            )
        if "Empty CSV file" in problem:
            raise InputError(f"{self.place}: found a header and no rows; add the observations")
        if "try to increase block size" in problem:
            raise InputError(
                f"{self.place}: a row is longer than {MAX_FIELD:,} bytes; break it or close its "
                "quote"
            )
        raise InputError(
            f"{self.place}: cannot be read ({' '.join(problem.split())}); fix that row"
        )

    def _without_breaks(self, table: pa.Table) -> pa.Table:
        """The table, if no text in it runs over a line break, as after a forgotten quote."""
        import pyarrow.compute as pc

        for name in table.column_names:
            broken = pc.match_substring_regex(table[name], r"[\r\n]")
            if (at := pc.index(broken, True).as_py()) >= 0:
                raise InputError(
                    f"{self.place}: row {at + 1}, column {quoted(name)}: found "
                    f"{quoted(table[name][at])}, expected text without a line break; close the "
                    "quote or remove the break"
                )
        return table


def _ending(path: Path) -> str:
    """The ending that says the format, before .gz."""
    path = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return path.suffix.lower()


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a text, without empty lines."""
    lines = io.StringIO(text, newline="")
    return filter(None, csv.reader(lines, delimiter=delimiter, strict=True))
