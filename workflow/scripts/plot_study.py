"""Draw a study's figures: its data, its distributions and what the mixed model says.

Reads the observations and the results of the stages; makes the figures.
"""

from typing import TYPE_CHECKING

from twolevel.figures.drawing import draw
from twolevel.figures.sources import StudySources
from twolevel.files.stage_files import read_json, read_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations

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
        truth=read_json(files.truth) if files.get("truth") else None,
        design=read_json(files.design),
        subjects=read_parquet(files.subjects),
        residuals=read_parquet(files.residuals),
        hierarchical=read_json(files.hierarchical),
        mixed=read_json(files.mixed),
        checks=read_json(files.checks),
        random_effects=read_parquet(files.random_effects),
        conditional_residuals=read_parquet(files.conditional_residuals),
        profile=read_parquet(files.profile),
        influence=read_parquet(files.influence),
        quantiles=read_parquet(files.quantiles),
    )
    draw(snakemake.output.figures, "of_study", sources)


if __name__ == "__main__":
    run(main, snakemake)
