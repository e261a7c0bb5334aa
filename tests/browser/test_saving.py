"""Figures that a page lets its readers save, in a real browser."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure
from support_files import support

from twolevel.figures.svg import choosing
from twolevel.figures.theme import BETWEEN, new_figure, save, themed
from twolevel.page.pandoc import render_with_pandoc

DOCUMENT = "---\ntitle: t\n---\n\n" + "![Some *points*.](x.svg){#fig-some fig-alt='Points.'}\n"


@themed
def drawn() -> Figure:
    """A line with points of two subjects."""
    figure, x, y = new_figure(3), np.array([1.0, 2.0]), np.array([3.0, 4.0])
    ax = figure.subplots()
    ax.plot(x, y, color=BETWEEN)
    choosing.points(ax, ["a", "b"], x, y)
    return figure


@pytest.fixture
def page(chromium, tmp_path):
    save(drawn(), tmp_path / "x.svg", title="x")
    (tmp_path / "x.qmd").write_text(DOCUMENT, "utf-8")
    support(tmp_path)
    render_with_pandoc(tmp_path / "x.qmd", tmp_path / "x.html")
    context = chromium.new_context(color_scheme="dark", accept_downloads=True)
    page = context.new_page()
    page.goto((tmp_path / "x.html").as_uri())
    yield page
    context.close()


def test_a_figure_is_saved_for_light_paper(page, tmp_path):
    said = []
    page.on("console", lambda message: said.append(message.text))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save Figure 1 as SVG").click()
    assert waiting.value.suggested_filename == "some.svg"
    waiting.value.save_as(tmp_path / "some.svg")
    text = (tmp_path / "some.svg").read_text("utf-8")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert BETWEEN in {each.get("stroke") for each in root.iter()}
    assert "prefers-color-scheme" not in text
    assert not re.search("data-subject|<script", text)
    assert said == []


def test_the_page_itself_stays_as_it_is(page):
    with page.expect_download():
        page.get_by_role("button", name="Save").click()
    assert page.locator("[data-subject]").count() == 2
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Save").is_visible()
