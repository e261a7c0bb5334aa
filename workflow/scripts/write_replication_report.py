"""Write a replication study's report: a finished Quarto document and the folder of what it shows.

Reads the measures and the summary, the template, figures, tables and support files; makes
`report/`, as `write_report` does for a study. No code in it: all numbers are filled in here.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.figures.replication_registry import OF_REPLICATION
from twolevel.files.stage_files import read_parquet
from twolevel.findings.of_replication.config_words import SpreadWords, name_of_test
from twolevel.findings.of_replication.depth import depth
from twolevel.findings.of_replication.how_many import Planned, amount
from twolevel.findings.of_replication.planned import answers
from twolevel.findings.of_replication.planned_design import planned_design
from twolevel.findings.of_replication.replicated import OTHERS, Replicated, replication_headline
from twolevel.findings.one_line import of_making
from twolevel.pipeline.job import run
from twolevel.pipeline.reports import fill_folder, making
from twolevel.pipeline.slices import AXES
from twolevel.summaries.base import read_summary
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.summaries.plan_summary import PlanSummary
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
    found = Replicated(replication, extent(measures, replication.test))
    effects = {f"alpha[{name}]": f"Effect of {name}" for name in replication.levels}
    if replication.scenario.slope is not None:
        effects = {"slope": "Slope"}
    tests = measures.loc[measures["quantity"] == "condition", "method"]
    name, study = snakemake.wildcards.replication, snakemake.params.replication
    plan = read_summary(files.subjects, PlanSummary)
    spread = SpreadWords.of(plan, snakemake.params.by_icc)
    planned = Planned(plan, replication, spread, study["like"], found.own is None)
    entries = {"replications": {name: study}}
    if study["like"]:
        entries["studies"] = {study["like"]: snakemake.params.like}
    loading = read_summary(files.loading, LoadingSummary) if files.get("loading") else None
    made = making(name, entries, files.tables, loading)
    return made | {
        "replication": replication,
        "figure": lambda name: OF_REPLICATION[name].on_page(name),
        "points": (every := points(measures)),
        "points_with": lambda quantity: [point for point in every if quantity in point],
        "alpha": percent(alpha(replication.level)),
        "monte_carlo": MONTE_CARLO,
        "extent": found.extent,
        "found": found,
        "headline": answers(planned) + replication_headline(found),
        "plan": plan,
        "planned": planned,
        "interval": percent(LEVEL),
        "spread": spread,
        "name_of": lambda term: name_of_test(replication, term),
        "amount": amount,
        "one_line": depth(found),
        "one_line_of_making": of_making(made["provenance"]),
        "design": planned_design(replication),
        "quantities": quantities(measures, effects),
        "methods": {name: REPLICATED[name].name for name in dict.fromkeys(tests)},
        "sources": [method.source for method in METHODS.values() if method.source],
    }


def quantities(measures: pd.DataFrame, effects: dict[str, str]) -> dict[str, str]:
    """What is estimated, as a reader knows it, in the order of the measures."""
    known = QUANTITIES | effects
    found = {}
    for name in measures.loc[measures["measure"] == "bias", "quantity"].unique():
        kind, _, of = name.removesuffix("]").partition("[")
        found[name] = known.get(name) or f"{kind.capitalize()} of own {of}"
    return found


def points(measures: pd.DataFrame) -> list[dict[str, Any]]:
    """The points of the grid, each with its axes and its measures.

    A measure is found at [quantity][measure], those of tests of the condition at [method][measure],
    of others at ["others"][quantity][method][measure], and has value, mcse and theory.
    """
    found = []
    for values, table in measures.groupby(list(AXES), sort=False):
        point: dict[str, Any] = dict(zip(AXES, values, strict=True))
        others = point.setdefault("others", {})
        for row in table.itertuples():
            here = point if of_condition(row) else others.setdefault(row.quantity, {})
            place = here.setdefault(row.method or row.quantity, {})
            place[row.measure] = {"value": row.value, "mcse": row.mcse, "theory": row.theory}
        found.append(point)
    return found


def of_condition(row: Any) -> bool:
    """Whether a measure is that of an estimate, or of a test of the condition."""
    return row.quantity == CONDITION or not row.method


def extent(measures: pd.DataFrame, test: str) -> dict[str, dict[str, tuple[float, float]]]:
    """The least and the largest value over all points, at [quantity or method][measure].

    Of tests those of the condition; those of all others by the method `test` are at [OTHERS]. A
    measure without a value at any point is left out.
    """
    own = (measures["quantity"] == CONDITION) | (measures["method"] == "")
    names = measures["method"].where(measures["method"] != "", measures["quantity"])
    named = measures.assign(name=names.where(own, OTHERS))[own | (measures["method"] == test)]
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for (name, measure), rows in named.groupby(["name", "measure"]):
        values, here = rows["value"].dropna(), found.setdefault(name, {})
        if len(values):
            here[measure] = values.min(), values.max()
    return found


if __name__ == "__main__":
    run(main, snakemake)
