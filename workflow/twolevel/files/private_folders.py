"""Folders that a process has to itself, and does not leave behind even where it is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "twolevel-"
# Seconds after which a new folder is locked by its process for certain.
_YOUNG = 60


@contextmanager
def private_folder(purpose: str) -> Iterator[Path]:
    """Yield a new folder among the temporary files, without links in its path; then remove it.

    Its process holds a lock on it, so that those which killed processes left are known, and
    removed by the next one.
    """
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{purpose}-") as folder:
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Quarto before 1.9 fails on `embed-resources` below a symlink, such as macOS's /tmp.
            yield Path(folder).resolve()
        finally:
            os.close(lock)


def _sweep(place: Path) -> None:
    """Remove this user's folders that no process holds."""
    for folder in place.glob(f"{_PREFIX}*-????????"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # removed by its own process at this moment, or another user's
        try:
            about = os.fstat(lock)
            if about.st_uid == os.geteuid() and time.time() - about.st_mtime > _YOUNG:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue  # in use
        finally:
            os.close(lock)
