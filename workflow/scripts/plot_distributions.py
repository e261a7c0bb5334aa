"""Draw the distributions of the subject means and of the residuals, side by side.

Reads the Level 1 tables, the two-stage summary and the truth if there is one; makes the figure.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.figures.of_study.distributions import distributions
from twolevel.figures.theme import save
from twolevel.figures.words import Labels
from twolevel.files.stage_files import read_json, read_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the figure of the two distributions."""
    files = snakemake.input
    columns = read_observations(files.observations).columns
    two_stage = read_json(files.hierarchical)
    figure = distributions(
        read_parquet(files.subjects),
        read_parquet(files.residuals),
        sigma_between=two_stage["sigma_between"],
        sigma_within=two_stage["sigma_within"],
        truth=read_json(files.truth) if files.get("truth") else None,
        labels=Labels.of(columns, snakemake.params.unit),
    )
    (path,) = snakemake.output.figures
    save(figure, path, title=Path(path).stem)


if __name__ == "__main__":
    run(main, snakemake)
