"""The folders of a run: what stands in their way is told before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from twolevel.text.errors import InputError


def check_folder(path: str | Path) -> None:
    """Check that Snakemake can run what lies in this folder. Raises InputError."""
    if {"{", "}"} & set(str(path)):
        raise InputError(
            f"{path}: found braces in the name of the project's folder, or of one that it lies in, "
            "which Snakemake takes for wildcards; rename that folder"
        )


def check_written(folders: Iterable[str]) -> None:
    """Check that folders that a run writes to are folders, or not there yet. Raises InputError."""
    for folder in folders:
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(
                f"{folder}: found a file, or a link that leads nowhere, expected the folder for "
                "what a run makes; rename it, or take it away"
            )


def check_writable(files: Iterable[str | None]) -> None:
    """Check that there may be such files, in folders that need not be there. Raises InputError."""
    for folder in sorted({Path(file).parent for file in files if file}):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            raise InputError(
                f"{there}: cannot be written to, and what a run makes has to go there; make the "
                "folder writable, then run snakemake again"
            )
