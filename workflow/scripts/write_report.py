"""Write a study's report: a finished Quarto document and the folder of all that it shows.

Reads the summaries of every stage, the template, figures, tables and support files; makes
`report/`, which anyone can edit and render again. No code in it: all numbers are filled in here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from twolevel.design.terms import term_in_words
from twolevel.figures.groups import answer_figure
from twolevel.figures.registry import OF_STUDY
from twolevel.files.stage_files import read_csv, write_text
from twolevel.findings.cautions import pairs_share_an_error
from twolevel.findings.compared import most_apart, quantity_in_words, why_apart
from twolevel.findings.headline import headline
from twolevel.findings.live.drawn_again import drawn_again
from twolevel.findings.live.each_subject import MOST_SUBJECTS, each_subject
from twolevel.findings.of_design import left_out, missing_cells, observed, repeated_cells
from twolevel.findings.of_fit import (
    boundary_refits,
    how_much_is_explained,
    whether_subjects_differ,
)
from twolevel.findings.of_subjects import influence, shrinkage
from twolevel.findings.one_line import of_factor, of_making, one_line
from twolevel.findings.paper.for_paper import for_paper
from twolevel.findings.remarks import remarks
from twolevel.findings.results import Results
from twolevel.findings.testimony import witness_in_words
from twolevel.findings.varying.of_own_effects import own_effects
from twolevel.findings.varying.of_support import support
from twolevel.findings.varying.random_maths import laws, side_by_side, written_out
from twolevel.findings.varying.random_words import has_slopes, what_is_random
from twolevel.findings.walk.again import what_changes
from twolevel.findings.walk.against_truth import against_truth
from twolevel.findings.walk.alone import mean_in_numbers
from twolevel.findings.walk.error_rows import error_rows
from twolevel.findings.walk.of_truth import truth_in_words
from twolevel.findings.walk.two_levels import random_variables, two_levels
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.levels.comparison import ROUNDING
from twolevel.pipeline.job import run
from twolevel.pipeline.provenance import versions
from twolevel.pipeline.reports import fill_folder, making
from twolevel.pipeline.shared_data import share_observations
from twolevel.summaries.anova_summary import AnovaSummary
from twolevel.summaries.base import read_summary
from twolevel.summaries.checks_summary import ChecksSummary
from twolevel.summaries.comparison_summary import ComparisonSummary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.truth_summary import TruthSummary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary
from twolevel.text.methods import CONTRAST_ERRORS, ESTIMATION, TESTED_BY

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Copy what the report shows into its folder, and write the document."""
    fill_folder(snakemake, context(snakemake))


def context(snakemake: "Snakemake") -> dict[str, Any]:
    """Everything that the template fills in."""
    files = snakemake.input
    design = read_summary(files.design, DesignSummary)
    mixed = read_summary(files.mixed, MixedSummary)
    checks = read_summary(files.checks, ChecksSummary)
    comparison = read_summary(files.comparison, ComparisonSummary)
    anova = read_summary(files.anova, AnovaSummary)
    labels = {key: design.columns.get(key) for key in ("subject", "condition", "response")}
    name = snakemake.wildcards.study
    loading = read_summary(files.loading, LoadingSummary) if files.get("loading") else None
    entries = {"studies": {name: snakemake.params.study}}
    found = Results(
        design=design,
        level1=read_summary(files.level1, Level1Summary),
        two_stage=read_summary(files.hierarchical, HierarchicalSummary),
        mixed=mixed,
        checks=checks,
        anova=anova,
        comparison=comparison,
        truth=read_summary(files.truth, TruthSummary) if files.get("truth") else None,
        unit=snakemake.params.study["unit"],
    )
    tables = {Path(path).stem: path for path in files.tables}
    apart, errors = most_apart(comparison, mixed.terms), error_rows(found)
    share = snakemake.params.study["share_data"]
    data_kept = share_observations(files.observations, snakemake.output.data, share)
    citation = yaml.safe_load(Path(snakemake.params.citation).read_text("utf-8"))
    paper = for_paper(found, loading, versions(), citation)
    rounded = {f"{table.name}_rounded": table for table in paper.tables}
    for path in snakemake.output.rounded:
        write_text(path, rounded[Path(path).stem].csv)
    shown = [*snakemake.output.rounded, *([] if data_kept else [snakemake.output.data])]
    made = making(name, entries, files.tables, loading, shown)
    return made | {
        "paper": paper,
        "data_kept": data_kept,
        "one_line_of_making": of_making(made["provenance"]),
        "labels": labels,
        "design": design,
        "loading": loading,
        "level1": found.level1,
        "two_stage": found.two_stage,
        "mixed": mixed,
        "checks": checks,
        "anova": anova,
        "comparison": comparison,
        "truth": found.truth,
        "found": found,
        "figure": lambda name: OF_STUDY[name](found).on_page(name),
        "answer": answer_figure(mixed, found.condition),
        "headline": headline(found, apart),
        "one_line": one_line(found),
        "of_factor": of_factor,
        "truth_in_words": truth_in_words(found),
        "against_truth": against_truth(found),
        "mean_in_numbers": mean_in_numbers(found),
        "what_changes": what_changes(found),
        "random_variables": random_variables(found),
        "two_levels": two_levels(found),
        "error_rows": errors,
        "written_out": written_out(mixed),
        "laws": side_by_side(laws(mixed)),
        "observed": observed(found),
        "left_out": left_out(found, loading),
        "repeated_cells": repeated_cells(found),
        "missing_cells": missing_cells(found),
        "most_apart": apart,
        "why_apart": why_apart(found, errors),
        "whether_subjects_differ": whether_subjects_differ(found),
        "how_much_is_explained": how_much_is_explained(found),
        "boundary_refits": boundary_refits(found),
        "shrinkage": shrinkage(found),
        "influence": influence(found),
        "drawn_again": drawn_again(found),
        "each_subject": each_subject(
            found, *(read_csv(tables[name]) for name in ("subjects", "random_effects", "influence"))
        )
        if design.n_subjects <= MOST_SUBJECTS
        else None,
        "pairs_share_an_error": pairs_share_an_error(mixed, checks, anova),
        "tested_by": TESTED_BY,
        "contrast_error": CONTRAST_ERRORS[mixed.contrast_error],
        "support": support(design, checks.pooled is not None),
        "own_effects": own_effects(found),
        "estimation": ESTIMATION,
        "adjustment": ADJUSTMENTS[mixed.adjust],
        "quantities": {row.quantity: quantity_in_words(row.quantity) for row in comparison.table},
        "remarks": remarks(
            checks.diagnostics,
            labels["condition"],
            checks.response_values,
            checks.level,
            has_slopes(mixed.random_terms),
        ),
        "testimonies": [
            witness_in_words(witness, mixed, labels["condition"]) for witness in checks.witnesses
        ],
        "names": {f"F[{term}]": term_in_words(term, of) for term, of in mixed.terms.items()},
        "rounding": ROUNDING,
        **what_is_random(mixed, found.in_unit),
    }


if __name__ == "__main__":
    run(main, snakemake)
