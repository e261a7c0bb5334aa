"""Read a user's table and bring it into the project's columns, checked.

Reads the table that the study names; makes the observations, counts of what was read, and the
checksums of its files.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import write_json
from twolevel.pipeline.intact import held
from twolevel.pipeline.job import run, warn
from twolevel.pipeline.tables.large import load_in_parts
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.stored import IN_MEMORY, Observations, write_observations
from twolevel.pipeline.tables.table_files import estimated_rows, table_files
from twolevel.text.errors import quoted

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the observations and the counts of loading them."""
    study, table = snakemake.wildcards.real, snakemake.params.table
    path, data = snakemake.output.observations, table["data"]
    with held(lambda: table_files(data), f"study {study}: {data}") as inputs:
        if estimated_rows(data, f"study {study}") > IN_MEMORY:
            loading = load_in_parts(path, study=study, **table)
        else:
            loaded = load_table(study=study, **table)
            write_observations(path, Observations(loaded.data, loaded.columns))
            loading = loaded.summary()
    for found in loading["likely_codes"]:
        column, code = found["column"], found["code"]
        warn(
            f"study {study}: {data}: column {quoted(column)}: {found['words']}; where it "
            f"stands for a missing value, write missing_values: {{{column}: [{code}]}} and "
            "missing: drop"
        )
    write_json(snakemake.output.loading, loading | {"inputs": inputs})


if __name__ == "__main__":
    run(main, snakemake)
