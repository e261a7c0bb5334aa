"""The observations that a page carries, in the user's own names and in long form."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from twolevel.files.stage_files import write_csv
from twolevel.pipeline.reports import LARGEST_TABLE
from twolevel.pipeline.tables.stored import read_observations

# No row of a subject, a number and the signs between them is shorter.
_SHORTEST_ROW = 4


def share_observations(observations: str | Path, target: str | Path, share: bool) -> str | None:
    """Write a study's observations as CSV for its page; return why they are not there, or None.

    `share` is the study's key share_data. Where they are not shared, or too large for a page, the
    file says so instead.
    """
    kept = None if share else "share_data: false in the study’s entry of the config keeps them"
    if kept is None and pq.read_metadata(observations).num_rows * _SHORTEST_ROW <= LARGEST_TABLE:
        typed = read_observations(observations).typed
        assert isinstance(typed, pd.DataFrame)  # which so few rows are
        write_csv(target, typed)
        if Path(target).stat().st_size <= LARGEST_TABLE:
            return None
    kept = kept or "they are too large for a page"
    write_csv(target, pd.DataFrame({"reason": [kept]}))
    return kept
