"""Build the site: every study's page, and an index over them, ready to publish.

Reads the studies' pages and summaries and the index template; makes site/.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from twolevel.atomic import replacing
from twolevel.pipeline.documents import fill
from twolevel.pipeline.files import read_json
from twolevel.pipeline.job import run
from twolevel.pipeline.renderers import render

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Copy the pages, then render the index, so that no index names a missing page."""
    files, output = snakemake.input, snakemake.output
    for source, target in zip(files.pages, output.pages, strict=True):
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)
    with TemporaryDirectory(prefix="twolevel-index-") as folder:
        document = Path(folder) / "index.qmd"
        context = {"studies": cards(snakemake), "replications": replication_cards(snakemake)}
        document.write_text(fill(files.template, context), encoding="utf-8")
        for source in files.support:
            shutil.copy(source, folder)
        render(
            document,
            Path(output.index),
            renderer=snakemake.params.renderer,
            support=Path(files.pandoc[0]).parent,
        )


def cards(snakemake: "Snakemake") -> list[dict[str, Any]]:
    """What the index says of each study."""
    files, studies = snakemake.input, snakemake.params.studies
    return [
        {
            "name": name,
            "title": study["title"] or name,
            "unit": study.get("unit"),
            "simulated": "simulate" in study,
            "design": read_json(design),
            "mixed": read_json(mixed),
        }
        for (name, study), design, mixed in zip(
            studies.items(), files.designs, files.mixed, strict=True
        )
    ]


def replication_cards(snakemake: "Snakemake") -> list[dict[str, Any]]:
    """What the index says of each replication study."""
    titles, summaries = snakemake.params.titles, snakemake.input.replications
    return [
        {"name": name, "title": title, **read_json(summary)}
        for (name, title), summary in zip(titles.items(), summaries, strict=True)
    ]


if __name__ == "__main__":
    run(main, snakemake)
