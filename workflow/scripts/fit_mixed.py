"""Collapse both levels into one mixed model: REML, and ML where a likelihood is compared.

Reads the observations; makes the fit's summary with all that is inferred from it (tests, intervals,
means, influence), the tables of these, and what the figures draw. Influence is here because
bootstrap intervals need the fits without each subject too, which take the longest of many subjects.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twolevel.design.terms import made_of
from twolevel.files.stage_files import write_csv, write_parquet
from twolevel.inference.type3 import held_at_zero
from twolevel.levels.effects_table import effects_table
from twolevel.levels.intervals import affordable, intervals
from twolevel.levels.left_out import (
    deviations_without_subject,
    most_influential,
    tests_without_subjects,
)
from twolevel.levels.marginal_means import marginal_means
from twolevel.levels.random_part_found import random_terms, variance_rows
from twolevel.levels.random_spread import random_sd
from twolevel.mixed import fit_mixed
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import write_summary
from twolevel.summaries.mixed_summary import MixedSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Fit by REML and ML; write the summary, the tables, and what the figures draw."""
    params, output = snakemake.params, snakemake.output
    observations = read_observations(snakemake.input.observations)
    reml = fit_mixed(
        params.formula, observations.typed, observations.subject, "REML", params.coding
    )
    ml = reml.by("ML")
    alone, variances = reml.random_part.is_intercept, variance_rows(reml)
    means = marginal_means(
        reml, observations.condition, params.adjust, params.level, params.contrast_error
    )
    of_parameters = intervals(reml, params.level)
    influence = reml.influence()
    # Data sets of variance tests are fitted with and without each effect.
    fits = 2 * sum(len(term.effects) for term in reml.random_part.terms)
    summary = {
        **reml.summary(params.level),
        # Without the names of its columns, which may be any.
        "cov_params": reml.cov_params.to_numpy().tolist(),
        "terms": made_of(reml.design),
        "random_terms": random_terms(reml),
        "varcorr": variances,
        "ml": ml.variance_components(),
        "ml_varcorr": variance_rows(ml),
        "level": params.level,
        "adjust": params.adjust,
        "contrast_error": params.contrast_error,
        **means.summary(),
        "intervals": of_parameters.table,
        "bootstrap": of_parameters.bootstrap.summary(),
        "between_variance": reml.between_variance_test() if alone else None,
        "variance_tests": [] if alone else reml.test_variances(affordable(reml, 2_000, fits)),
        "influence": {
            **most_influential(influence),
            **tests_without_subjects(reml, influence, params.level),
        },
        "coding": params.coding,
        "held_at_zero": held_at_zero(reml.design),
    }
    write_summary(output.mixed, MixedSummary.of(summary))
    tables = {
        "coefficients": reml.coef_table(level=params.level).reset_index(),
        "tests": reml.anova().reset_index(),
        "varcorr": variances.drop(columns="parameter"),
        "variance_components": pd.DataFrame([fit.variance_components() for fit in (reml, ml)]),
        "intervals": of_parameters.table.reset_index(),
        "means": means.tidy("means"),
        "contrasts": means.tidy("contrasts"),
        "random_effects": effects_table(reml),
        "influence": influence.reset_index(),
    }
    for path in output.tables:
        write_csv(path, tables[Path(path).stem])
    write_parquet(output.random_effects, reml.random_effects.reset_index())
    cells = observations.data[["subject", "condition"]]
    fitted = {"fixed": reml.fixed_part, "fitted": reml.fittedvalues, "residual": reml.resid}
    fitted["random_sd"] = random_sd(reml)
    write_parquet(output.residuals, cells.assign(**fitted))
    write_parquet(output.profile, of_parameters.curves)
    write_parquet(output.influence, deviations_without_subject(reml, influence))


if __name__ == "__main__":
    run(main, snakemake)
