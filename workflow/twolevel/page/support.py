"""The files that a document needs beside it, whichever program renders it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

from twolevel.files.atomic import copy
from twolevel.files.stage_files import write_text
from twolevel.page.templates import fill
from twolevel.text.markdown import Markdown


def write_support(files: Iterable[str | Path], folder: Path) -> None:
    """Put what a document needs into its folder.

    Style sheets and scripts go into the renderers' HTML template, in their order, and with them
    the digest of the script, by which the policy of the page knows it. All else is copied.
    """
    paths = [Path(file) for file in files]
    style, script = _joined(paths, ".css"), _joined(paths, ".js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    inside = {
        "style": _inert(style),
        "script": _inert(script),
        "digest": Markdown(f"sha256-{digest}"),
    }
    for path in paths:
        if path.suffix == ".html":
            write_text(folder / path.name, fill(path, inside))
        elif path.suffix not in (".css", ".js"):
            copy(path, folder / path.name)


def _joined(paths: Iterable[Path], ending: str) -> str:
    return "\n".join(path.read_text("utf-8").strip() for path in paths if path.suffix == ending)


def _inert(text: str) -> Markdown:
    """Text inside a template of Pandoc's, which a dollar sign would have it fill."""
    return Markdown(text.replace("$", "$$"))
