"""Files between stages: written whole or not at all, and byte-equal for equal inputs.

pandas is loaded where a table is read or written, as jobs without tables start sooner without it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.files.atomic import replacing

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


# The key under which pandas itself keeps the attributes of a table in Parquet.
ATTRS = b"PANDAS_ATTRS"


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with line feeds."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with full precision; tables become lists of records, NaN and infinity null."""
    write_text(path, json.dumps(plain(value), indent=1, ensure_ascii=False) + "\n")


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV with full precision, without its row numbers.

    As pandas writes it, except for whole numbers among others ("84", not "84.0"), and ten times as
    fast.
    """
    import pyarrow as pa

    write_rows(path, pa.Table.from_pandas(table, preserve_index=False))


def write_rows(path: str | Path, rows: pa.Table) -> None:
    """Write a table of pyarrow's as CSV, as `write_csv` does one of pandas'."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    for k, column in enumerate(rows.columns):
        if pa.types.is_boolean(column.type) or pa.types.is_dictionary(column.type):
            rows = rows.set_column(k, rows.column_names[k], _labels(column))
    special = any(
        pc.any(pc.match_substring_regex(column, '[,"\r\n]')).as_py()
        for column in rows.columns
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    )
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = io.StringIO()
        csv.writer(header, lineterminator="\n").writerow(rows.column_names)
        file.write(header.getvalue().encode())
        style = "needed" if special else "none"
        arrow_csv.write_csv(
            rows, file, arrow_csv.WriteOptions(include_header=False, quoting_style=style)
        )


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read a small table written by `write_csv` as its rows; a missing value is empty."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _labels(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Levels of a factor, or yes and no, as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    return column.cast(column.type.value_type)


def write_parquet(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, in one group of rows: names are then looked up once."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False, row_group_size=max(len(table), 1))


def read_parquet(path: str | Path, filters: list | None = None) -> pd.DataFrame:
    """Read a table written by `write_parquet`; only rows for which all filters hold."""
    import pandas as pd

    return pd.read_parquet(path, filters=filters)


@contextmanager
def parquet_parts(
    path: str | Path, attrs: Mapping[str, Any] | None = None
) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a table that need not fit the memory: call what this gives with one part at a time.

    `attrs` are those of the whole table, as pandas keeps them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(path) as temporary, ExitStack() as stack:
        writer = None

        def write(part: pd.DataFrame) -> None:
            nonlocal writer
            table = pa.Table.from_pandas(part, preserve_index=False)
            if attrs is not None:
                table = table.replace_schema_metadata(
                    {**table.schema.metadata, ATTRS: json.dumps(attrs).encode()}
                )
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(temporary, table.schema))
            writer.write_table(table)

        yield write


def read_parts(path: str | Path) -> Iterator[pd.DataFrame]:
    """Read a table written by `parquet_parts`, part by part."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    for k in range(file.num_row_groups):
        yield file.read_row_group(k).to_pandas()


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold."""
    if hasattr(value, "to_dict"):  # of pandas
        if value.ndim == 1:
            return plain(value.to_dict())
        named = value if value.index.name is None else value.reset_index()
        return [plain(row) for row in named.to_dict("records")]
    if hasattr(value, "tolist"):  # of numpy, or an index of pandas
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return plain(vars(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
