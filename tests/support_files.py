"""What a document needs beside it, as the workflow puts it there."""

from pathlib import Path

from twolevel.page.support import write_support

REPORTS = Path(__file__).parents[1] / "reports"
FILTERS = ("common.lua", "equations.lua", "page.lua", "paper.lua")
BESIDE = ("_quarto.yml", "template.html", "reference.docx", *FILTERS)
INSIDE = ("page.css", "page.js", "copying.js", "saving.js")
SUPPORT = [REPORTS / name for name in (*BESIDE, *INSIDE)]


def support(folder: Path) -> None:
    """Put it into a folder."""
    write_support(SUPPORT, folder)
