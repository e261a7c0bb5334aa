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
    loaded = load_table(study=snakemake.wildcards.real, **snakemake.params.table)
    write_observations(snakemake.output.observations, Observations(loaded.data, loaded.columns))
    write_json(snakemake.output.loading, loaded.summary())


if __name__ == "__main__":
    run(main, snakemake)
