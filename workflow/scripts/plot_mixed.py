"""Draw what the mixed model says: of one subject and all, conditions, likelihood, diagnostics.

Reads the observations, the design's summary, the mixed fit and its checks; makes its figures.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.of_study.caterpillar import caterpillar
from twolevel.figures.of_study.condition_means import MOST_GROUPS, condition_means
from twolevel.figures.of_study.conditional_marginal import conditional_marginal
from twolevel.figures.of_study.covariance import covariance
from twolevel.figures.of_study.influence import influence
from twolevel.figures.of_study.one_subject import one_subject
from twolevel.figures.of_study.profile_zeta import profile_zeta
from twolevel.figures.of_study.quantile_plots import quantile_plots
from twolevel.figures.of_study.residuals_fitted import residuals_fitted
from twolevel.figures.of_study.scale_location import scale_location
from twolevel.figures.of_study.shrinkage import shrinkage
from twolevel.figures.theme import save
from twolevel.figures.words import Labels
from twolevel.files.stage_files import read_json, read_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import Observations, read_observations

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

PROFILE = {"ml_estimate": "estimate", "profile_low": "ci_low", "profile_high": "ci_high"}


def main(snakemake: "Snakemake") -> None:
    """Write the figures of the mixed model."""
    files = snakemake.input
    observations = read_observations(files.observations)
    mixed = read_json(files.mixed)
    random_effects = read_parquet(files.random_effects)
    labels = Labels.of(observations.columns, snakemake.params.unit)

    grand_mean = mixed["grand_mean"]["estimate"]
    sigmas = {key: mixed[key] for key in ("sigma_between", "sigma_within")}
    residuals = read_parquet(files.residuals)
    data = observations.data.assign(fixed=residuals["fixed"].to_numpy())
    conditions = [mean["condition"] for mean in mixed["means"]]
    subject = read_json(files.design)["one_subject"]["subject"]
    intervals = pd.DataFrame(mixed["intervals"])[["parameter", *PROFILE]].rename(columns=PROFILE)
    intervals = intervals.dropna()  # of many coefficients, none is profiled
    figures = {
        "one_subject": one_subject(data, subject, conditions, labels),
        "caterpillar": caterpillar(random_effects, labels),
        "shrinkage": shrinkage(random_effects, **sigmas, labels=labels),
        "conditional_marginal": conditional_marginal(
            data,
            conditions,
            random_effects,
            grand_mean=grand_mean,
            **sigmas,
            labels=labels,
        ),
        "condition_means": draw_means(observations, mixed, labels),
        "covariance": covariance(*matrices(read_json(files.checks)["covariance"]), labels),
        "profile_zeta": profile_zeta(read_parquet(files.profile), intervals, labels),
        "residuals_fitted": residuals_fitted(residuals, labels),
        "quantile_plots": quantile_plots(read_parquet(files.quantiles), labels),
        "scale_location": scale_location(residuals, sigmas["sigma_within"], labels),
        "influence": influence(read_parquet(files.influence), **sigmas, labels=labels),
    }
    for path in map(Path, snakemake.output.figures):
        save(figures[path.stem], path, title=path.stem.replace("_", " "))


def draw_means(observations: Observations, mixed: dict, labels: Labels) -> Figure:
    """The conditions' means, of each level of the first factor with few that changes them."""
    data, means = observations.data, pd.DataFrame(mixed["means"])
    for factor in mixed["factors"]:
        if factor["within"] and 2 <= len(factor["means"]) <= MOST_GROUPS:
            name = factor["factor"]
            groups = pd.DataFrame(factor["within"]["means"]).rename(columns={"level": "group"})
            column = next(ours for ours, theirs in observations.columns.items() if theirs == name)
            return condition_means(data.assign(group=data[column]), means, labels, groups, name)
    return condition_means(data, means, labels)


def matrices(summary: dict) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """The observed (None where not estimable) and the implied covariance as tables."""
    levels = summary["levels"]
    observed = summary["observed"]
    return (
        None if observed is None else pd.DataFrame(observed["matrix"], levels, levels),
        pd.DataFrame(summary["implied"], levels, levels),
    )


if __name__ == "__main__":
    run(main, snakemake)
