"""What a document needs beside it, as the workflow puts it there."""

from pathlib import Path

from twolevel.page.support import write_support

REPORTS = Path(__file__).parents[1] / "reports"
SUPPORT = [
    REPORTS / name
    for name in (
        *("_quarto.yml", "template.html", "reference.docx", "page.css", "page.js"),
        *("copying.js", "saving.js"),
        *("common.lua", "page.lua", "paper.lua"),
    )
]


def support(folder: Path) -> None:
    """Put it into a folder."""
    write_support(SUPPORT, folder)
