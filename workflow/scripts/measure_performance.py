"""Gather a replication study: its measures of performance, with their Monte Carlo errors.

Reads the slices' sums; makes one table of measures for all points of the grid, the distributions of
three estimates, and a summary of what was simulated.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.performance import distributions, performance, with_theory
from twolevel.experiments.scenario import Scenario
from twolevel.files.stage_files import read_parquet, write_csv, write_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.like_study import Points
from twolevel.pipeline.slices import AXES, Slice
from twolevel.summaries.base import write_summary
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.errors import TwoLevelError

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the measures, the distributions and the summary."""
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    points = Points.of(files, params)
    slices = {path: Slice.of_path(path) for path in files.sums}
    measures, counts, scenarios = [], [], []
    for point in params.points:
        paths = [path for path, part in slices.items() if tuple(point) in part.points]
        scenario = points.at(point)
        sums = sums_of(scenario, paths, params.experiments)
        axes = {name: getattr(scenario, name) for name in AXES}
        level = params.replication["level"]
        measures.append(with_theory(performance(sums), scenario, level).assign(**axes))
        counts.append(distributions(sums, scenario).assign(**axes))
        scenarios.append(scenario)
    table = pd.concat(measures, ignore_index=True)
    table = table[[*AXES, *table.columns.drop(list(AXES))]]
    write_parquet(output.measures, table)
    write_csv(output.table, table)
    write_parquet(output.distributions, pd.concat(counts, ignore_index=True))
    found = summary(scenarios, params) | {"averaged_over": points.averaged_over}
    write_summary(output.replication, ReplicationSummary.of(found))


def sums_of(scenario: AnyScenario, paths: Sequence[str], experiments: int) -> pd.DataFrame:
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


def summary(scenarios: Sequence[AnyScenario], params: Any) -> dict[str, Any]:
    """What was simulated."""
    first = scenarios[0]
    return {
        "scenario": first.described,
        "formula": first.formula,
        "whole": not isinstance(first, Scenario),
        "levels": first.levels,
        "plain": first.plain,
        "terms": first.tested,
        "random": first.random_part,
        # 0 but for rounding is 0
        "mean": first.mean if abs(first.mean) > 1e-12 * first.sigma_within else 0.0,
        "effects": first.effects,
        "axes": {name: sorted({getattr(s, name) for s in scenarios}) for name in AXES},
        "points": len(scenarios),
        "experiments": params.experiments,
        "test": params.replication["test"],
        "level": params.replication["level"],
        "powers": params.powers,
        "seed": params.replication["seed"],
    }


if __name__ == "__main__":
    run(main, snakemake)
