"""The same model three times: two-stage, mixed and ANOVA side by side.

Reads the three fits' summaries; makes the comparison and its table.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import read_json, write_csv, write_json
from twolevel.levels.comparison import compare_fits
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the comparison."""
    files = snakemake.input
    anova = read_json(files.anova)
    comparison = compare_fits(
        read_json(files.level1),
        read_json(files.hierarchical),
        read_json(files.mixed),
        anova if anova["available"] else None,
    )
    write_json(snakemake.output.comparison, comparison.summary())
    write_csv(snakemake.output.table, comparison.table.reset_index())


if __name__ == "__main__":
    run(main, snakemake)
