"""Collapse both levels into one mixed model: REML, and ML where a likelihood is compared.

Reads the observations; makes the fit's summary with all that is inferred from it (tests, intervals,
means, influence, diagnostics), the tables of these, what the figures draw, and what other programs
find.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twolevel.design.terms import made_of
from twolevel.files.stage_files import write_csv, write_json, write_parquet
from twolevel.findings.remarks import remarks
from twolevel.inference.bootstrap import Bootstrap
from twolevel.inference.type3 import held_at_zero
from twolevel.levels.autoregression import following
from twolevel.levels.diagnostics import IN_SERIES, diagnose
from twolevel.levels.discrete_response import few_values
from twolevel.levels.own_slopes import own_slopes
from twolevel.levels.pooled_errors import repeated_within, unconnected
from twolevel.levels.subject_condition import subject_condition
from twolevel.levels.witnesses import call_witnesses
from twolevel.mixed import MixedFit, fit_design, fit_mixed
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations
from twolevel.strata.condition_covariance import cell_means, compound_symmetry, residual_covariance

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

MOST_INFLUENTIAL = 5  # subjects named in the summary
MOST_CURVES = 12  # profiles drawn
# Coefficients up to which each has a profile, and refits are many: both cost their number cubed.
MOST_PROFILED = 40
REFITS, REFITS_OF_WIDE = 10_000, 1_000


def main(snakemake: "Snakemake") -> None:
    """Fit by REML and ML; write the summary, the tables, and what the figures draw."""
    observations = read_observations(snakemake.input.observations)
    data, subject, condition = observations.typed, observations.subject, observations.condition
    formula, coding = snakemake.params.formula, snakemake.params.coding
    reml = fit_mixed(formula, data, subject, "REML", coding)
    ml = fit_design(reml.design, "ML")
    adjust = snakemake.params.adjust
    conditions = of_condition(reml, condition, adjust)
    factors = of_other_factors(reml, condition, adjust)
    wide = len(reml.params) > MOST_PROFILED
    profile = reml.profile(parameters=reml.variances.index if wide else None)
    bootstrap = reml.parametric_bootstrap(REFITS_OF_WIDE if wide else REFITS)
    influence = reml.influence()
    diagnostics = diagnose(reml, condition)
    own_effects = subject_condition(reml, condition)
    slopes = own_slopes(reml, condition)
    steps = few_values(reml.design.response)
    alike = any(diagnostics.looks[name].clear for name in IN_SERIES if name in diagnostics.looks)
    witnesses = call_witnesses(formula, data, subject, reml, condition)

    summary = {
        **reml.summary(),
        # Without the names of its columns, which may be any.
        "cov_params": reml.cov_params.to_numpy().tolist(),
        "terms": made_of(reml.design),
        "response_values": steps,
        "repeated_within": repeated_within(reml.design),
        "unconnected": unconnected(reml.design, condition),
        "ml": ml.variance_components(),
        "adjust": adjust,
        **conditions,
        "factors": factors,
        "slopes": of_numbers(reml),
        "intervals": intervals(reml, profile, bootstrap),
        "bootstrap": bootstrap.summary(),
        "between_variance": reml.between_variance_test(),
        "influence": most_influential(influence),
        "diagnostics": {
            **diagnostics.summary(),
            "sentences": remarks(diagnostics, condition, steps),
        },
        "covariance": covariance(reml, condition),
        "coding": coding,
        "held_at_zero": held_at_zero(reml.design),
        "subject_condition": own_effects and own_effects.summary(),
        "following": following(reml, condition) if alike else None,
        "own_slopes": slopes and slopes.summary(),
    }
    write_json(snakemake.output.mixed, summary)
    write_json(snakemake.output.witnesses, witnesses)
    tables = {
        "coefficients": reml.coef_table().reset_index(),
        "tests": reml.anova().reset_index(),
        "variance_components": pd.DataFrame([fit.variance_components() for fit in (reml, ml)]),
        "intervals": summary["intervals"].reset_index(),
        "means": tidy("means", conditions, factors, condition),
        "contrasts": tidy("contrasts", conditions, factors, condition),
        "random_effects": reml.random_effects.reset_index(),
        "influence": influence.reset_index(),
        "witnesses": witnesses,
    }
    for path in snakemake.output.tables:
        write_csv(path, tables[Path(path).stem])
    write_parquet(snakemake.output.random_effects, tables["random_effects"])
    cells = observations.data[["subject", "condition"]]
    fitted = {"fixed": reml.fixed_part, "fitted": reml.fittedvalues, "residual": reml.resid}
    residuals = cells.assign(**fitted)
    write_parquet(snakemake.output.residuals, residuals)
    curves = reml.profile_likelihood.curves(profile.iloc[:MOST_CURVES])
    write_parquet(snakemake.output.profile, curves)
    write_parquet(snakemake.output.influence, without_subject(reml, influence))
    write_parquet(snakemake.output.quantiles, diagnostics.quantiles)


def of_condition(fit: MixedFit, variable: str | None, adjust: str) -> dict[str, pd.DataFrame]:
    """The condition's effects, means and contrasts; where there is none, the mean of "all"."""
    if variable is None:
        whole = fit.grand_mean.rename("all").to_frame().T.rename_axis("condition").reset_index()
        return {"means": whole, "condition_effects": whole[:0], "contrasts": whole[:0]}
    return {
        "means": fit.means(variable).rename_axis("condition").reset_index(),
        "condition_effects": fit.condition_effects(variable).rename_axis("condition").reset_index(),
        "contrasts": fit.contrasts(variable, adjust=adjust).reset_index(),
    }


def intervals(fit: MixedFit, profile: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Every parameter's estimates and its intervals by profile likelihood and by bootstrap."""
    percentile, bca = bootstrap.percentile(), bootstrap.bca(fit.without_subject)
    return pd.DataFrame(
        {
            "estimate": fit.estimated,
            "ml_estimate": profile["estimate"],
            "profile_low": profile["ci_low"],
            "profile_high": profile["ci_high"],
            "bootstrap_se": percentile["se"],
            "percentile_low": percentile["ci_low"],
            "percentile_high": percentile["ci_high"],
            "bca_low": bca["ci_low"],
            "bca_high": bca["ci_high"],
        }
    ).rename_axis("parameter")


def most_influential(influence: pd.DataFrame) -> dict:
    """The subjects with the largest Cook's distances, and how many have none."""
    largest = influence["cooks_distance"].nlargest(MOST_INFLUENTIAL)
    return {
        "subjects": influence.loc[largest.index].reset_index(),
        "not_estimable": int(influence["cooks_distance"].isna().sum()),
    }


def without_subject(fit: MixedFit, influence: pd.DataFrame) -> pd.DataFrame:
    """What the figure of influence shows: Cook's distances and both sigmas without each subject."""
    sigmas = fit.without_subject[["sigma_between", "sigma_within"]]
    return sigmas.assign(cooks_distance=influence["cooks_distance"]).reset_index()


def of_other_factors(fit: MixedFit, condition: str | None, adjust: str) -> list[dict]:
    """Means and contrasts of every further factor; the condition's within it where they interact.

    Where factor and condition interact, `within` has the condition's means and contrasts at each
    level of the factor, in a column of the factor's name.
    """
    found = []
    for name in filter(fit.design.is_factor, fit.design.data):
        if name == condition:
            continue
        within = None
        if condition and fit.design.interact(name, condition):
            within = {
                "means": by_level(fit.means(condition, by=name), "condition"),
                "contrasts": by_level(fit.contrasts(condition, adjust=adjust, by=name), "contrast"),
                "slopes": slopes_within(fit, condition, name),
            }
        found.append(
            {
                "factor": name,
                "term": fit.design.term_of(name),
                "means": fit.means(name).rename_axis("level").reset_index(),
                "contrasts": fit.contrasts(name, adjust=adjust).reset_index(),
                "within": within,
            }
        )
    return found


def slopes_within(fit: MixedFit, condition: str, factor: str) -> pd.DataFrame | None:
    """By how much the means rise per unit of the condition within each level of a factor."""
    slopes = fit.slopes(condition, by=factor)
    return None if slopes is None else slopes.rename_axis("level").reset_index()


def of_numbers(fit: MixedFit) -> list[dict]:
    """By how much the means rise per unit of every number whose effect is a line."""
    lines = []
    for name in filter(fit.design.is_numeric, fit.design.data):
        if (slopes := fit.slopes(name)) is not None:
            lines.append({"variable": name, "term": fit.design.term_of(name), **slopes.iloc[0]})
    return lines


def tidy(
    what: str, conditions: dict[str, pd.DataFrame], factors: list[dict], condition: str | None
) -> pd.DataFrame:
    """All means, or all contrasts, in one table: of which factor, and within which level."""
    parts = [conditions[what].rename(columns={"condition": "level"}).assign(of=condition)]
    for factor in factors:
        parts.append(factor[what].assign(of=factor["factor"]))
        if factor["within"]:
            table = factor["within"][what]
            within = f"{factor['factor']} " + table["level"].astype(str)
            own = table.drop(columns="level").rename(columns={"condition": "level"})
            parts.append(own.assign(of=condition, within=within))
    columns = ["of", "within", *parts[0].columns.drop("of")]
    table = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    # Names and numbers in one column are names.
    return table.assign(level=table["level"].astype(str)) if "level" in table else table


def by_level(table: pd.DataFrame, within: str) -> pd.DataFrame:
    """A table by level of a factor and of what is within it, with plain columns."""
    return table.rename_axis(["level", within]).reset_index()


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
