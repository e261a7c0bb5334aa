"""Files between stages: written whole or not at all, and byte-equal for equal inputs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twolevel.atomic import replacing
from twolevel.shards import Shards

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Rows up to which a study's observations are held in memory, and those of one part beyond.
IN_MEMORY = 10_000_000
PART = 1_000_000

_COLUMNS, _LEVELS = "twolevel.columns", "twolevel.levels"
POSITION = "subject_position"
_ATTRS = b"PANDAS_ATTRS"  # where pandas itself writes them


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with line feeds."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with full precision; tables become lists of records, NaN and infinity null."""
    write_text(path, json.dumps(_plain(value), indent=1, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV with full precision, without its row numbers.

    As pandas writes it, but for whole numbers among others ("84", not "84.0"), and ten times as
    fast.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    rows = pa.Table.from_pandas(table, preserve_index=False)
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


def _labels(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Levels of a factor, or yes and no, as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    return column.cast(column.type.value_type)


def write_parquet(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_parquet(path: str | Path, filters: list | None = None) -> pd.DataFrame:
    """Read a table written by `write_parquet`; only rows for which all filters hold."""
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
                    {**table.schema.metadata, _ATTRS: json.dumps(attrs).encode()}
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


@dataclass(frozen=True, eq=False)
class Observations:
    """A study's observations, with what their columns are called in the user's own table.

    data has the columns subject, condition and response, then the further ones of the formula;
    columns maps these names to the user's. There is no entry for condition where the study has
    none; the column then holds the one level "all". Of a table too large for memory, data is a
    sample, and shards are all of it.
    """

    data: pd.DataFrame
    columns: dict[str, str]
    shards: Shards | None = None

    @property
    def typed(self) -> pd.DataFrame | Shards:
        """The whole table under the user's own names, in which the formula is written."""
        if self.shards is not None:
            return self.shards.renamed(self.columns)
        return self.data[list(self.columns)].rename(columns=self.columns)

    @property
    def subject(self) -> str:
        """The user's name of the subject column."""
        return self.columns["subject"]

    @property
    def condition(self) -> str | None:
        """The user's name of the condition, or None where the study has none."""
        return self.columns.get("condition")


def write_observations(path: str | Path, observations: Observations) -> None:
    """Write observations as Parquet, the user's column names in its metadata.

    Of a table that is to be read in parts, subjects have their positions too.
    """
    data = observations.data.copy(deep=False)
    data.attrs = {_COLUMNS: observations.columns}
    if len(data) <= IN_MEMORY:
        write_parquet(path, data)
        return
    data["subject"] = data["subject"].astype("category")
    factors = data.select_dtypes("category").drop(columns="subject")
    levels = {name: list(factors[name].cat.categories) for name in factors}

    def parts() -> Iterator[pd.DataFrame]:
        for start in range(0, len(data), PART):
            part = data.iloc[start : start + PART]
            positions = part["subject"].cat.codes.astype("int32")
            yield part.assign(subject=part["subject"].astype("str"), **{POSITION: positions})

    write_parts(path, parts(), observations.columns, levels)


def write_parts(
    path: str | Path,
    parts: Iterable[pd.DataFrame],
    columns: Mapping[str, str],
    levels: Mapping[str, list],
) -> None:
    """Write observations too large for memory, with subjects' positions and factors' levels."""
    with parquet_parts(path, {_COLUMNS: columns, _LEVELS: levels}) as write:
        for part in parts:
            write(part)


def read_observations(path: str | Path) -> Observations:
    """Read observations written by `write_observations`."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    if file.metadata.num_rows <= IN_MEMORY:
        data = pd.read_parquet(path)
        return Observations(data, data.attrs[_COLUMNS])
    attrs = json.loads(file.schema_arrow.metadata[_ATTRS])
    columns, levels = attrs[_COLUMNS], attrs[_LEVELS]
    read = ["condition", *(name for name in columns if name not in ("subject", "condition"))]

    def parts() -> Iterator[pd.DataFrame]:
        for k in range(file.num_row_groups):
            part = file.read_row_group(k, [POSITION, *read]).to_pandas()
            factors = {name: part[name].cat.set_categories(levels[name]) for name in levels}
            positions = part.pop(POSITION).astype(np.intp)
            yield part.assign(**factors, subject=positions)

    shards = Shards.of(parts, "subject", "response", _subjects(file), file.metadata.num_rows)
    sample = shards.sample.assign(subject=shards.subjects[shards.sample["subject"]])
    return Observations(sample, columns, shards)


def _subjects(file: pq.ParquetFile) -> pd.Index:
    """The names of all subjects, in the order of their positions."""
    names = np.empty(0, dtype=object)
    for k in range(file.num_row_groups):
        part = file.read_row_group(k, ["subject", POSITION]).to_pandas()
        part = part.drop_duplicates(POSITION)
        names = np.append(names, np.empty(max(0, part[POSITION].max() + 1 - len(names)), object))
        names[part[POSITION]] = part["subject"]
    return pd.Index(names, dtype="str")


def _plain(value: Any) -> Any:
    """Turn a value into what JSON can hold."""
    if isinstance(value, pd.DataFrame):
        named = value if value.index.name is None else value.reset_index()
        return [_plain(row) for row in named.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, pd.Series):
        return _plain(value.to_dict())
    if isinstance(value, list | tuple | pd.Index | np.ndarray):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return _plain(vars(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
