"""A table too large for memory: read in parts, in three passes, and written part by part.

The first pass over the files finds what is a number and which labels there are; the second writes
numbers and codes, from which the columns' roles follow. In memory are the names of subjects, a few
numbers for each of them, and one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.formula import parse
from twolevel.design.shards import Shards
from twolevel.files.stage_files import parquet_parts, read_parts
from twolevel.pipeline.tables.column_types import (
    as_numbers,
    complete,
    factor,
    is_number,
    ordered,
    refuse_dates,
    refuse_infinite,
    refuse_long_labels,
    refuse_numbers_as_text,
    refuse_text_among_numbers,
    refuse_twin_labels,
)
from twolevel.pipeline.tables.likely_codes import Range, likely_codes
from twolevel.pipeline.tables.missing_values import Coded, MissingValues, codes_of, refuse_absent
from twolevel.pipeline.tables.observations import MAX_NUMERIC_CONDITIONS, Seen, roles
from twolevel.pipeline.tables.places import Places
from twolevel.pipeline.tables.stored import PART, POSITION, write_parts
from twolevel.pipeline.tables.table_files import added, header, table_parts
from twolevel.pipeline.tables.wide import Wide, columns_read, lengthened
from twolevel.text.errors import InputError, quoted
from twolevel.text.numbers import written


@dataclass
class _Column:
    """What a column holds in all parts read so far."""

    _found: list[pd.Index] = field(default_factory=list)
    as_factor: bool = False
    as_number: bool = False
    whole: bool = True
    lowest: float = np.inf
    highest: float = -np.inf
    distinct: set[float] = field(default_factory=set)
    range: Range = field(default_factory=Range)

    @property
    def labels(self) -> pd.Index:
        """All labels, in the order of their first appearance."""
        return pd.Index(pd.unique(np.concatenate(self._found)) if self._found else [], dtype="str")

    def add(self, values: pd.Series) -> None:
        """Take note of one part's values, none of them missing."""
        if not len(values):
            return
        if not is_number(values):
            self.as_factor = True
            self._found.append(values.cat.remove_unused_categories().cat.categories)
            # All at once when they have doubled: merging each part would take n steps every time.
            if sum(map(len, self._found[1:])) > max(len(self._found[0]), PART):
                self._found = [self.labels]
            return
        self.as_number = True
        self.whole &= pd.api.types.is_integer_dtype(values)
        # As they are: as floats, different long integers may be the same.
        self.lowest = min(self.lowest, values.min())
        self.highest = max(self.highest, values.max())
        self.range.add(values)
        if len(self.distinct) <= MAX_NUMERIC_CONDITIONS:
            self.distinct.update(values.unique()[: MAX_NUMERIC_CONDITIONS + 1].tolist())


def load_in_parts(
    path: str | Path,
    *,
    study: str,
    data: str,
    formula: str,
    subject: str,
    read: Mapping[str, str] | None = None,
    missing_values: MissingValues = (),
    wide: Wide | None = None,
    condition: str | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    missing: str = "refuse",
    replicates: str = "refuse",
) -> dict[str, Any]:
    """Write the observations of a table, as `load_table` gives them, to `path`.

    Returns what there is to tell of the loading. Raises InputError as `load_table` does; where it
    takes all rows to see what is wrong, the message names the column only.
    """
    where, names = f"study {study}: {data}", parse(formula)
    levels = dict(levels or {})
    found = header(data, f"study {study}", read)
    columns, cells = columns_read(formula, subject, wide, condition, found, where)
    numeric = list(cells.levels) if cells else [names.response]
    standing = codes_of(missing_values, columns, subject, names.response, cells, where)
    facts: dict[str, dict[str, None]] = {}

    def parts(text: Sequence[str]) -> Iterator[tuple[dict[str, pd.Series], Places, Coded]]:
        """Every part's columns, numbers and factors, where they come from, and codes in it."""
        settings = (columns, f"study {study}", (subject, *text), numeric, read, standing, PART)
        before = 0
        for rows, part, file, start in table_parts(data, *settings):
            for key, value in part.facts.items():
                facts.setdefault(key, {})[value] = None
            places = Places(where, file="" if file == data else Path(file).name, start=start)
            if cells:
                for name in numeric:
                    if not is_number(rows[name]):
                        refuse_text_among_numbers(rows[name], True, places)
                read_here = len(rows)
                rows = lengthened(rows, cells, names.response, subject, before)
                before += read_here
                places = replace(places, wide=numeric, made=(*cells.factors, names.response))
            frame = {name: rows[name] for name in (subject, names.response, *names.variables)}
            for name in levels:
                if is_number(frame[name]):
                    labels = frame[name].map(written, na_action="ignore")
                    frame[name] = factor(labels.rename(name))
            for name, values in frame.items():
                if name == subject or not is_number(values):
                    frame[name] = factor(values)
            if not is_number(frame[names.response]):
                refuse_text_among_numbers(frame[names.response], True, places)
                frame[names.response] = as_numbers(frame[names.response])
            yield frame, places, part.coded

    survey, dropped, coded, rows_read = _survey(parts, (), missing, where)
    mixed = [name for name, c in survey.items() if c.as_factor and c.as_number]
    if mixed:
        survey, dropped, coded, rows_read = _survey(parts, mixed, missing, where)
    refuse_absent(standing, missing_values, coded, where)
    labels = _labels(survey, levels, subject, where)
    for name in labels.keys() - levels.keys() - {subject, *(cells.factors if cells else ())}:
        values = pd.Series(pd.Categorical(labels[name]), name=name)
        refuse_dates(values, formula, Places(where, start=None))
        refuse_numbers_as_text(values, coded, formula, Places(where, start=None))

    def prepared() -> Iterator[pd.DataFrame]:
        """Every part without incomplete rows, labels as codes."""
        for frame, places, _ in parts(mixed):
            kept, _ = complete(frame, missing, places)
            rows = {}
            for name, values in frame.items():
                values = values.iloc[kept]
                if name in labels:
                    codes = labels[name].get_indexer(values.cat.categories)[values.cat.codes]
                    rows[name] = codes.astype(np.min_scalar_type(-len(labels[name])))
                else:
                    whole = survey[name].whole and name != names.response
                    rows[name] = values.astype("int64" if whole else "float64")
                    refuse_infinite(rows[name], kept, places)
            yield pd.DataFrame({name: np.asarray(values) for name, values in rows.items()})

    # As a temporary file of `path`, so that it is swept where this process is killed.
    beside = Path(path)
    with TemporaryDirectory(dir=beside.parent, prefix=".", suffix=f".{beside.name}") as folder:
        codes = Path(folder) / "codes.parquet"
        with parquet_parts(codes) as write:
            for part in prepared():
                write(part)

        def again() -> Iterator[pd.DataFrame]:
            """The same, with positions of subjects and factors with all levels."""
            for part in read_parts(codes):
                for name in labels:
                    if name != subject:
                        part[name] = pd.Categorical.from_codes(part[name], labels[name])
                yield part.astype({subject: np.intp})

        subjects = labels[subject]
        shards = Shards.of(again, subject, names.response, subjects, rows_read)
        single = {name: found[0] for name, found in labels.items() if len(found) == 1}
        numbers = {name: column for name, column in survey.items() if name not in labels}
        seen = Seen(
            rows=int(shards.counts.sum()),
            subjects=subjects,
            factors=set(labels),
            single=single | {n: c.lowest for n, c in numbers.items() if c.lowest == c.highest},
            varying=set(shards.varying),
            distinct={name: len(column.distinct) for name, column in numbers.items()}
            | {name: len(found) for name, found in labels.items()},
            span=(float(numbers[names.response].lowest), float(numbers[names.response].highest)),
        )
        condition, stored = roles(seen, formula, subject, condition, where)
        likely = likely_codes({n: c.range for n, c in numbers.items() if n != condition})
        if condition is not None and replicates == "refuse":
            _refuse_duplicates(again, subject, condition, subjects, where)
        ours = {theirs: own for own, theirs in stored.items()}
        factors = {name: list(found) for name, found in labels.items() if name != subject}
        write_parts(
            path,
            (_named(part.rename(columns=ours), condition, subjects) for part in again()),
            stored,
            {ours[name]: found for name, found in factors.items()}
            | ({} if condition else {"condition": ["all"]}),
        )
    return {
        "rows_read": rows_read,
        "dropped": dropped,
        "facts": {key: " and ".join(values) for key, values in facts.items()},
        "coded": coded,
        "likely_codes": [found.plain() for found in likely],
        "levels": factors,
    }


def _labels(
    survey: Mapping[str, _Column], levels: Mapping[str, Sequence[str]], subject: str, where: str
) -> dict[str, pd.Index]:
    """The labels of each factor, checked, in their order."""
    found, anywhere = {}, Places(where, start=None)
    for name, column in survey.items():
        if not column.as_factor:
            continue
        found[name] = column.labels
        values = pd.Series(pd.Categorical(found[name], found[name]), name=name)
        if name in levels:
            found[name] = ordered(values, list(levels[name]), anywhere).cat.categories
        elif name != subject:
            refuse_text_among_numbers(values, False, anywhere)
        refuse_long_labels(values, np.arange(len(values)), anywhere)
        refuse_twin_labels(values, np.arange(len(values)), anywhere)
    return found


def _survey(
    parts: Callable, text: Sequence[str], missing: str, where: str
) -> tuple[dict[str, _Column], dict[str, int], Coded, int]:
    """What the columns hold, missing values and codes for them by column, and how many rows."""
    survey: dict[str, _Column] = {}
    dropped: dict[str, int] = {}
    coded: list[Coded] = []
    rows = kept_rows = 0
    for frame, places, found in parts(text):
        kept, absent = complete(frame, missing, places, found)
        coded.append(found)
        rows += len(next(iter(frame.values())))
        kept_rows += len(kept)
        for name, count in absent.items():
            dropped[name] = dropped.get(name, 0) + count
        for name, values in frame.items():
            survey.setdefault(name, _Column()).add(values.iloc[kept])
    if not rows:
        raise InputError(f"{where}: found headers and no rows; add the observations")
    if not kept_rows:
        raise InputError(f"{where}: every row lacks a value; expected some complete rows")
    return survey, dropped, added(coded), rows


def _named(part: pd.DataFrame, condition: str | None, subjects: pd.Index) -> pd.DataFrame:
    """A part with the names of its subjects beside their positions, and with a condition."""
    positions = part["subject"].to_numpy()
    part = part.assign(subject=subjects[positions], **{POSITION: positions.astype("int32")})
    if condition is None:
        part = part.assign(condition=pd.Categorical(["all"]).repeat(len(part)))
    return part


def _refuse_duplicates(
    parts: Callable[[], Iterator[pd.DataFrame]],
    subject: str,
    condition: str,
    subjects: pd.Index,
    where: str,
) -> None:
    """Refuse a few cells with more rows than the one that is usual in this table."""
    levels, counts = pd.Index([]), np.zeros((0, len(subjects)), dtype=np.uint8)
    for part in parts():
        values = part[condition]
        labels = pd.Index(values.cat.categories if values.dtype == "category" else values.unique())
        more = labels[levels.get_indexer(labels) < 0]
        levels = levels.append(more)
        counts = np.vstack([counts, np.zeros((len(more), len(subjects)), dtype=np.uint8)])
        cell = levels.get_indexer(values) * len(subjects) + part[subject].to_numpy()
        here, often = np.unique(cell, return_counts=True)
        flat = counts.reshape(-1)
        flat[here] = np.minimum(flat[here] + often, 255)
    several, one = int((counts > 1).sum()), int((counts == 1).sum())
    if several and several < one:
        level, position = np.argwhere(counts > 1)[0]
        raise InputError(
            f"{where}: {several} cells hold several rows, as does {subject} "
            f"{quoted(subjects[position])}, {condition} {quoted(levels[level])}, where most cells "
            "hold one row; remove what is doubled, or write replicates: allow"
        )
