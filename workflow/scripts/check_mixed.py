"""Ask whether the mixed model is to be believed: what it assumes, and what other programs find.

Reads the observations and fits the model again, which takes milliseconds; makes the summary of all
checks, the quantiles that a figure draws, and a table of the witnesses.
"""

from typing import TYPE_CHECKING

from twolevel.files.stage_files import write_csv, write_parquet
from twolevel.levels.checks.autoregression import following
from twolevel.levels.checks.diagnostics import IN_SERIES, diagnose
from twolevel.levels.checks.discrete_response import few_values
from twolevel.levels.checks.implied_covariance import implied_covariance
from twolevel.levels.checks.pooled_errors import pooled_errors, unconnected
from twolevel.levels.checks.witnesses import as_table, call_witnesses
from twolevel.mixed import fit_mixed
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import write_summary
from twolevel.summaries.checks_summary import ChecksSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Check the model fitted by REML; write what was found."""
    level, output = snakemake.params.level, snakemake.output
    observations = read_observations(snakemake.input.observations)
    data, subject, condition = observations.typed, observations.subject, observations.condition
    fit = fit_mixed(snakemake.params.formula, data, subject, "REML")
    diagnostics = diagnose(fit, condition, level=level)
    looks = [diagnostics.looks[name] for name in IN_SERIES if name in diagnostics.looks]
    alike = any(look.clear(level) for look in looks)
    pooled = pooled_errors(fit)
    witnesses = call_witnesses(fit.design.formula, data, subject, fit, condition)
    summary = {
        "level": level,
        "response_values": few_values(fit.design.response),
        "pooled": pooled and pooled.summary(),
        "unconnected": unconnected(fit.design, condition),
        "diagnostics": diagnostics.summary(),
        "covariance": implied_covariance(fit, condition).summary(),
        "following": following(fit, condition) if alike else None,
        "witnesses": witnesses,
    }
    write_summary(output.checks, ChecksSummary.of(summary))
    write_parquet(output.quantiles, diagnostics.quantiles)
    write_csv(output.table, as_table(witnesses))


if __name__ == "__main__":
    run(main, snakemake)
