"""Which renderer makes a page."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

from twolevel.page.pandoc import render_with_pandoc
from twolevel.page.quarto import find_quarto, is_recent, render_with_quarto
from twolevel.page.rendering import RenderError


def render(
    source: Path,
    output: Path,
    *,
    renderer: Literal["auto", "quarto", "pandoc"],
    support: Path,
    edited: bool = False,
) -> None:
    """Render `source` (.qmd) into the self-contained page `output`.

    "auto" takes Quarto where a recent one is installed and Pandoc otherwise; `support` is the
    folder of Pandoc's template, style and filter. The page of a source that was `edited` says so.
    Raises RenderError.
    """
    quarto = None if renderer == "pandoc" else find_quarto()
    if quarto and renderer == "auto" and not is_recent(quarto):
        warnings.warn(f"{quarto} is too old for these pages; Pandoc renders instead", stacklevel=2)
        quarto = None
    if quarto:
        render_with_quarto(source, output, executable=quarto, edited=edited)
    elif renderer == "quarto":
        raise RenderError(
            "config: report.renderer: found quarto, but no quarto command; expected one on PATH, "
            "in QUARTO_PATH, or from the quarto-cli package; install Quarto, or write "
            '"renderer: pandoc"'
        )
    else:
        render_with_pandoc(source, output, support=support, edited=edited)
