"""Describe a study's design: counts, cells, balance, missing rows, and what one subject supports.

Reads the observations; makes the design's summary, and the table of cells with n, mean and SD.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import write_csv
from twolevel.levels.describe import describe_design, describe_random_part
from twolevel.levels.descriptives import descriptives
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.random.mixed_design import mixed_design
from twolevel.summaries.base import write_summary
from twolevel.summaries.design_summary import DesignSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the design's summary and its cells."""
    observations = read_observations(snakemake.input.observations)
    shards = observations.shards
    described = describe_design(observations.data if shards is None else shards)
    table, subject = observations.typed, observations.subject
    design, random = mixed_design(snakemake.params.formula, table, subject, "treatment")
    described_cells = descriptives(design, observations.condition)
    values = {
        "columns": observations.columns,
        "sampled": None if shards is None else {"n_observations": len(observations.data)},
        **described.summary(),
        "random_part": describe_random_part(design, random, described.one_subject).summary(),
        "descriptives": described_cells.summary(),
    }
    write_summary(snakemake.output.design, DesignSummary.of(values))
    write_csv(snakemake.output.table, described_cells.table())


if __name__ == "__main__":
    run(main, snakemake)
