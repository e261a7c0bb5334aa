"""Render a document with the Pandoc that comes with pypandoc, where there is no Quarto."""

import re
from pathlib import Path

import pypandoc

from twolevel.page.rendering import TIMEOUT, RenderError, run, workplace


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
    edited: bool = False,
    timeout: float = TIMEOUT,
) -> None:
    """Render `source` to the self-contained page `output`.

    The folder of the source must hold everything the document shows, and what `write_support` puts
    there. The page of a source that was `edited` says so.

    Raises:
        RenderError: Pandoc fails or warns, is not done after `timeout` seconds, a cross-reference
            is unresolved, or no page is made.
    """
    with workplace(source, output) as (copy, page, data):
        done = run(
            [
                _executable(),
                copy.name,
                "--from=markdown-table_attributes",
                "--to=html5",
                "--standalone",
                "--mathml",
                "--wrap=none",
                "--toc",
                "--toc-depth=3",
                "--fail-if-warnings",
                f"--data-dir={data}",
                f"--metadata=renderer:Pandoc {pandoc_version()}",
                *(["--metadata=edited:true"] if edited else []),
                "--template=template.html",
                "--lua-filter=page.lua",
                f"--output={page.name}",
            ],
            folder=copy.parent,
            timeout=timeout,
        )
        if done.status != 0:
            raise RenderError(f"{source}: Pandoc failed (exit status {done.status}):\n{done.said}")


def _executable() -> Path:
    try:
        return Path(pypandoc.get_pandoc_path())
    except OSError as error:
        raise RenderError(
            "Pandoc was not found; install the package pypandoc_binary, which brings it along"
        ) from error
