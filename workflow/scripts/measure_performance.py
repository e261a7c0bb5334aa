"""Gather a replication study: its measures of performance, with their Monte Carlo errors.

Reads the slices' sums; makes one table of measures for all points of the grid, the distributions of
three estimates, and a summary with the smallest number of subjects that reaches a power.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from twolevel.experiments.performance import distributions, performance, with_theory
from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.scenario import BLOCK, Scenario
from twolevel.experiments.theory import Sampling
from twolevel.files.stage_files import read_parquet, write_csv, write_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.point_scenario import averaged_over, scenario_at, study_values
from twolevel.pipeline.slices import AXES, Slice
from twolevel.summaries.base import read_summary, write_summary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.errors import TwoLevelError

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

POWERS = (0.8, 0.9)


def main(snakemake: "Snakemake") -> None:
    """Write the measures, the distributions and the summary."""
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    like = None
    if files.mixed:
        like = read_summary(files.design, DesignSummary), read_summary(files.mixed, MixedSummary)
    study = study_values(*like) if like else {}
    slices = {path: Slice.of_path(path) for path in files.sums}
    measures, counts, scenarios = [], [], []
    for point in params.points:
        paths = [path for path, part in slices.items() if tuple(point) in part.points]
        scenario = scenario_at(point, params.replication, study)
        sums = sums_of(scenario, paths, params.experiments)
        axes = {name: getattr(scenario, name) for name in AXES}
        measures.append(with_theory(performance(sums), scenario).assign(**axes))
        counts.append(distributions(sums, scenario).assign(**axes))
        scenarios.append(scenario)
    table = pd.concat(measures, ignore_index=True)
    table = table[[*AXES, *table.columns.drop(list(AXES))]]
    write_parquet(output.measures, table)
    write_csv(output.table, table)
    write_parquet(output.distributions, pd.concat(counts, ignore_index=True))
    found = summary(table, scenarios, params)
    found["averaged_over"] = averaged_over(*like) if like else []
    write_summary(output.replication, ReplicationSummary.of(found))


def sums_of(scenario: Scenario, paths: Sequence[str], experiments: int) -> pd.DataFrame:
    """The sums of a point's blocks, each once and in their order, whatever files hold them."""
    axes = [(name, "==", getattr(scenario, name)) for name in AXES]
    sums = pd.concat([read_parquet(path, axes) for path in paths], ignore_index=True)
    wanted = sums["size"] == (experiments - sums["block"] * BLOCK).clip(upper=BLOCK)
    sums = sums[wanted].drop_duplicates(["block", "quantity", "method", "measure"])
    found = int(sums.groupby("block")["size"].first().sum())
    if found != experiments:
        raise TwoLevelError(
            f"{', '.join(paths)}: found {found} experiments with {scenario.subjects} subjects, "
            f"expected {experiments}; delete these files and run again"
        )
    return sums.sort_values("block", kind="stable")


def summary(table: pd.DataFrame, scenarios: Sequence[Scenario], params: Any) -> dict[str, Any]:
    """What the report says in words: the design, and how many subjects a power takes."""
    first = scenarios[0]
    return {
        "scenario": {k: v for k, v in asdict(first).items() if v is not None},
        "levels": first.levels,
        "plain": first.plain,
        "terms": first.tested,
        "random": first.random_part,
        "mean": first.mean,
        "effects": first.effects,
        "axes": {name: sorted({getattr(s, name) for s in scenarios}) for name in AXES},
        "points": len(scenarios),
        "experiments": params.experiments,
        "test": params.replication["test"],
        "seed": params.replication["seed"],
        "power": enough_subjects(table, scenarios, params.replication["test"]),
    }


def enough_subjects(
    table: pd.DataFrame, scenarios: Sequence[Scenario], test: str
) -> list[dict[str, Any]]:
    """The fewest subjects, of those in the grid, with which the test reaches each power.

    None where no number in the grid does; by_theory, for complete data, is the ANOVA's. `tested`
    counts the experiments in which the test had a result.
    """
    power = table[(table["measure"] == "power") & (table["method"] == test)]
    rows = []
    power = power[power["quantity"] == CONDITION]
    _, *others = AXES
    for key, points in power.groupby(others):
        at = [tuple(getattr(s, name) for name in others) for s in scenarios]
        scenario = scenarios[at.index(key)]
        row = dict(zip(others, key, strict=True))
        row["tested"] = int(points["n"].sum())
        for goal in POWERS:
            reached = points.loc[points["value"] >= goal, "subjects"]
            rows.append(
                row
                | {
                    "power": goal,
                    "subjects": int(reached.min()) if len(reached) else None,
                    "by_theory": by_theory(scenario, goal),
                }
            )
    return rows


def by_theory(scenario: Scenario, power: float) -> int | None:
    """The fewest subjects that reach a power by the ANOVA, of one factor or number alone."""
    simple = scenario.missing == 0 and len(scenario.population.names) == 1
    if not simple or scenario.between.any:
        return None
    return Sampling(scenario).subjects_for(power)


if __name__ == "__main__":
    run(main, snakemake)
