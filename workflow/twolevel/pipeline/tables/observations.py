"""From a user's table to observations: the project's columns, checked to support a model.

A table is read in parts, and a small one is a single part, which is held. A first look through all
parts finds what is a number and which labels there are; a second makes numbers and codes of them,
from which the columns' roles follow. Of a table too large for memory each look reads the files
anew, and the codes lie on disk: in memory are the names of subjects, a few numbers for each of
them, and one part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.shards import Profiles
from twolevel.files.stage_files import parquet_parts, read_parts
from twolevel.pipeline.tables.column_types import (
    Labels,
    as_numbers,
    factor,
    is_number,
    refuse_text_among_numbers,
)
from twolevel.pipeline.tables.duplicates import refuse_duplicates
from twolevel.pipeline.tables.likely_codes import LikelyCode, likely_codes
from twolevel.pipeline.tables.missing_values import Coded, MissingValues, codes_of, refuse_absent
from twolevel.pipeline.tables.places import Places
from twolevel.pipeline.tables.reading import Part, Reader
from twolevel.pipeline.tables.roles import condition_of, refuse_unfit, stored_names
from twolevel.pipeline.tables.stored import (
    IN_MEMORY,
    PART,
    Observations,
    write_observations,
    write_parts,
)
from twolevel.pipeline.tables.survey import Columns, Survey, complete_rows
from twolevel.pipeline.tables.table_files import TableFiles, columns_needed
from twolevel.pipeline.tables.wide import Cells, Wide, columns_read, lengthened
from twolevel.random.bars import read_bars
from twolevel.text.errors import InputError, quoted
from twolevel.text.numbers import written

# A part's columns (N,): numbers, or positions of labels.
CodedPart = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Loaded:
    """A table in the project's own columns, and what there is to tell of its loading.

    `parts` gives its rows, as often as wanted: factors with all their levels, and subjects as
    positions in `subjects`. `columns` are the project's names with the user's, as in
    `Observations`. `dropped` counts the missing values per column of the user's table for which
    rows were left out, and `rows_read` counts the rows before that. `facts` say how the files were
    read, `coded` how often a code stood for a missing value, by column, `likely` which numbers look
    like such codes; `levels` are those of each factor, by the user's names.
    """

    parts: Callable[[], Iterator[pd.DataFrame]]
    columns: dict[str, str]
    subjects: pd.Index
    rows: int
    dropped: dict[str, int]
    rows_read: int
    facts: dict[str, str]
    coded: Coded
    likely: list[LikelyCode]
    levels: dict[str, list[str]]

    @cached_property
    def data(self) -> pd.DataFrame:
        """All rows in memory, with the names of their subjects."""
        first, *others = self.parts()
        data = pd.concat([first, *others], ignore_index=True) if others else first
        return data.assign(subject=pd.Categorical.from_codes(data["subject"], self.subjects))

    @property
    def observations(self) -> Observations:
        """The same as what the next stages work with."""
        return Observations(self.data, self.columns)

    def write(self, path: str | Path) -> None:
        """Write the observations, in parts where they are too many."""
        if self.rows <= IN_MEMORY:
            write_observations(path, self.observations)
        else:
            write_parts(path, self.parts(), self.subjects, self.columns)

    def summary(self) -> dict[str, Any]:
        """What there is to tell of the loading, as plain values for JSON."""
        return {
            "rows_read": self.rows_read,
            "dropped": self.dropped,
            "facts": self.facts,
            "coded": self.coded,
            "likely_codes": [found.plain() for found in self.likely],
            "levels": self.levels,
        }


def load_table(
    data: str | Path,
    study: str,
    *,
    formula: str,
    subject: str,
    wide: Wide | None = None,
    condition: str | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    read: Mapping[str, str] | None = None,
    missing_values: MissingValues = (),
    missing: str = "refuse",
    replicates: str = "refuse",
    scratch: str | Path | None = None,
) -> Loaded:
    """Bring a study's table into the project's columns and check that a model can be fitted to it.

    The condition is the one named, else the one that `condition_of` finds, else a constant.
    `levels` gives the order of factors' levels, which is otherwise that of the file. The parts of a
    table too large for memory lie in the folder `scratch` as long as they are used; without it all
    tables are held in memory. Raises InputError that names the study and the file.
    """
    mixed, place = read_bars(formula), f"study {study}: {data}"
    names, named = mixed.names, {subject, *mixed.labels}
    files = TableFiles(data, f"study {study}", read or {})
    columns, cells = columns_read(formula, subject, wide, condition, files.header, place)
    numeric = list(cells.levels) if cells else [names.response]
    codes = codes_of(missing_values, columns, subject, names.response, cells, place)
    # Where parts of the table are to lie, if it is too large for memory.
    disk = Path(scratch) if scratch is not None and files.estimated_rows() > IN_MEMORY else None
    reader = Reader(files, columns, sorted(named), numeric, codes, PART if disk else None)
    made = (*cells.factors, names.response) if cells else ()
    places = Places(place, files.paths, reader.starts, numeric if cells else (), made)
    used = _Used(formula, subject, named, cells, dict(levels or {}), places)
    if disk:
        survey = reader.through(lambda parts: Survey.of(map(used, parts)))
    else:
        held = [used(reader.whole())]
        survey = Survey.of(held)
    refuse_absent(codes, missing_values, reader.coded, place)
    labels = survey.labels(formula, named, used.levels, made, missing, reader.coded, places)
    refuse_unfit(survey, labels, formula, subject, place)

    def numbered() -> Iterator[tuple[np.ndarray, CodedPart]]:
        for start, columns in map(used, reader.parts()) if disk else held:
            if len(rows := complete_rows(columns)):
                yield start + rows, _coded(columns, rows, survey, labels)

    coded = _on_disk(numbered(), disk) if disk else _in_memory(numbered())
    profiles = Profiles(np.zeros(len(labels[subject]), dtype=np.int64))
    for part in coded():
        profiles.add(part[subject], {name: part[name] for name in names.variables})
    if condition is None:
        condition = condition_of(survey, labels, profiles.varying, formula)
    elif condition not in profiles.varying:
        raise InputError(
            f"{place}: column {quoted(condition)}: varies within no subject, so it is not the "
            "condition of repeated measurements; name another or leave out condition:"
        )
    if condition is not None and replicates == "refuse":
        refuse_duplicates(coded, numbered, subject, condition, labels, places)
    ours = stored_names(formula, subject, condition)
    numbers = {
        name: column.range
        for name, column in survey.columns.items()
        if name != condition and not column.is_factor
    }
    return Loaded(
        parts=lambda: (_stored(part, labels, ours) for part in coded()),
        columns=ours,
        subjects=labels[subject],
        rows=survey.complete,
        dropped=survey.dropped,
        rows_read=survey.rows,
        facts=reader.facts,
        coded=reader.coded,
        likely=likely_codes(numbers),
        levels={n: list(labels[n]) for n in ours.values() if n != subject and n in labels},
    )


@dataclass(frozen=True)
class _Used:
    """From a part as the file has it to the columns that the study uses: numbers or factors.

    named are the columns that name subjects and what is nested in them, as texts.
    """

    formula: str
    subject: str
    named: Collection[str]
    cells: Cells | None
    levels: Mapping[str, Sequence[str]]
    places: Places

    def __call__(self, part: Part) -> tuple[int, Columns]:
        """The columns (N,) of a part by their names, the response as floats, and its first row."""
        names, rows, start = read_bars(self.formula).names, part.data, part.start
        if self.cells:
            in_file = replace(self.places, wide=())
            for name in self.cells.levels:
                if not is_number(rows[name]):
                    refuse_text_among_numbers(Labels.of(rows[name], start), True, in_file)
            rows = lengthened(rows, self.cells, names.response, self.subject, start)
            start *= len(self.cells.levels)
        columns = {name: rows[name] for name in columns_needed(self.formula, self.subject)}
        for name, values in columns.items():
            if is_number(values) and name in self.levels:
                values = values.map(written, na_action="ignore").rename(name)
            if not is_number(values) or name in self.named:
                columns[name] = factor(values)
        response = columns[names.response]
        if not is_number(response):
            refuse_text_among_numbers(Labels.of(response, start), True, self.places)
            response = as_numbers(response)
        columns[names.response] = response.astype("float64")
        return start, columns


def _coded(
    columns: Columns, rows: np.ndarray, survey: Survey, labels: Mapping[str, pd.Index]
) -> CodedPart:
    """The numbers, and the positions of labels, in some rows of a part."""
    coded = {}
    for name, values in columns.items():
        if len(rows) < len(values):
            values = values.iloc[rows]
        if name in labels:
            codes = labels[name].get_indexer(values.cat.categories)[values.cat.codes]
            coded[name] = codes.astype(np.min_scalar_type(-len(labels[name])))
        else:
            kind = "int64" if survey.columns[name].whole else "float64"
            coded[name] = values.to_numpy(dtype=kind)
    return coded


def _in_memory(parts: Iterator[tuple[np.ndarray, CodedPart]]) -> Callable[[], Iterator[CodedPart]]:
    """The parts, to be looked at again and again."""
    held = [part for _, part in parts]
    return lambda: iter(held)


def _on_disk(
    parts: Iterator[tuple[np.ndarray, CodedPart]], folder: Path
) -> Callable[[], Iterator[CodedPart]]:
    """The same, of which one is in memory at a time."""
    path = folder / "codes.parquet"
    with parquet_parts(path) as write:
        for _, part in parts:
            write(pd.DataFrame(part))
    return lambda: ({n: v.to_numpy() for n, v in part.items()} for part in read_parts(path))


def _stored(
    part: CodedPart, labels: Mapping[str, pd.Index], ours: Mapping[str, str]
) -> pd.DataFrame:
    """A part in the project's columns, with a constant where there is no condition."""
    columns = {}
    for own in dict.fromkeys(["subject", "condition", *ours]):
        if own not in ours:
            columns[own] = pd.Categorical(["all"]).repeat(len(part[ours["subject"]]))
        elif own == "subject" or ours[own] not in labels:
            columns[own] = part[ours[own]]
        else:
            columns[own] = pd.Categorical.from_codes(part[ours[own]], labels[ours[own]])
    return pd.DataFrame(columns)
