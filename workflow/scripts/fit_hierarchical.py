"""Level 2: the subject means regressed on 1, with the raw and the corrected between variance.

Reads the Level 1 fit; makes the two-stage fit's summary.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import read_parquet
from twolevel.levels.hierarchical import fit_hierarchical
from twolevel.levels.subjects import SubjectFits
from twolevel.pipeline.job import run
from twolevel.summaries.base import read_summary, write_summary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Fit Level 2 and write its summary."""
    level1 = SubjectFits.from_summary(
        read_summary(snakemake.input.level1, Level1Summary).model_dump(exclude={"first_subjects"}),
        read_parquet(snakemake.input.subjects),
        read_parquet(snakemake.input.residuals),
    )
    fit = fit_hierarchical(level1, weights="precision")
    write_summary(snakemake.output.hierarchical, HierarchicalSummary.of(fit.summary()))


if __name__ == "__main__":
    run(main, snakemake)
