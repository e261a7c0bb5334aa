"""Where a value stands in the user's own files, for messages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twolevel.text.errors import quoted


@dataclass(frozen=True)
class Places:
    """The rows of a table that may have been read from several files, and turned from wide to long.

    `where` names study and data. `files` are those of the table, and `starts` the numbers of rows
    above each that was read so far; `wide` are the columns whose values became one of those `made`.
    """

    where: str
    files: Sequence[str]
    starts: Sequence[int]
    wide: Sequence[str] = ()
    made: Sequence[str] = ()

    def row(self, position: int) -> str:
        """The number of a row in its file, the first below the header being 1."""
        position = int(position) // (len(self.wide) or 1)
        if len(self.files) == 1:
            return str(position + 1)
        k = bisect_right(self.starts, position) - 1
        return f"{position - self.starts[k] + 1} of {Path(self.files[k]).name}"

    def __call__(self, position: int, column: str) -> str:
        """Name one value by its row and column."""
        if self.wide and column in self.made:
            column = self.wide[int(position) % len(self.wide)]
        return f"{self.where}: row {self.row(position)}, column {quoted(column)}"
