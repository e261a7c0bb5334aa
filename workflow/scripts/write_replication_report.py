"""Write a replication study's report: a finished Quarto document and the folder of what it shows.

Reads the measures and the summary, the template, figures, tables and support files; makes
`report/`, as `write_report` does for a study. No code in it: all numbers are filled in here.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from twolevel.figures.replication_registry import OF_REPLICATION
from twolevel.files.stage_files import read_parquet
from twolevel.findings.replicated import Replicated, listed, replication_headline
from twolevel.pipeline.job import run
from twolevel.pipeline.reports import fill_folder, making
from twolevel.pipeline.slices import AXES
from twolevel.summaries.base import read_summary
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.confidence import LEVEL, alpha, percent
from twolevel.text.methods import METHODS, REPLICATED

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

# Monte Carlo standard errors on either side of a measure.
MONTE_CARLO = 1.96
# Quantities as a reader knows them.
QUANTITIES = {
    "grand_mean": "Grand mean",
    "between_variance": "Variance between",
    "within_variance": "Variance within",
    "raw_variance": "Raw variance of means",
    "two_stage_variance": "Two-stage variance",
}


def main(snakemake: "Snakemake") -> None:
    """Copy what the report shows into its folder, and write the document."""
    fill_folder(snakemake, context(snakemake))


def context(snakemake: "Snakemake") -> dict[str, Any]:
    """Everything that the template fills in."""
    files = snakemake.input
    measures = read_parquet(files.measures)
    replication = read_summary(files.replication, ReplicationSummary)
    found = Replicated(replication, extent(measures))
    effects = {f"alpha[{name}]": f"Effect of {name}" for name in replication.levels}
    if replication.scenario.slope is not None:
        effects = {"slope": "Slope"}
    own = {"own_variance": f"Variance of own {found.own.split()[0]}"} if found.own else {}
    tests = measures.loc[measures["quantity"] == "condition", "method"]
    name, study = snakemake.wildcards.replication, snakemake.params.replication
    entries = {"replications": {name: study}}
    if study["like"]:
        entries["studies"] = {study["like"]: snakemake.params.like}
    loading = read_summary(files.loading, LoadingSummary) if files.get("loading") else None
    return making(name, entries, files.tables, loading) | {
        "replication": replication,
        "figure": lambda name: OF_REPLICATION[name].on_page(name),
        "points": points(measures),
        "alpha": percent(alpha(LEVEL)),
        "monte_carlo": MONTE_CARLO,
        "extent": found.extent,
        "found": found,
        "headline": replication_headline(found),
        "listed": listed,
        "quantities": QUANTITIES | own | effects,
        "methods": {name: REPLICATED[name].name for name in dict.fromkeys(tests)},
        "sources": [method.source for method in METHODS.values() if method.source],
    }


def points(measures: pd.DataFrame) -> list[dict[str, Any]]:
    """The points of the grid, each with its axes and its measures.

    A measure is found at [quantity][measure], those of tests at [method][measure], and has value,
    mcse and theory.
    """
    found = []
    for values, table in measures.groupby(list(AXES), sort=False):
        point: dict[str, Any] = dict(zip(AXES, values, strict=True))
        for row in table.itertuples():
            place = point.setdefault(row.method or row.quantity, {})
            place[row.measure] = {"value": row.value, "mcse": row.mcse, "theory": row.theory}
        found.append(point)
    return found


def extent(measures: pd.DataFrame) -> dict[str, dict[str, tuple[float, float]]]:
    """The least and the largest value over all points, at [quantity or method][measure].

    A measure without a value at any point is left out.
    """
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for (quantity, method, measure), rows in measures.groupby(["quantity", "method", "measure"]):
        values, here = rows["value"].dropna(), found.setdefault(method or quantity, {})
        if len(values):
            here[measure] = values.min(), values.max()
    return found


if __name__ == "__main__":
    run(main, snakemake)
