"""Excel: one sheet, its first row the header, every cell taken as the text that stands for it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.errors import InputError, did_you_mean, listed, quoted

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".xlsx", ".xlsm")


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
                "pip install 'twolevel[formats]', or save the table as CSV"
            ) from None
        try:
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        # openpyxl raises what its parts do: KeyError for a missing one, ValueError for a bad one.
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
            raise InputError(
                f"{self.place}: cannot be read as an Excel workbook ({error}); save it anew, or as "
                "CSV"
            ) from None
        names = [sheet.title for sheet in book.worksheets]
        named = self.reading.get("sheet")
        if named is not None and named not in names:
            raise InputError(
                f"{self.place}: there is no sheet {quoted(named)}"
                f"{did_you_mean(named, names)}; the sheets are {listed(map(quoted, names))}"
            )
        self.facts |= {"format": "Excel", "sheet": named or names[0]}
        return book[named] if named else book.worksheets[0]

    @cached_property
    def columns(self) -> list[str]:
        """The first row."""
        row = next(self._sheet.iter_rows(values_only=True), ())
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
        rows = self._sheet.iter_rows(min_row=2, max_col=width, values_only=True)
        rows = [row for row in rows if any(cell is not None for cell in row)]
        return pa.table(
            {
                name: pa.array([_text(row[k]) for row in rows], pa.string())
                for name, k in zip(names, places, strict=True)
            }
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
