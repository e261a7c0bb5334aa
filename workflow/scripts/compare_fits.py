"""The same model three times: two-stage, mixed and ANOVA side by side.

Reads the three fits' summaries; makes the comparison and its table.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import write_csv
from twolevel.levels.comparison import compare_fits
from twolevel.pipeline.job import run
from twolevel.summaries.anova_summary import AnovaSummary
from twolevel.summaries.base import read_summary, write_summary
from twolevel.summaries.comparison_summary import ComparisonSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the comparison."""
    files = snakemake.input
    anova = read_summary(files.anova, AnovaSummary)
    comparison = compare_fits(
        read_summary(files.level1, Level1Summary).model_dump(),
        read_summary(files.hierarchical, HierarchicalSummary).model_dump(),
        read_summary(files.mixed, MixedSummary).model_dump(),
        anova.model_dump() if anova.available else None,
    )
    write_summary(snakemake.output.comparison, ComparisonSummary.of(comparison.summary()))
    write_csv(snakemake.output.table, comparison.table.reset_index())


if __name__ == "__main__":
    run(main, snakemake)
