"""Parquet: columns with types of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.text.errors import InputError, quoted

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".parquet", ".pq")


@dataclass(eq=False)
class Parquet:
    """A Parquet file, whose factors keep the order of their levels."""

    path: Path
    place: str
    reading: Mapping[str, str]
    facts: dict[str, str] = field(init=False, default_factory=lambda: {"format": "Parquet"})

    @cached_property
    def _file(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self.path, page_checksum_verification=True)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> Exception:
        if isinstance(error, MemoryError):
            return error
        return InputError(
            f"{self.place}: cannot be read as Parquet ({' '.join(str(error).split())[:200]}); "
            "write the file anew"
        )

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._file.schema_arrow.names)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self._file.metadata.num_rows

    def read(self, columns: Sequence[str], numeric: Sequence[str] = ()) -> pa.Table:
        """Read columns as numbers or factors."""
        import pyarrow as pa

        parts = list(self.parts(columns, self.rows or 1))
        return pa.concat_tables(parts, promote_options="permissive")

    def parts(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Read columns as numbers or factors, so many rows at a time."""
        import pyarrow as pa

        names = list(dict.fromkeys(columns))
        empty = self._file.schema_arrow.empty_table().select(names)
        try:
            batches = self._file.iter_batches(rows, columns=names)
            tables = [empty] if not self.rows else (pa.Table.from_batches([b]) for b in batches)
            for table in tables:
                yield pa.table({name: self._plain(table[name], name) for name in names})
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None

    def _plain(self, values: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
        """Numbers, or factors of text: dates and the like as the text that stands for them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = values.type
        if pa.types.is_dictionary(kind):
            if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
                return values.unify_dictionaries()
            values, kind = values.cast(kind.value_type), kind.value_type
        if pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind):
            return values
        if pa.types.is_decimal(kind):
            return values
        if pa.types.is_float16(kind):
            return values.cast(pa.float64())
        try:
            text = pc.cast(values, pa.string())
        except (pa.ArrowException, UnicodeDecodeError):
            raise InputError(
                f"{self.place}: column {quoted(name)}: holds {kind}, expected numbers or text; "
                "write it as one of these"
            ) from None
        blank = pc.equal(pc.utf8_trim_whitespace(text), "")
        return pc.if_else(blank, None, text).dictionary_encode()
