"""Collapse both levels into one mixed model: REML, and ML where a likelihood is compared.

Reads the observations; makes the fit's summary, its tables, the subjects' random effects and the
conditional residuals.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twolevel.covariance import cell_means, compound_symmetry, residual_covariance
from twolevel.mixed import MixedFit, fit_mixed
from twolevel.pipeline.files import read_observations, write_csv, write_json, write_parquet
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Fit by REML and ML; write the summary, the tables, random effects and residuals."""
    observations = read_observations(snakemake.input.observations)
    data, subject = observations.typed, observations.subject
    reml = fit_mixed(snakemake.params.formula, data, subject)
    ml = fit_mixed(snakemake.params.formula, data, subject, method="ML")
    condition = of_condition(reml, observations.condition)

    summary = {**reml.summary(), "ml": ml.variance_components(), **condition}
    summary["covariance"] = covariance(reml, observations.condition)
    write_json(snakemake.output.mixed, summary)
    tables = {
        "coefficients": reml.coef_table().reset_index(),
        "tests": reml.anova().reset_index(),
        "variance_components": pd.DataFrame([fit.variance_components() for fit in (reml, ml)]),
        "condition_means": condition["means"],
        "contrasts": condition["contrasts"],
        "random_effects": reml.random_effects.reset_index(),
    }
    for path in snakemake.output.tables:
        write_csv(path, tables[Path(path).stem])
    write_parquet(snakemake.output.random_effects, tables["random_effects"])
    cells = observations.data[["subject", "condition"]]
    residuals = cells.assign(fitted=reml.fittedvalues, residual=reml.resid)
    write_parquet(snakemake.output.residuals, residuals)


def of_condition(fit: MixedFit, variable: str | None) -> dict[str, pd.DataFrame]:
    """The condition's effects, means and contrasts; where there is none, the mean of "all"."""
    if variable is None:
        whole = fit.grand_mean.rename("all").to_frame().T.rename_axis("condition").reset_index()
        return {"means": whole, "condition_effects": whole[:0], "contrasts": whole[:0]}
    return {
        "means": fit.means(variable).rename_axis("condition").reset_index(),
        "condition_effects": fit.condition_effects(variable).rename_axis("condition").reset_index(),
        "contrasts": fit.contrasts(variable).reset_index(),
    }


def covariance(fit: MixedFit, variable: str | None) -> dict:
    """The covariance of the conditions' cell means as plain values, implied and observed."""
    cells = cell_means(fit.design, variable)
    per_cell = fit.nobs / int(cells.notna().to_numpy().sum())
    implied = compound_symmetry(cells.columns, fit.sigma_between, fit.sigma_within, per_cell)
    observed = residual_covariance(fit.design, cells)
    return {
        "levels": cells.columns,
        "per_cell": per_cell,
        "implied": implied.to_numpy().tolist(),
        "observed": observed and {**vars(observed), "matrix": observed.matrix.to_numpy().tolist()},
    }


if __name__ == "__main__":
    run(main, snakemake)
