"""Render a report's document into one self-contained page, by Quarto or by Pandoc.

Reads the report's folder; makes report.html, which loads nothing from the network.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.pipeline.job import run
from twolevel.pipeline.renderers import render

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Render the page."""
    render(
        Path(snakemake.input.document),
        Path(snakemake.output.page),
        renderer=snakemake.params.renderer,
        support=Path(snakemake.input.pandoc[0]).parent,
    )


if __name__ == "__main__":
    run(main, snakemake)
