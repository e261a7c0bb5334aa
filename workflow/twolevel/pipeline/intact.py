"""What lies between stages is what its job wrote, or it is not read.

A job that ends well leaves the SHA-256 of each file that it made, in the format of `sha256sum`; a
job that reads such a file looks first whether it still has it. So a file that was cut off, damaged
or edited is found, whatever its date and size, and never becomes part of a result.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from twolevel.atomic import replacing
from twolevel.checksums import sha256
from twolevel.errors import InputError, listed

# Beside what Snakemake remembers of the same files.
RECORDS = Path(".snakemake/checksums")
# Documents are for people to edit and render again; what is cut off lacks the templates' last line.
EDITABLE, LAST_LINE = ".qmd", b"\n:::"


def remember(paths: Iterable[str]) -> None:
    """Record what files hold, which the job that runs has made."""
    for path in paths:
        if record := _record(path):
            with replacing(record) as temporary:
                temporary.write_text(f"{sha256(path)}  {path}\n", encoding="utf-8")


def check(paths: Iterable[str]) -> None:
    """Check that files hold what their jobs wrote; those of no job are a user's own, and pass.

    Raises InputError.
    """
    if changed := [path for path in paths if _changed(path)]:
        raise InputError(
            f"{listed(changed)}: found other content than was written there, so damaged or edited; "
            "take it away and run snakemake again, which makes it anew"
        )


def set_aside(paths: Iterable[str]) -> list[str]:
    """Move files that do not hold what their jobs wrote, so that Snakemake makes them again.

    Nobody may be reading them. Returns what was moved, to the same name with `.changed`, so that
    nothing is lost.
    """
    changed = [path for path in paths if Path(path).is_file() and _changed(path)]
    for path in changed:
        os.replace(path, f"{path}.changed")
    return changed


def _changed(path: str) -> bool:
    record = _record(path)
    if not (record and record.is_file()):
        return False
    if Path(path).suffix == EDITABLE:
        return not Path(path).read_bytes().rstrip().endswith(LAST_LINE)
    return not record.read_text("utf-8").startswith(sha256(path))


def _record(path: str) -> Path | None:
    """Where a file's checksum is recorded: only a file below the folder of the run has one."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return None
    return RECORDS / f"{path}.sha256"
