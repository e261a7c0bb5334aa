"""Which renderer makes a page."""

from pathlib import Path

import pytest
from support_files import support

from twolevel.page.renderers import render
from twolevel.page.rendering import RenderError

BROKEN = {
    "fails": "[ $1 = --version ] && echo 1.9.3 && exit; echo ERROR: no way >&2; exit 3",
    "cannot say its version": "exit 1",
    "too old": "echo 1.6.42",
    "makes no page": "echo 1.9.3",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "report"
    folder.mkdir()
    support(folder)
    (folder / "report.qmd").write_text("---\ntitle: t\n---\n\nRendered by []{.renderer}.\n")
    return folder / "report.qmd"


@pytest.fixture(params=BROKEN)
def broken(request, tmp_path, monkeypatch) -> None:
    """A machine on which Quarto does not work."""
    stand_in = tmp_path / "quarto"
    stand_in.write_text(f"#!/bin/sh\n{BROKEN[request.param]}\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("QUARTO_PATH", str(stand_in))


@pytest.mark.usefixtures("broken")
def test_pandoc_stands_in_for_a_quarto_that_fails(source, tmp_path):
    page = tmp_path / "page.html"
    with pytest.warns(UserWarning, match='Pandoc renders, .*"renderer: pandoc"'):
        render(source, page, renderer="auto")
    assert "Pandoc" in page.read_text("utf-8")


@pytest.mark.usefixtures("broken")
def test_who_renders_is_told_of_it_with_the_page(source, tmp_path):
    told, page = [], tmp_path / "page.html"
    render(source, page, renderer="auto", tell=told.append)
    (said,) = told
    assert said.startswith(f"{page}: Quarto failed, so that Pandoc renders")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("renderer", ["quarto", "auto"])
def test_a_render_that_fails_keeps_the_old_page(source, tmp_path, renderer, recwarn):
    page = tmp_path / "page.html"
    page.write_text("old")
    source.write_text("@fig-none\n")
    with pytest.raises(RenderError, match="unresolved" if renderer == "auto" else "uarto|made no"):
        render(source, page, renderer=renderer)
    assert page.read_text() == "old"
    assert len(recwarn) == (renderer == "auto")
