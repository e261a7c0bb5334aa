"""Draw what a replication study found: distributions, bias, coverage, power and type I error.

Reads the measures, the distributions and the numbers of subjects; makes its figures.
"""

from typing import TYPE_CHECKING

from twolevel.figures.drawing import draw
from twolevel.figures.replication_sources import ReplicationSources
from twolevel.files.stage_files import read_parquet
from twolevel.findings.of_replication.config_words import SpreadWords
from twolevel.pipeline.job import run
from twolevel.summaries.base import read_summary
from twolevel.summaries.plan_summary import PlanSummary
from twolevel.summaries.replication_summary import ReplicationSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Read the results and write the figures."""
    files = snakemake.input
    plan = read_summary(files.subjects, PlanSummary)
    sources = ReplicationSources(
        replication=read_summary(files.replication, ReplicationSummary),
        plan=plan,
        spread=SpreadWords.of(plan, snakemake.params.by_icc),
        measures=read_parquet(files.measures),
        distributions=read_parquet(files.distributions),
    )
    draw(snakemake.output, "of_replication", sources)


if __name__ == "__main__":
    run(main, snakemake)
