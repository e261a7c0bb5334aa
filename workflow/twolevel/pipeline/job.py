"""How a rule's script runs: its log, and what its user sees when it fails."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.files.atomic import sweep
from twolevel.pipeline.intact import check, remember
from twolevel.text.errors import TwoLevelError

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake

# Troubles of the machine, not of the workflow, with what to do before the next run.
REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "make its folder writable",
    errno.EACCES: "make it, and its folder, readable and writable",
    errno.EPERM: "make it, and its folder, readable and writable",
    errno.EIO: "check the disk",
}
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FORMAT = "%(levelname)s %(message)s"


def run(main: Callable[[Snakemake], None], snakemake: Snakemake) -> None:
    """Run a script's main, with warnings in the rule's log, on inputs that are intact.

    What a user can fix becomes one message on the console, the last of the log, and exit status 1;
    for anything else the log has the traceback too. A job that is told to stop ends without one,
    its renderer with it.
    """
    for stop in STOPS:
        if signal.getsignal(stop) != signal.SIG_IGN:
            signal.signal(stop, _stop)
    study = next((value for _, value in snakemake.wildcards.items()), None)
    logging.raiseExceptions = False  # a log on a full disk is no reason for a traceback
    logging.captureWarnings(True)
    try:
        log = snakemake.log[0]
        logging.basicConfig(filename=log, filemode="w", level=logging.WARNING, format=_FORMAT)
        check(snakemake.input)
        for path in snakemake.output:
            sweep(path)
        main(snakemake)
        remember(snakemake.output)
    except Exception as error:
        message = str(TwoLevelError(_message(error, snakemake, study)))
        logging.error(message)
        # In one piece, for other jobs may say something at the same moment.
        sys.stderr.write(f"twolevel: {message}\n")
        sys.exit(1)


def warn(message: str) -> None:
    """Tell the user, on the console and in the log, what may be wrong where the job goes on."""
    logging.warning(message)
    sys.stderr.write(f"twolevel: warning: {message}\n")


def _stop(number: int, frame: object) -> None:
    """End this process as the shell counts it, so that what it began is ended and cleaned up."""
    # A group of processes that is stopped may be told twice, the second time while this cleans up.
    for stop in STOPS:
        signal.signal(stop, signal.SIG_IGN)
    sys.exit(128 + number)


def _message(error: Exception, snakemake: Snakemake, study: str | None) -> str:
    """What a user is told of an error; the traceback of a fault goes to the log."""
    if isinstance(error, TwoLevelError):
        message = str(error)
    elif isinstance(error, OSError) and error.errno in REMEDIES:
        where, what = error.filename or f"rule {snakemake.rule}", os.strerror(error.errno)
        message = f"{where}: {what}; {REMEDIES[error.errno]}, then run snakemake again"
    elif isinstance(error, MemoryError):
        message = (
            f"rule {snakemake.rule} needs more memory than it may use; close other programs, run "
            "one job at a time (snakemake --cores 1), or take a machine or a job with more memory"
        )
    else:
        logging.error("%s failed", snakemake.rule, exc_info=error)
        return (
            f"rule {snakemake.rule}{f' of study {study}' if study else ''} failed: "
            f"{type(error).__name__}: {error}. This is a fault of the workflow, not of the input; "
            f"the log has its traceback: {snakemake.log[0]}"
        )
    if study and not message.startswith("study "):
        message = f"study {study}: {message}"
    return message


def last_words(log: str | Path) -> str | None:
    """The message with which a job failed, from its log; None where it was stopped without one."""
    text = Path(log).read_text(encoding="utf-8") if Path(log).is_file() else ""
    _, found, message = f"\n{text}".rpartition("\nERROR ")
    return message.strip() if found else None
