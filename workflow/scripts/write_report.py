"""Write a study's report: a finished Quarto document and the folder of all that it shows.

Reads the summaries of every stage, the template, figures, tables and support files; makes
`report/`, which anyone can edit and render again. No code in it: all numbers are filled in here.
"""

import shutil
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

import yaml

from twolevel import __version__
from twolevel.atomic import replacing
from twolevel.comparison import ROUNDING
from twolevel.pipeline.documents import Markdown, escape, fill
from twolevel.pipeline.files import read_json, write_text
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

PARAMETERS = {
    "sigma_between": Markdown(r"$\sigma_b$"),
    "sigma_within": Markdown(r"$\sigma_w$"),
    "icc": "ICC",
}
PROGRAMS = ["snakemake", "numpy", "scipy", "pandas", "formulaic", "statsmodels", "matplotlib"]
# A table above this size is named in the report instead of carried inside the page.
LARGEST_TABLE = 1_000_000


def main(snakemake: "Snakemake") -> None:
    """Copy what the report shows into its folder, and write the document."""
    files, folder = snakemake.input, Path(snakemake.output.document).parent
    copied = {path.name: Path(path) for path in map(Path, [*files.figures, *files.tables])}
    for target in map(Path, [*snakemake.output.figures, *snakemake.output.tables]):
        copy(copied[target.name], target)
    for source in map(Path, files.support):
        copy(source, folder / source.name)
    text = fill(files.template, context(snakemake))
    write_text(snakemake.output.document, text)


def copy(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def context(snakemake: "Snakemake") -> dict[str, Any]:
    """Everything that the template fills in."""
    files, study = snakemake.input, snakemake.params.study
    name = snakemake.wildcards.study
    design, mixed = read_json(files.design), read_json(files.mixed)
    comparison = read_json(files.comparison)
    sizes = {Path(path).stem: Path(path).stat().st_size for path in files.tables}
    return {
        "name": name,
        "title": study["title"] or name,
        "study": study,
        "labels": {key: design["columns"].get(key) for key in ("subject", "condition", "response")},
        "design": design,
        "loading": read_json(files.loading) if files.get("loading") else None,
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
        "tables": [table for table, size in sizes.items() if size <= LARGEST_TABLE],
        "too_large": [table for table, size in sizes.items() if size > LARGEST_TABLE],
        "config_yaml": entry(name, study),
        "versions": {"twolevel": __version__, "Python": python_version()}
        | {program: version(program) for program in PROGRAMS},
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


def entry(name: str, study: dict[str, Any]) -> str:
    """The study's entry in the config, as YAML, without the keys it leaves out."""
    given = {key: value for key, value in study.items() if value is not None}
    text = yaml.safe_dump({name: given}, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n").replace("```", "` ` `")


if __name__ == "__main__":
    run(main, snakemake)
