"""Excel: one sheet, its first row the header, every cell taken as the text that stands for it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.text.errors import InputError, did_you_mean, listed, quoted

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".xlsx", ".xlsm")
MAX_ROWS = 2**20
# Bytes of all parts of a workbook, and tags in them: a cell takes some four, a text in the list of
# those that cells share as many. openpyxl reads all of that list, and of the styles and whatever
# else there is, before the first row, and all cells of a row before the next.
MAX_UNPACKED = 2**29
MAX_TAGS = {"cells": 2**25, "different texts": 2**22, "styles and names": 2**18}
MAX_TAGS_OF_ROW = 2**18
# Pictures hold the sign of a tag by chance, once in 256 bytes.
_BY_CHANCE = 128
_ROW = re.compile(rb"<(?:[^\s<>/:]+:)?row\b")
_SHARED_TEXT = re.compile(rb"<(?:[^\s<>/:]+:)?si\b")


@dataclass(eq=False)
class Spreadsheet:
    """One sheet of an Excel workbook: the first, or the one that is named."""

    path: Path
    place: str
    reading: Mapping[str, str]
    facts: dict[str, str] = field(init=False, default_factory=dict)

    @cached_property
    def _sheet(self) -> Any:
        try:
            import openpyxl
        except ImportError:
            raise InputError(
                f"{self.place}: reading Excel needs the package openpyxl; install it by "
                "pip install openpyxl, or save the table as CSV"
            ) from None
        with self._readable():
            self._refuse_huge()
            book = openpyxl.load_workbook(
                self.path, read_only=True, data_only=True, keep_links=False
            )
        names = [sheet.title for sheet in book.worksheets]
        if not names:
            raise InputError(
                f"{self.place}: the workbook has no sheet with cells; save it anew, or as CSV"
            )
        named = self.reading.get("sheet")
        if named is not None and named not in names:
            raise InputError(
                f"{self.place}: there is no sheet {quoted(named)}"
                f"{did_you_mean(named, names)}; the sheets are {listed(map(quoted, names))}"
            )
        self.facts |= {"format": "Excel", "sheet": named or names[0]}
        sheet = book.worksheets[names.index(named) if named else 0]
        # What the file says of its size may leave out rows.
        sheet.reset_dimensions()
        return sheet

    def _refuse_huge(self) -> None:
        """Refuse a workbook, maybe a small file, that would take minutes or gigabytes to read."""

        def refuse(found: str, most: str) -> None:
            raise InputError(
                f"{self.place}: {found}, and {most} is the most that is read; save the sheet as CSV"
            )

        with zipfile.ZipFile(self.path) as book:
            unpacked = sum(part.file_size for part in book.infolist())
            if unpacked > MAX_UNPACKED:
                refuse(f"unpacks to {unpacked:,} bytes", f"{MAX_UNPACKED:,}")
            tags = dict.fromkeys(MAX_TAGS, 0)
            for part in book.infolist():
                kind = _kind(part.filename)
                tags[kind] -= part.file_size // _BY_CHANCE if kind == "styles and names" else 0
                of_row = n_rows = 0
                with book.open(part) as file:
                    while chunk := file.read(2**20):
                        tags[kind] += chunk.count(b"<")
                        if tags[kind] > MAX_TAGS[kind]:
                            refuse(f"has too many {kind}", f"{MAX_TAGS[kind]:,} tags of XML")
                        if kind != "cells":
                            continue
                        if _SHARED_TEXT.search(chunk):
                            refuse("has texts in the place of a sheet", "a sheet there")
                        # A row's tag that is cut in two only counts its cells to the row before.
                        before, *rows = (piece.count(b"<") for piece in _ROW.split(chunk))
                        if max(of_row + before, *rows, 0) > MAX_TAGS_OF_ROW:
                            refuse("has too many cells in a row", f"{MAX_TAGS_OF_ROW:,} tags")
                        of_row = rows[-1] if rows else of_row + before
                        n_rows += len(rows)
                        if n_rows > MAX_ROWS:
                            refuse("has too many rows", f"{MAX_ROWS:,}")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Say that the file is damaged: openpyxl raises whatever its parts do, of any kind."""
        try:
            yield
        except (InputError, MemoryError):
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{self.place}: cannot be read as an Excel workbook ({reason}); save it anew, or "
                "as CSV"
            ) from None

    @cached_property
    def columns(self) -> list[str]:
        """The first row."""
        with self._readable():
            row = next(self._sheet.iter_rows(max_row=1, values_only=True), ())
        header = ["" if cell is None else _text(cell) for cell in row]
        while header and not header[-1]:
            header.pop()
        if not any(header):
            raise InputError(
                f"{self.place}: the first row of sheet {quoted(self._sheet.title)} is empty; "
                "expected the names of the columns there"
            )
        return header

    def read(self, columns: Sequence[str], numeric: Sequence[str] = ()) -> pa.Table:
        """Read columns as text; rows without any value are no rows."""
        import pyarrow as pa

        names = list(dict.fromkeys(columns))
        places = [self.columns.index(name) for name in names]
        width = len(self.columns)
        rows = []
        with self._readable():
            cells = self._sheet.iter_rows(min_row=2, max_col=width, values_only=True)
            for number, row in enumerate(cells, 1):
                if number > MAX_ROWS:
                    raise InputError(
                        f"{self.place}: has more than {MAX_ROWS:,} rows, the most that Excel "
                        "knows; save the sheet as CSV"
                    )
                if any(cell is not None for cell in row):
                    rows.append([row[k] for k in places])
        table = {}
        for k, name in enumerate(names):
            cells = [row[k] for row in rows]
            if name not in numeric:
                self._refuse_long(cells, name)
            table[name] = pa.array(map(_text, cells), pa.string())
        return pa.table(table)

    def _refuse_long(self, cells: Sequence[Any], name: str) -> None:
        """Refuse numbers that may be labels whose last digits Excel has lost."""
        for row, cell in enumerate(cells, 1):
            if isinstance(cell, int | float) and 2**53 <= abs(cell) < float("inf"):
                raise InputError(
                    f"{self.place}: row {row}, column {quoted(name)}: found the number {cell}, of "
                    "which Excel keeps the first 15 digits only; write labels as text"
                )


def _kind(part: str) -> str:
    """What a part of a workbook mostly holds, by the names that all programs give them."""
    if part.startswith("xl/worksheets/") and not part.endswith(".rels"):
        return "cells"
    return "different texts" if part == "xl/sharedStrings.xml" else "styles and names"


def _text(cell: Any) -> str:
    """A cell as text: numbers exactly, days without a time, and an empty cell as nothing."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)
