"""The observations that a page carries, in the user's own names and in long form."""

from __future__ import annotations

from pathlib import Path

from twolevel.files.stage_files import write_rows, write_text
from twolevel.pipeline.reports import LARGEST_TABLE
from twolevel.pipeline.tables.own_names import own_names

# No row of a subject, a number and the signs between them is shorter.
_SHORTEST_ROW = 4


def share_observations(observations: str | Path, target: str | Path, share: bool) -> str | None:
    """Write a study's observations as CSV for its page; return why they are not there, or None.

    `share` is the study's key share_data. Where they are not shared, or too large for a page, the
    file says so instead.
    """
    import pyarrow.parquet as pq

    kept = None if share else "share_data: false in the study’s entry of the config keeps them"
    # By the file itself: pyarrow's reader of tables loads pandas, which takes as long as all else
    # that writing a report does.
    file = pq.ParquetFile(observations)
    if kept is None and file.metadata.num_rows * _SHORTEST_ROW <= LARGEST_TABLE:
        names = own_names(file.schema_arrow)
        rows = file.read(list(names)).select(list(names))
        write_rows(target, rows.rename_columns([names[name] for name in rows.column_names]))
        if Path(target).stat().st_size <= LARGEST_TABLE:
            return None
    kept = kept or "they are too large for a page"
    write_text(target, f"reason\n{kept}\n")
    return kept
