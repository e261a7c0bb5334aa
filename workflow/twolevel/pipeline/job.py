"""How a rule's script runs: its log, and what its user sees when it fails."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.errors import TwoLevelError

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


def run(main: Callable[[Snakemake], None], snakemake: Snakemake) -> None:
    """Run a script's main, with warnings in the rule's log.

    A TwoLevelError becomes one message on the console and in the log, and exit status 1; for
    anything else the log has the traceback too.
    """
    log = Path(snakemake.log[0])
    logging.basicConfig(
        filename=log, filemode="w", level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    logging.captureWarnings(True)
    study = next((value for _, value in snakemake.wildcards.items()), None)
    try:
        main(snakemake)
    except TwoLevelError as error:
        message = str(error)
        if study and not message.startswith("study "):
            message = f"study {study}: {message}"
        logging.error(message)
        sys.exit(f"twolevel: {message}")
    except Exception as error:
        logging.exception("%s failed", snakemake.rule)
        sys.exit(
            f"twolevel: rule {snakemake.rule}{f' of study {study}' if study else ''} failed: "
            f"{type(error).__name__}: {error}. This is a fault of the workflow, not of the input; "
            f"the log has its traceback: {log}"
        )
