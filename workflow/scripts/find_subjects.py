"""Find how many subjects a replication study takes: by theory where it is exact, and by simulation.

Reads nothing but the parameters, or what a study is like; makes a summary with the fewest subjects
for each design of the grid and each power that is asked for, and the cheapest design.
"""

from collections.abc import Mapping
from dataclasses import asdict
from math import hypot
from typing import TYPE_CHECKING, Any

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.cheapest_design import cheapest_design
from twolevel.experiments.sizing.exact_test import MOST
from twolevel.experiments.sizing.size_search import search_sizes
from twolevel.experiments.sizing.standardised_effect import sizes
from twolevel.experiments.sizing.term_laws import is_simple
from twolevel.experiments.theory import Sampling
from twolevel.pipeline.job import run
from twolevel.pipeline.like_study import Points
from twolevel.summaries.base import write_summary
from twolevel.summaries.plan_summary import PlanSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the numbers of subjects."""
    params, files = snakemake.params, snakemake.input
    parameters, asked = params.replication, params.asked
    points, rows = Points.of(files, params, {"subjects": some_subjects(parameters)}), []
    for point in params.designs:
        row = found(points.at(point), parameters, asked)
        if points.lends_effects:
            row["observed"] = searched(points.at(point, cautious=False), parameters, asked)
        rows.append(row)
    summary = {"rows": rows, "caution": points.caution, "most": MOST}
    summary |= {key: asked[key] for key in ("precision", "cost")}
    write_summary(snakemake.output.subjects, PlanSummary.of(summary))


def found(
    scenario: AnyScenario, parameters: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """What a design takes."""
    level, sd = parameters["level"], hypot(scenario.sigma_between, scenario.sigma_within)
    effects, simple, costs = list(scenario.effects), is_simple(scenario), asked["cost"]
    width, cheapest = None, []
    named = isinstance(scenario, Scenario)
    if asked["precision"] and named and not scenario.missing:
        width = Sampling(scenario).subjects_for_width(asked["precision"], level)
    for power in asked["power"] if costs and named and any(effects) else []:
        design = cheapest_design(scenario, costs["subject"], costs["trial"], power, level)
        cheapest += [{"power": power} | asdict(design)] if design else []
    size = {"difference": max(effects) - min(effects)} | sizes(effects, sd) if simple else None
    return {
        "sigma_between": scenario.sigma_between,
        "missing": scenario.missing,
        "replicates": scenario.replicates,
        "mean": scenario.mean,
        "sigma_within": scenario.sigma_within,
        "sd": sd,
        "icc": (scenario.sigma_between / sd) ** 2,
        "effect": size,
        "sizes": searched(scenario, parameters, asked),
        "observed": [],
        "width": width,
        "cheapest": cheapest,
    }


def searched(
    scenario: AnyScenario, parameters: Mapping[str, Any], asked: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The fewest subjects for each term and power; none without an effect."""
    seed, test, level = (parameters[key] for key in ("seed", "test", "level"))
    return [asdict(size) for size in search_sizes(scenario, asked["power"], seed, test, level)]


def some_subjects(parameters: Mapping[str, Any]) -> int:
    """A number of subjects that stands for any in a scenario: a few in each group."""
    return 4 * sum(group["size"] for group in parameters["groups"].values()) or 4


if __name__ == "__main__":
    run(main, snakemake)
