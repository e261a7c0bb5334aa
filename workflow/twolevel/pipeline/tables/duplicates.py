"""Several rows in one cell of a subject and a condition, where most cells have one: a mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from twolevel.pipeline.tables.places import Places
from twolevel.text.errors import InputError, listed, quoted

# Cells up to which their rows are counted in an array over all cells, of four bytes each. In one
# over those that occur every row takes eight.
_MANY_CELLS = 50_000_000


def refuse_duplicates(
    parts: Callable[[], Iterator[Mapping[str, np.ndarray]]],
    numbered: Callable[[], Iterator[tuple[np.ndarray, Mapping[str, np.ndarray]]]],
    subject: str,
    condition: str,
    labels: Mapping[str, pd.Index],
    place: Places,
) -> None:
    """Refuse a few cells with more rows than the one that is usual in this table.

    Columns with `labels` hold their positions there. `numbered` gives the same parts as `parts`,
    with the positions of their rows in the table, for the message. Raises InputError.
    """
    subjects, levels = labels[subject], labels.get(condition)
    if levels is None:
        levels = pd.Index(
            pd.unique(np.concatenate([pd.unique(part[condition]) for part in parts()]))
        )

    def cells_of(part: Mapping[str, np.ndarray]) -> np.ndarray:
        values = part[condition]
        codes = values if condition in labels else levels.get_indexer(values)
        return codes.astype(np.int64) * len(subjects) + part[subject]

    doubled, single = _counted(map(cells_of, parts()), len(levels) * len(subjects))
    if not 0 < len(doubled) < single:
        return
    cell, names, rows = None, "", []
    for positions, part in numbered():
        cells = cells_of(part)
        if cell is None and (several := np.isin(cells, doubled)).any():
            at = int(several.argmax())
            cell = cells[at]
            level, name = levels[cell // len(subjects)], subjects[cell % len(subjects)]
            names = f"{subject} {quoted(name)}, {condition} {quoted(level)}"
        rows += positions[cells == cell].tolist()
    raise InputError(
        f"{place.where}: rows {listed(map(place.row, rows))} hold the same cell ({names}), where "
        "most cells hold one row; remove what is doubled, or write replicates: allow"
    )


def _counted(parts: Iterator[np.ndarray], possible: int) -> tuple[np.ndarray, int]:
    """The cells with several rows, and how many have one; there are so many `possible` cells."""
    if possible <= _MANY_CELLS:
        counts = np.zeros(possible, dtype=np.uint32)
        for cells in parts:
            np.add.at(counts, cells, np.uint32(1))  # fast for numbers of one type
        return np.flatnonzero(counts > 1), int((counts == 1).sum())
    found, often = np.unique(np.concatenate(list(parts)), return_counts=True)
    return found[often > 1], int((often == 1).sum())
