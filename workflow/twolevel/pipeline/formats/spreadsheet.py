"""Excel: one sheet, its first row the header, every cell taken as the text that stands for it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.errors import InputError, did_you_mean, listed, quoted

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".xlsx", ".xlsm")
# Bytes of all parts of a workbook, and rows of a sheet.
MAX_UNPACKED = 2**30
MAX_ROWS = 2**20


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
            unpacked = sum(part.file_size for part in zipfile.ZipFile(self.path).infolist())
            if unpacked > MAX_UNPACKED:
                raise InputError(
                    f"{self.place}: unpacks to {unpacked:,} bytes, and {MAX_UNPACKED:,} are the "
                    "most that is read; save the sheet as CSV"
                )
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
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

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Say that the file is damaged: openpyxl raises whatever its parts do, of any kind."""
        try:
            yield
        except InputError:
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


def _text(cell: Any) -> str:
    """A cell as text: numbers exactly, days without a time, and an empty cell as nothing."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)
