"""Render a report's document into one self-contained page, a Word document or a PDF.

Reads the report's folder, and for paper the figures as PNG; makes report.html, which loads nothing
from the network, report.docx or report.pdf, by Quarto or by Pandoc. What is made of a document that
was edited by hand says so.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.page.renderers import render
from twolevel.pipeline.intact import edited
from twolevel.pipeline.job import run, warn

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Render the document."""
    document = snakemake.input.document
    if by_hand := edited(document):
        print(f"{document} was edited; its page says so")
    render(
        Path(document),
        Path(snakemake.output[0]),
        figures=[Path(figure) for figure in snakemake.input.get("figures", [])],
        edited=by_hand,
        renderer=snakemake.params.renderer,
        tell=warn,
    )


if __name__ == "__main__":
    run(main, snakemake)
