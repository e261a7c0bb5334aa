"""The repeated-measures ANOVA with partitioned errors, where the design allows an exact one.

Reads the observations; makes the ANOVA's summary, or the reason why there is none.
"""

from typing import TYPE_CHECKING

import pandas as pd

from twolevel.files.stage_files import write_csv
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.strata.anova import NotPartitioned, partition_errors
from twolevel.summaries.anova_summary import AnovaSummary
from twolevel.summaries.base import write_summary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the ANOVA, or why it does not exist."""
    params = snakemake.params
    observations = read_observations(snakemake.input.observations)
    try:
        fit = partition_errors(
            params.formula, observations.typed, observations.subject, params.level
        )
        summary, table = {"available": True, **fit.summary()}, fit.table.reset_index()
    except NotPartitioned as reason:
        summary = {"available": False, "reason": str(reason)}
        table = pd.DataFrame({"reason": [str(reason)]})
    write_csv(snakemake.output.table, table)
    write_summary(snakemake.output.anova, AnovaSummary.of(summary))


if __name__ == "__main__":
    run(main, snakemake)
