"""A study's observations between stages: in memory, or in parts where they are too many."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twolevel.design.shards import Shards
from twolevel.files.stage_files import ATTRS, parquet_parts, write_parquet
from twolevel.pipeline.tables.own_names import COLUMNS

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Rows up to which a study's observations are held in memory, and those of one part beyond.
IN_MEMORY = 10_000_000
PART = 1_000_000

# The column with the positions of subjects, of observations in parts.
POSITION = "subject_position"

_LEVELS = "twolevel.levels"


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
    """Write observations as Parquet, the user's column names in its metadata."""
    data = observations.data.copy(deep=False)
    data.attrs = {COLUMNS: observations.columns}
    if len(data) <= IN_MEMORY:
        write_parquet(path, data)
        return
    codes, subjects = pd.factorize(data["subject"])
    data["subject"] = codes
    parts = (data.iloc[start : start + PART] for start in range(0, len(data), PART))
    write_parts(path, parts, pd.Index(subjects), observations.columns)


def write_parts(
    path: str | Path,
    parts: Iterable[pd.DataFrame],
    subjects: pd.Index,
    columns: Mapping[str, str],
) -> None:
    """Write observations that are to be read in parts, and of each subject also its position.

    In `parts` subjects are positions in `subjects`, and factors have all their levels.
    """
    parts = iter(parts)
    first = next(parts)
    levels = {
        name: list(values.cat.categories)
        for name, values in first.select_dtypes("category").items()
    }
    with parquet_parts(path, {COLUMNS: columns, _LEVELS: levels}) as write:
        for part in chain([first], parts):
            positions = part["subject"].to_numpy()
            names = subjects[positions].astype("str")
            write(part.assign(subject=names, **{POSITION: positions.astype("int32")}))


def read_observations(path: str | Path) -> Observations:
    """Read observations written by `write_observations`."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    if file.metadata.num_rows <= IN_MEMORY:
        data = pd.read_parquet(path)
        return Observations(data, data.attrs[COLUMNS])
    attrs = json.loads(file.schema_arrow.metadata[ATTRS])
    columns, levels = attrs[COLUMNS], attrs[_LEVELS]
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
