"""Read a user's table and bring it into the project's columns, checked.

Reads the table that the study names; makes the observations, and counts of what was read.
"""

from typing import TYPE_CHECKING

from twolevel.pipeline.files import Observations, write_json, write_observations
from twolevel.pipeline.job import run
from twolevel.pipeline.observations import load_table

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the observations and the counts of loading them."""
    path, settings = snakemake.input.table, snakemake.params.table
    loaded = load_table(path, snakemake.wildcards.real, **settings)
    write_observations(snakemake.output.observations, Observations(loaded.data, loaded.columns))
    write_json(snakemake.output.loading, {"rows_read": loaded.rows_read, "dropped": loaded.dropped})


if __name__ == "__main__":
    run(main, snakemake)
