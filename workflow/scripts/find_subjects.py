"""Find how many subjects a replication study takes: by theory where it is exact, and by simulation.

Reads nothing but the parameters, or what a study is like; makes a summary with the fewest subjects
for each design of the grid and each power that is asked for, those that narrow intervals take, and
the cheapest design.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import hypot
from typing import TYPE_CHECKING, Any

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.sizing.cheapest_design import Cheapest, Costs, cheapest_designs
from twolevel.experiments.sizing.exact_test import MOST
from twolevel.experiments.sizing.size_search import SizeSearch
from twolevel.experiments.sizing.standardised_effect import sizes
from twolevel.experiments.sizing.width_search import search_widths
from twolevel.pipeline.job import run
from twolevel.pipeline.like_study import Points
from twolevel.summaries.base import write_summary
from twolevel.summaries.plan_summary import PlanSummary
from twolevel.text.methods import Test

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the numbers of subjects."""
    params, files = snakemake.params, snakemake.input
    parameters, asked = params.replication, params.asked
    points, rows = Points.of(files, params, {"subjects": some_subjects(parameters)}), []
    costed = set()
    for point in params.designs:
        scenario = points.at(point)
        row = found(scenario, parameters, asked)
        if points.lends_effects:
            observed = search(points.at(point, cautious=False), parameters)
            row["observed"] = plain(observed.terms(asked["power"]))
        # How many trials a design has does not matter to the cheapest, which chooses them.
        place = scenario.sigma_between, scenario.missing
        if asked["cost"] and place not in costed:
            row["cheapest"] = plain(cheapest(scenario, parameters, asked))
            costed.add(place)
        rows.append(row)
    summary = {"rows": rows, "caution": points.caution, "most": MOST}
    summary |= {key: asked[key] for key in ("precision", "cost")}
    summary["adjust"] = parameters["adjust"]
    write_summary(snakemake.output.subjects, PlanSummary.of(summary))


def found(
    scenario: AnyScenario, parameters: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """What a design takes."""
    effects, sd = list(scenario.effects), hypot(scenario.sigma_between, scenario.sigma_within)
    size, precision, widths = None, asked["precision"], []
    if scenario.one_factor:
        size = {"difference": max(effects) - min(effects)} | sizes(effects, sd)
    if precision:
        widths = search_widths(scenario, precision, *how(parameters))
    searched = search(scenario, parameters)
    return {
        "sigma_between": scenario.sigma_between,
        "missing": scenario.missing,
        "replicates": scenario.replicates,
        "mean": scenario.mean,
        "sigma_within": scenario.sigma_within,
        "sd": sd,
        "icc": (scenario.sigma_between / sd) ** 2,
        "effect": size,
        "sizes": plain(searched.terms(asked["power"])),
        "differences": plain(searched.differences(asked["power"])),
        "observed": [],
        "widths": plain(widths),
        "cheapest": [],
    }


def cheapest(
    scenario: AnyScenario, parameters: Mapping[str, Any], asked: Mapping[str, Any]
) -> list[Cheapest]:
    """The cheapest designs."""
    return cheapest_designs(scenario, Costs(**asked["cost"]), asked["power"], *how(parameters))


def search(scenario: AnyScenario, parameters: Mapping[str, Any]) -> SizeSearch:
    """What finds the fewest subjects."""
    return SizeSearch(scenario, *how(parameters))


def how(parameters: Mapping[str, Any]) -> tuple[int, Test, float]:
    """The seed, the test and the level of intervals."""
    return parameters["seed"], parameters["test"], parameters["level"]


def plain(found: Sequence[Any]) -> list[dict[str, Any]]:
    """What was found, as a summary has it."""
    return [asdict(each) for each in found]


def some_subjects(parameters: Mapping[str, Any]) -> int:
    """A number of subjects that stands for any in a scenario: a few in each group."""
    return 4 * sum(group["size"] for group in parameters["groups"].values()) or 4


if __name__ == "__main__":
    run(main, snakemake)
