"""Write a study's report: a finished Quarto document and the folder of all that it shows.

Reads the summaries of every stage, the template, figures, tables and support files; makes
`report/`, which anyone can edit and render again. No code in it: all numbers are filled in here.
"""

from typing import TYPE_CHECKING, Any

from twolevel.comparison import ROUNDING
from twolevel.pipeline.documents import Markdown, escape
from twolevel.pipeline.files import read_json
from twolevel.pipeline.job import run
from twolevel.pipeline.reports import fill_folder, making

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
    comparison = read_json(files.comparison)
    name = snakemake.wildcards.study
    loading = read_json(files.loading) if files.get("loading") else None
    entries = {"studies": {name: snakemake.params.study}}
    return making(name, entries, files.tables, loading["inputs"] if loading else []) | {
        "labels": {key: design["columns"].get(key) for key in ("subject", "condition", "response")},
        "design": design,
        "loading": loading,
        "level1": read_json(files.level1),
        "two_stage": read_json(files.hierarchical),
        "mixed": mixed,
        "anova": read_json(files.anova),
        "comparison": comparison,
        "quantities": {row["quantity"]: in_words(row["quantity"]) for row in comparison["table"]},
        "rounding": ROUNDING,
        "parameters": PARAMETERS,
        "witnesses": read_json(files.witnesses),
        "truth": read_json(files.truth) if files.get("truth") else None,
    }


def in_words(quantity: str) -> Markdown:
    """A row of the comparison as a reader knows it."""
    kind, _, name = quantity.rstrip("]").partition("[")
    symbols = {
        "grand_mean": r"grand mean $\hat\mu$",
        "grand_mean_se": r"SE of $\hat\mu$",
        "sigma_between": r"$\hat\sigma_b$",
        "sigma_within": r"$\hat\sigma_w$",
        "alpha": r"$\hat\alpha$ of ",
        "F": "F of ",
    }
    return Markdown(symbols[kind] + escape(name))


if __name__ == "__main__":
    run(main, snakemake)
