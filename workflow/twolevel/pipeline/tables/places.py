"""Where a value stands in the user's own files, for messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from twolevel.text.errors import quoted


@dataclass(frozen=True)
class Places:
    """The rows of a table that may have been read from several files, and turned from wide to long.

    `where` names study and data. `files` are those of the table and `rows` the numbers of rows in
    them; `wide` are the columns whose values became one of those `made`. Of a part
    of a table, `file` is the one it is from, and `start` the number of rows before it; None where
    rows are not known any more.
    """

    where: str
    files: Sequence[str] = ()
    rows: Sequence[int] = ()
    wide: Sequence[str] = ()
    made: Sequence[str] = ()
    file: str = ""
    start: int | None = 0

    def row(self, position: int) -> str:
        """The number of a row in its file, the first below the header being 1."""
        position = int(position) // (len(self.wide) or 1) + (self.start or 0)
        if len(self.files) < 2:
            return f"{position + 1} of {self.file}" if self.file else str(position + 1)
        ends = list(accumulate(self.rows))
        k = next(k for k, end in enumerate(ends) if position < end)
        return f"{position - ends[k] + self.rows[k] + 1} of {Path(self.files[k]).name}"

    def __call__(self, position: int, column: str) -> str:
        """Name one value by its row and column."""
        if self.wide and column in self.made:
            column = self.wide[int(position) % len(self.wide)]
        if self.start is None:
            return f"{self.where}: column {quoted(column)}"
        return f"{self.where}: row {self.row(position)}, column {quoted(column)}"
