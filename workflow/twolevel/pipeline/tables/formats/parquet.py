"""Parquet: columns with types of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.pipeline.tables.formats.delimited import MAX_RATIO, MIN_TEXT
from twolevel.text.errors import InputError, quoted

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".parquet", ".pq")
# Rows of a file: those that any file may have, and how many for each of its bytes in a larger one.
# A response of only two values has some eight.
MIN_ROWS, MAX_ROWS_OF_BYTE = 2**24, 64


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
        import pyarrow.parquet as pq

        names = list(dict.fromkeys(columns))
        kinds = {name: self._file.schema_arrow.field(name).type for name in names}
        self._refuse_huge(kinds)
        try:
            # A text that stands in many rows is held once.
            file = pq.ParquetFile(
                self.path,
                metadata=self._file.metadata,
                read_dictionary=[name for name, kind in kinds.items() if _is_text(kind)],
                page_checksum_verification=True,
            )
            empty = file.schema_arrow.empty_table().select(names)
            batches = file.iter_batches(rows, columns=names)
            tables = [empty] if not self.rows else (pa.Table.from_batches([b]) for b in batches)
            for table in tables:
                yield pa.table(
                    {name: self._plain(table[name], name, kinds[name]) for name in names}
                )
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None

    def _refuse_huge(self, kinds: Mapping[str, pa.DataType]) -> None:
        """Refuse columns, maybe of a small file, that would take minutes or gigabytes to read."""
        import pyarrow as pa

        for name, kind in kinds.items():
            if pa.types.is_nested(kind):
                raise self._no_column(name, kind)
        about, size = self._file.metadata, self.path.stat().st_size
        places = [k for k in range(about.num_columns) if about.schema.column(k).path in kinds]
        unpacked = sum(
            about.row_group(group).column(k).total_uncompressed_size
            for group in range(about.num_row_groups)
            for k in places
        )
        # Every row has a copy of these, however often one occurs.
        fixed = filter(pa.types.is_fixed_size_binary, kinds.values())
        unpacked += sum(self.rows * kind.byte_width for kind in fixed)
        for found, most, what in (
            (unpacked, max(MIN_TEXT, MAX_RATIO * size), "bytes of these columns"),
            (self.rows, max(MIN_ROWS, MAX_ROWS_OF_BYTE * size), "rows"),
        ):
            if found > most:
                raise InputError(
                    f"{self.place}: {size:,} bytes hold {found:,} {what}, and {most:,} is the most "
                    "that is read of such a file; cut it into several (data: parts/*.parquet), or "
                    "write it without compression"
                )

    def _no_column(self, name: str, kind: pa.DataType) -> InputError:
        return InputError(
            f"{self.place}: column {quoted(name)}: holds {kind}, expected numbers or text; "
            "write it as one of these"
        )

    def _plain(self, values: pa.ChunkedArray, name: str, kind: pa.DataType) -> pa.ChunkedArray:
        """Numbers, or factors of text: dates and the like as the text that stands for them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(kind):
            if _is_text(kind.value_type):
                return values.unify_dictionaries()
            values, kind = values.cast(kind.value_type), kind.value_type
        if pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind):
            return values
        if pa.types.is_decimal(kind):
            return values
        if pa.types.is_float16(kind):
            return values.cast(pa.float64())
        if not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode()
        codes = values.unify_dictionaries().combine_chunks()
        if isinstance(codes, pa.ChunkedArray):  # without a row
            return pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
        try:
            texts = pc.cast(codes.dictionary, pa.string())
        except (pa.ArrowException, UnicodeDecodeError):
            raise self._no_column(name, kind) from None
        # In the order of their first rows, whatever that in the file.
        labels = texts.take(pc.unique(codes.indices)).unique()
        labels = labels.filter(pc.not_equal(pc.utf8_trim_whitespace(labels), ""))
        places = pc.index_in(texts, labels).take(codes.indices)
        return pa.chunked_array([pa.DictionaryArray.from_arrays(places, labels)])


def _is_text(kind: pa.DataType) -> bool:
    """Whether a column holds bytes of any length, which mostly are text."""
    import pyarrow as pa

    types = pa.types
    tests = types.is_string, types.is_large_string, types.is_binary, types.is_large_binary
    return any(test(kind) for test in (*tests, types.is_string_view, types.is_binary_view))
