"""Render a report's document into one self-contained page, by Quarto or by Pandoc.

Reads the report's folder; makes report.html, which loads nothing from the network. The page of a
document that was edited by hand says so.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.page.renderers import render
from twolevel.pipeline.intact import edited
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Render the page."""
    document = snakemake.input.document
    if by_hand := edited(document):
        print(f"{document} was edited; its page says so")
    render(
        Path(document),
        Path(snakemake.output.page),
        edited=by_hand,
        renderer=snakemake.params.renderer,
    )


if __name__ == "__main__":
    run(main, snakemake)
