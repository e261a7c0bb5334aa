"""Describe a study's design: counts, cells, balance, missing rows, and what one subject supports.

Reads the observations; makes the design's summary.
"""

from typing import TYPE_CHECKING

from twolevel.levels.describe import describe_design
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import write_summary
from twolevel.summaries.design_summary import DesignSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the design's summary."""
    observations = read_observations(snakemake.input.observations)
    shards = observations.shards
    summary = describe_design(observations.data if shards is None else shards).summary()
    sampled = None if shards is None else {"n_observations": len(observations.data)}
    values = {"columns": observations.columns, "sampled": sampled, **summary}
    write_summary(snakemake.output.design, DesignSummary.of(values))


if __name__ == "__main__":
    run(main, snakemake)
