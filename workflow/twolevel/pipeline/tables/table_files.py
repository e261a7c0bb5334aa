"""A user's table, in one file or many: where its files are, and what their headers name."""

from __future__ import annotations

import glob
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from twolevel.pipeline.tables.formats import delimited, labelled, parquet, spreadsheet
from twolevel.random.bars import read_bars
from twolevel.text.errors import InputError, did_you_mean, listed, quoted

FORMATS = {
    **dict.fromkeys(delimited.ENDINGS, delimited.Delimited),
    **{f"{ending}.gz": delimited.Delimited for ending in delimited.ENDINGS},
    **dict.fromkeys(parquet.ENDINGS, parquet.Parquet),
    **dict.fromkeys(spreadsheet.ENDINGS, spreadsheet.Spreadsheet),
    **dict.fromkeys(labelled.ENDINGS, labelled.Labelled),
}

# Files that are open at the same time while their headers are read.
_AT_ONCE = 100


def columns_needed(formula: str, subject: str) -> list[str]:
    """Name the columns of the user's table that a study reads. Raises InputError (the formula)."""
    mixed = read_bars(formula)
    names = subject, mixed.names.response, *mixed.names.variables, *mixed.random_columns
    return list(dict.fromkeys(names))


def table_files(data: str | Path) -> list[str]:
    """The files of a table: those that a pattern with * matches, in order, or the one named."""
    if "*" in str(data) and not os.path.exists(data):
        return sorted(glob.glob(str(data)))
    return [str(data)]


def header(path: str | Path, where: str, reading: Mapping[str, str] | None = None) -> list[str]:
    """The names of the columns of a table's first file. Raises InputError, as `headers` does."""
    return TableFiles(path, where, reading or {}).header


def headers(
    path: str | Path, where: str, reading: Mapping[str, str] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Each file of a table with the names of its columns, reading no more of it than that takes.

    `where` starts the messages, as `study anxiety`. Raises InputError.
    """
    table = TableFiles(path, where, reading or {})
    for start in range(0, len(table.paths), _AT_ONCE):
        opened = [table.opened(file) for file in table.paths[start:][:_AT_ONCE]]
        labelled.look_into([file for file in opened if isinstance(file, labelled.Labelled)])
        for file in opened:
            yield str(file.path), columns_of(file)


@dataclass(eq=False)
class TableFiles:
    """The files of a table; `where` names the study in messages, `reading` says how to read text.

    The first file is opened once, for its header and for its rows. Raises InputError.
    """

    data: str | Path
    where: str
    reading: Mapping[str, str]

    @cached_property
    def paths(self) -> list[str]:
        """Where the files are, one at least."""
        if files := table_files(self.data):
            return files
        raise InputError(
            f"{self.where}: {self.data}: no file matches this pattern; fix the path in data: or "
            "put them there"
        )

    @cached_property
    def _first(self) -> Any:
        return self._open(self.paths[0])

    @property
    def header(self) -> list[str]:
        """The names of the first file's columns."""
        return columns_of(self._first)

    def opened(self, path: str) -> Any:
        """One of the files, in the class of its format."""
        return self._first if path == self.paths[0] else self._open(path)

    def _open(self, path: str) -> Any:
        return _file(path, f"{self.where}: {path}", self.reading)

    def estimated_rows(self) -> int:
        """Estimate how many rows there are, by what the files say without reading them.

        Text is taken to have 20 bytes in a row, and five times as many as when it is compressed.
        The files of other programs, which are read at once in any case, count as none.
        """
        rows = 0
        for path in self.paths:
            file = self.opened(path)
            with readable(file.place):
                if isinstance(file, parquet.Parquet):
                    rows += file.rows
                elif isinstance(file, delimited.Delimited):
                    rows += file.path.stat().st_size * (5 if file.path.suffix == ".gz" else 1) // 20
        return rows


def columns_of(file: Any) -> list[str]:
    """The names of a file's columns, none of them twice."""
    with readable(file.place):
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


def _file(path: str, place: str, reading: Mapping[str, str]) -> Any:
    """One file, by its ending."""
    file = Path(path)
    with readable(place):
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
    return kind(file, place, dict(reading))


@contextmanager
def readable(place: str) -> Iterator[None]:
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
