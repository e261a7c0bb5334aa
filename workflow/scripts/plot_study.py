"""Draw a study's figures: its data, its distributions and what the mixed model says.

Reads the observations and the results of the stages; makes the figures.
"""

from typing import TYPE_CHECKING

from twolevel.figures.drawing import draw
from twolevel.figures.sources import StudySources
from twolevel.files.stage_files import read_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import read_summary
from twolevel.summaries.checks_summary import ChecksSummary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.truth_summary import TruthSummary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Read the results and write the figures."""
    files = snakemake.input
    observations = read_observations(files.observations)
    sources = StudySources(
        observations=observations.data,
        columns=observations.columns,
        unit=snakemake.params.unit,
        truth=read_summary(files.truth, TruthSummary) if files.get("truth") else None,
        design=read_summary(files.design, DesignSummary),
        subjects=read_parquet(files.subjects),
        residuals=read_parquet(files.residuals),
        level1=read_summary(files.level1, Level1Summary),
        hierarchical=read_summary(files.hierarchical, HierarchicalSummary),
        mixed=read_summary(files.mixed, MixedSummary),
        checks=read_summary(files.checks, ChecksSummary),
        random_effects=read_parquet(files.random_effects),
        conditional_residuals=read_parquet(files.conditional_residuals),
        profile=read_parquet(files.profile),
        influence=read_parquet(files.influence),
        quantiles=read_parquet(files.quantiles),
    )
    draw(snakemake.output, "of_study", sources)


if __name__ == "__main__":
    run(main, snakemake)
