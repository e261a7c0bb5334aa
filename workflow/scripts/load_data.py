"""Read a user's table and bring it into the project's columns, checked.

Reads the table that the study names; makes the observations, counts of what was read, and the
checksums of its files.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from twolevel.pipeline.intact import held
from twolevel.pipeline.job import run, warn
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.table_files import table_files
from twolevel.summaries.base import write_summary
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.text.errors import quoted

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the observations and the counts of loading them."""
    study, table = snakemake.wildcards.real, snakemake.params.table
    path, data = Path(snakemake.output.observations), table["data"]
    with (
        held(lambda: table_files(data), f"study {study}: {data}") as inputs,
        # As a temporary file of `path`, so that it is swept where this process is killed.
        TemporaryDirectory(dir=path.parent, prefix=".", suffix=f".{path.name}") as scratch,
    ):
        loaded = load_table(study=study, scratch=scratch, **table)
        loaded.write(path)
    loading = loaded.summary()
    for found in loading["likely_codes"]:
        column, code = found["column"], found["code"]
        warn(
            f"study {study}: {data}: column {quoted(column)}: {found['words']}; where it "
            f"stands for a missing value, write missing_values: {{{column}: [{code}]}} and "
            "missing: drop"
        )
    summary = LoadingSummary.of(loading | {"inputs": inputs})
    write_summary(snakemake.output.loading, summary)


if __name__ == "__main__":
    run(main, snakemake)
