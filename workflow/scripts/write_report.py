"""Write a study's report: a finished Quarto document and the folder of all that it shows.

Reads the summaries of every stage, the template, figures, tables and support files; makes
`report/`, which anyone can edit and render again. No code in it: all numbers are filled in here.
"""

from typing import TYPE_CHECKING, Any

from twolevel.design.terms import term_in_words
from twolevel.figures.registry import OF_STUDY
from twolevel.files.stage_files import read_json
from twolevel.findings.cautions import follows, pairs_share_an_error, pools_strata
from twolevel.findings.compared import most_apart, quantity_in_words
from twolevel.findings.headline import headline
from twolevel.findings.results import Results
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.levels.comparison import ROUNDING
from twolevel.pipeline.job import run
from twolevel.pipeline.reports import fill_folder, making
from twolevel.text.markdown import Markdown

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

PARAMETERS = {
    "sigma_between": Markdown(r"$\sigma_b$"),
    "sigma_within": Markdown(r"$\sigma_w$"),
    "icc": "ICC",
}


def main(snakemake: "Snakemake") -> None:
    """Copy what the report shows into its folder, and write the document."""
    fill_folder(snakemake, context(snakemake))


def context(snakemake: "Snakemake") -> dict[str, Any]:
    """Everything that the template fills in."""
    files = snakemake.input
    design, mixed = read_json(files.design), read_json(files.mixed)
    checks = read_json(files.checks)
    comparison = read_json(files.comparison)
    anova = read_json(files.anova)
    labels = {key: design["columns"].get(key) for key in ("subject", "condition", "response")}
    name = snakemake.wildcards.study
    loading = read_json(files.loading) if files.get("loading") else None
    entries = {"studies": {name: snakemake.params.study}}
    found = Results(
        design=design,
        level1=read_json(files.level1),
        two_stage=read_json(files.hierarchical),
        mixed=mixed,
        checks=checks,
        anova=anova,
        comparison=comparison,
        truth=read_json(files.truth) if files.get("truth") else None,
        labels=labels,
        unit=snakemake.params.study["unit"],
    )
    apart = most_apart(comparison, mixed["terms"])
    return making(name, entries, files.tables, loading["inputs"] if loading else []) | {
        "labels": labels,
        "design": design,
        "loading": loading,
        "level1": found.level1,
        "two_stage": found.two_stage,
        "mixed": mixed,
        "checks": checks,
        "anova": anova,
        "comparison": comparison,
        "witnesses": read_json(files.witnesses),
        "truth": found.truth,
        "found": found,
        "figure": lambda name: OF_STUDY[name](found).on_page(name),
        "headline": headline(found, apart),
        "most_apart": apart,
        "pairs_share_an_error": pairs_share_an_error(checks, anova),
        "pooled": pools_strata(checks),
        "follows": follows(checks),
        "adjustment": ADJUSTMENTS[mixed["adjust"]],
        "quantities": {
            row["quantity"]: quantity_in_words(row["quantity"]) for row in comparison["table"]
        },
        "names": {f"F[{term}]": term_in_words(term, of) for term, of in mixed["terms"].items()},
        "rounding": ROUNDING,
        "parameters": PARAMETERS,
    }


if __name__ == "__main__":
    run(main, snakemake)
