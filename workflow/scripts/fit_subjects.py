"""Level 1: one mean per subject by ordinary least squares, shared condition effects, residuals.

Reads the observations; makes the tables of subject means and residuals and the fit's summary.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import write_csv, write_parquet
from twolevel.levels.first_subjects import first_subjects
from twolevel.levels.subjects import fit_subjects
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import write_summary
from twolevel.summaries.two_stage_summary import Level1Summary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Fit Level 1 and write its subjects, residuals and summary."""
    observations = read_observations(snakemake.input.observations)
    fit = fit_subjects(
        snakemake.params.formula,
        observations.typed,
        observations.subject,
        observations.condition,
        snakemake.params.coding,
    )
    write_parquet(snakemake.output.subjects, fit.subjects)
    write_csv(snakemake.output.table, fit.subjects)
    cells = observations.data[["subject", "condition"]]
    write_parquet(snakemake.output.residuals, cells.assign(**fit.residuals))
    first = first_subjects(observations.data, observations.typed, fit)
    summary = {**fit.summary(), "first_subjects": first}
    write_summary(snakemake.output.level1, Level1Summary.of(summary))


if __name__ == "__main__":
    run(main, snakemake)
