"""Write a study's report: a finished Quarto document and the folder of all that it shows.

Reads the summaries of every stage, the template, figures, tables and support files; makes
`report/`, which anyone can edit and render again. No code in it: all numbers are filled in here.
"""

from typing import TYPE_CHECKING, Any

from twolevel.design.terms import term_in_words
from twolevel.files.stage_files import read_json
from twolevel.findings.cautions import (
    cautions,
    follows,
    pairs_share_an_error,
    pools_strata,
    unusual,
)
from twolevel.findings.verdicts import rejected, verdicts
from twolevel.levels.comparison import ROUNDING
from twolevel.pipeline.job import run
from twolevel.pipeline.reports import fill_folder, making
from twolevel.text.markdown import Markdown, escape, num, words

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
    anova = read_json(files.anova)
    labels = {key: design["columns"].get(key) for key in ("subject", "condition", "response")}
    name = snakemake.wildcards.study
    loading = read_json(files.loading) if files.get("loading") else None
    entries = {"studies": {name: snakemake.params.study}}
    return making(name, entries, files.tables, loading["inputs"] if loading else []) | {
        "labels": labels,
        "design": design,
        "loading": loading,
        "level1": read_json(files.level1),
        "two_stage": read_json(files.hierarchical),
        "mixed": mixed,
        "anova": anova,
        "verdicts": verdicts(mixed, anova),
        "cautions": cautions(mixed, labels),
        "unusual": unusual(mixed),
        "pairs_share_an_error": pairs_share_an_error(mixed, anova),
        "pooled": pools_strata(mixed),
        "follows": follows(mixed),
        "comparison": comparison,
        "quantities": {row["quantity"]: in_words(row["quantity"]) for row in comparison["table"]},
        "most_apart": most_apart(comparison, mixed["terms"]),
        "sphericity_rejected": rejected(anova.get("sphericity")),
        "names": {f"F[{term}]": term_in_words(term, of) for term, of in mixed["terms"].items()},
        "rounding": ROUNDING,
        "parameters": PARAMETERS,
        "witnesses": read_json(files.witnesses),
        "truth": read_json(files.truth) if files.get("truth") else None,
    }


def in_words(quantity: str) -> Markdown:
    """A row of the comparison as a reader knows it."""
    kind, _, name = quantity.removesuffix("]").partition("[")
    symbols = {
        "grand_mean": r"grand mean $\hat\mu$",
        "grand_mean_se": r"SE of $\hat\mu$",
        "sigma_between": r"$\hat\sigma_b$",
        "sigma_within": r"$\hat\sigma_w$",
        "alpha": r"$\hat\alpha$ of ",
        "F": "F of ",
    }
    return Markdown(symbols[kind] + escape(name))


def most_apart(comparison: dict[str, Any], terms: dict[str, list[str]]) -> Markdown:
    """The quantity in which the methods differ most, with its values; nothing where they agree."""
    most = comparison["most_apart"]
    if most is None:
        return Markdown("")
    kind, _, name = most["quantity"].removesuffix("]").partition("[")
    what = in_words(most["quantity"])
    if kind == "F":
        what = Markdown(f"the F of {escape(term_in_words(name, terms[name]))}")
    methods = {"two_stage": "two-stage estimate", "mixed": "mixed model", "anova": "ANOVA"}
    values = [
        f"{num(most[method])} by the {method_name}"
        for method, method_name in methods.items()
        if most[method] is not None
    ]
    return Markdown(f"{what}: {words([Markdown(value) for value in values])}")


if __name__ == "__main__":
    run(main, snakemake)
