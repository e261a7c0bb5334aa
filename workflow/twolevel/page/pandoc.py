"""Render a document with the Pandoc that comes with pypandoc, where there is no Quarto."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pypandoc

from twolevel.page.browser import print_page
from twolevel.page.rendering import NO_TIME, TIMEOUT, RenderError, run, workplace

_OPTIONS = {
    ".html": ["--to=html5", "--mathml", "--toc", "--toc-depth=3", "--template=template.html"],
    ".docx": ["--to=docx", "--reference-doc=reference.docx"],
}


def pandoc_version() -> str:
    """Return the version of the bundled Pandoc, such as "3.9".

    Raises:
        RenderError: the installed pypandoc has no Pandoc.
    """
    asked = run([_executable(), "--version"], timeout=60)
    version = re.match(r"pandoc (\d+(\.\d+)+)", asked.out)
    if asked.status != 0 or version is None:
        raise RenderError(f"{_executable()} --version: expected a version, got\n{asked.said}")
    return version.group(1)


def render_with_pandoc(
    source: Path,
    output: Path,
    *,
    figures: Sequence[Path] = (),
    edited: bool = False,
    timeout: float = TIMEOUT,
) -> None:
    """Render `source` to `output`: a self-contained page, a Word document, or a PDF of the page.

    The folder of the source must hold everything the document shows, and what `write_support` puts
    there. The page of a source that was `edited` says so.

    Raises:
        RenderError: Pandoc fails or warns, is not done after `timeout` seconds, a cross-reference
            is unresolved, no page is made, or there is no browser to print it.
    """
    with workplace(source, output, figures) as (copy, made, data):
        # A PDF is the page, printed.
        page = made.with_suffix(".html") if made.suffix == ".pdf" else made
        done = run(
            [
                _executable(),
                copy.name,
                "--from=markdown-table_attributes",
                *_OPTIONS[page.suffix],
                "--standalone",
                "--wrap=none",
                "--fail-if-warnings",
                f"--data-dir={data}",
                f"--metadata=renderer:Pandoc {pandoc_version()}",
                *(["--metadata=edited:true"] if edited else []),
                *(["--metadata=paper:true"] if page != made else []),
                "--lua-filter=common.lua",
                "--lua-filter=equations.lua",
                "--lua-filter=page.lua",
                "--lua-filter=paper.lua",
                f"--output={page.name}",
            ],
            folder=copy.parent,
            environment=os.environ | NO_TIME,
            timeout=timeout,
        )
        if done.status != 0:
            raise RenderError(f"{source}: Pandoc failed (exit status {done.status}):\n{done.said}")
        if page != made:
            print_page(page, made, data, timeout)


def _executable() -> Path:
    try:
        return Path(pypandoc.get_pandoc_path())
    except OSError as error:
        raise RenderError(
            "Pandoc was not found; install the package pypandoc_binary, which brings it along"
        ) from error
