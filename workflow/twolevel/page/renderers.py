"""Which renderer makes a page, a Word document or a PDF."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from twolevel.page.pandoc import render_with_pandoc
from twolevel.page.quarto import find_quarto, render_with_quarto
from twolevel.page.rendering import RenderError


def render(
    source: Path,
    output: Path,
    *,
    renderer: Literal["auto", "quarto", "pandoc"],
    figures: Sequence[Path] = (),
    edited: bool = False,
    tell: Callable[[str], object] = warnings.warn,
) -> None:
    """Render `source` (.qmd) into `output`: a self-contained page, or, as it ends, .docx or .pdf.

    "auto" takes Quarto where it is installed, and Pandoc where it is not or fails. `figures` are
    those that formats for paper show in place of SVG, by the same names. What is made of a source
    that was `edited` says so. `tell` is told why Quarto was given up. Raises RenderError.
    """
    quarto = None if renderer == "pandoc" else find_quarto()
    if quarto is None and renderer == "quarto":
        raise RenderError(
            "config: report.renderer: found quarto, but no quarto command; expected one on PATH, "
            "in QUARTO_PATH, or from the quarto-cli package; install Quarto, or write "
            '"renderer: pandoc"'
        )
    if quarto:
        try:
            return render_with_quarto(
                source, output, executable=quarto, figures=figures, edited=edited
            )
        except RenderError as error:
            if renderer == "quarto":
                raise
            tell(
                f"{output}: Quarto failed, so that Pandoc renders, as it always does with "
                f'"renderer: pandoc" under "report:" in the config. {error}'
            )
    return render_with_pandoc(source, output, figures=figures, edited=edited)
