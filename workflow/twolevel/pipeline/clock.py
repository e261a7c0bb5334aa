"""A clock that was set back: Snakemake orders files by their dates."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from twolevel.text.errors import InputError

# Seconds by which the clock of a file server may be ahead of ours.
SKEW = 2


def bring_back(folders: Iterable[str | Path]) -> None:
    """Date the files of these folders back, all by as much, so that none is from the future.

    Their order stays as it is, and what is made from now on is newer than all of them: otherwise it
    would look older than what was made of its predecessor, and Snakemake would stop at the first
    such file with a word on clock skew, and delete what its job had made. What has no date is
    passed over: links that lead nowhere, and what another program takes away at this moment. Raises
    InputError.
    """
    paths = [
        os.path.join(place, name)
        for folder in folders
        for place, _, names in os.walk(folder)
        for name in names
    ]
    dates = {}
    for path in paths:
        with suppress(FileNotFoundError):
            dates[path] = os.stat(path).st_mtime_ns
    ahead = max(dates.values(), default=0) - time.time_ns()
    if ahead > SKEW * 1e9:
        for path, date in dates.items():
            try:
                os.utime(path, ns=(date - ahead, date - ahead))
            except OSError as error:
                raise InputError(
                    f"{path}: found a date that is still to come, and it cannot be given another "
                    f"({error.strerror}); correct the computer's clock, or make the file writable"
                ) from None


def check_date(path: str | Path, where: str) -> None:
    """Check that a user's file is not from the future. Raises InputError."""
    date = Path(path).stat().st_mtime
    if date > time.time() + SKEW:
        raise InputError(
            f"{where}: {path}: found the date {datetime.fromtimestamp(date):%Y-%m-%d %H:%M}, which "
            "is still to come; correct the computer's clock, or give the file a new date (touch)"
        )
