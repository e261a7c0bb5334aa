"""What lies between stages is what its job wrote, or it is not read.

A job that ends well leaves the SHA-256 of each file that it made, in the format of `sha256sum`; a
job that reads such a file looks first whether it still has it. So a file that was cut off, damaged
or edited is found, whatever its date and size, and never becomes part of a result.

A document is the exception: people may edit it. An edit is told from damage by its later date, its
page says that it was edited, and it is set aside before the document is written again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twolevel.files.atomic import replacing
from twolevel.files.checksums import sha256
from twolevel.text.errors import InputError, listed

# In addition to what Snakemake remembers of the same files.
RECORDS = Path(".snakemake/checksums")
EDITABLE = ".qmd"
# What is cut off lacks the last line of every template.
LAST_LINE = b"\n:::"
# A document is written and dated together with this file beside it, so that one edited since is
# younger by more than these seconds.
WITNESS, TOGETHER = "provenance.json", 2


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


@contextmanager
def held(files: Callable[[], list[str]], where: str) -> Iterator[list[dict[str, str]]]:
    """Give the checksums of a user's files, which hold the same from the block's start to its end.

    Whatever goes wrong in the block may come from a file that was saved meanwhile, so that is said
    first. Raises InputError.
    """
    before = _states(files())
    try:
        yield [{"name": Path(path).name, "sha256": state[0]} for path, state in before.items()]
    finally:
        if _states(files()) != before:
            raise InputError(
                f"{where}: was changed while it was read; run snakemake again when it is saved"
            )


def _states(paths: Iterable[str]) -> dict[str, tuple[str, int, int]]:
    """What each of these files holds, and when it came to hold it; those that can be read."""
    states = {}
    for path in filter(os.path.isfile, paths):
        with suppress(OSError):
            about = os.stat(path)
            states[path] = sha256(path), about.st_mtime_ns, about.st_ino
    return states


def edited(path: str | Path) -> bool:
    """Whether a document was edited since its job wrote it, and not damaged."""
    return _differs(path) and not _changed(path)


def set_edit_aside(path: str | Path, text: str) -> str | None:
    """Copy a document beside itself before `text` is written there, if its job did not write it.

    Returns the path of the copy, or None where there was nothing to keep.
    """
    path = Path(path)
    if not path.is_file() or path.read_bytes() == text.encode() or _as_written(path):
        return None
    number = 1
    while True:
        kept = path.with_suffix(f".edited{'' if number == 1 else f'-{number}'}{EDITABLE}")
        try:
            with kept.open("xb") as copy, path.open("rb") as document:
                shutil.copyfileobj(document, copy)
            return str(kept)
        except FileExistsError:
            number += 1


def _changed(path: str | Path) -> bool:
    """Whether a file that a job wrote is damaged, or edited where no edit is expected."""
    return _differs(path) and not (Path(path).suffix == EDITABLE and _seems_edited(Path(path)))


def _seems_edited(document: Path) -> bool:
    """Whether a document that differs was saved later, as whole text."""
    witness, content = document.with_name(WITNESS), document.read_bytes()
    if not witness.is_file():
        return False
    later = document.stat().st_mtime - witness.stat().st_mtime
    return later > TOGETHER and content.rstrip().endswith(LAST_LINE) and _is_text(content)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _differs(path: str | Path) -> bool:
    """Whether a file has a record, and other content."""
    record = _record(path)
    return bool(record and record.is_file()) and not _as_written(path)


def _as_written(path: str | Path) -> bool:
    """Whether a file has a record, and the content that its job wrote."""
    record = _record(path)
    if record is None or not record.is_file():
        return False
    return record.read_text("utf-8").startswith(sha256(path))


def _record(path: str | Path) -> Path | None:
    """Where a file's checksum is recorded: only a file below the folder of the run has one."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return None
    return RECORDS / f"{path}.sha256"
