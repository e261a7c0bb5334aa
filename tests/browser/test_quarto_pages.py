"""What Quarto's own styles would do to a page, in a real browser."""

import shutil
from pathlib import Path

import pytest

from twolevel.page.quarto import find_quarto, render_with_quarto

REPORTS = Path(__file__).parents[2] / "reports"
SAMPLE = Path(__file__).parents[1] / "page" / "sample"
WIDE = r"""
## Wide

::: {.panel-tabset}
## First

| ROW |
| RULE |
| ROW |

## Second

Text.
:::

$$
y_{ij} = \mu_i + \alpha_j + \eta_{ij}, \qquad \text{on a great many degrees of freedom in one line}
$$ {#eq-wide}

$$
y_{ij} = \mu_i + \alpha_j + \eta_{ij}, \qquad \text{on a great many degrees of freedom in one line}
$$
""".replace("ROW", " | ".join(["a_long_heading"] * 12)).replace("RULE", " | ".join(["--:"] * 12))


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    executable = find_quarto()
    if executable is None:
        pytest.skip("quarto is not installed")
    folder = tmp_path_factory.mktemp("quarto")
    shutil.copytree(SAMPLE, folder / "report")
    for name in ("_quarto.yml", "twolevel.scss", "twolevel-dark.scss", "page.css", "page.lua"):
        shutil.copy(REPORTS / name, folder / "report")
    with (folder / "report" / "sample.qmd").open("a") as source:
        source.write(WIDE)
    render_with_quarto(
        folder / "report" / "sample.qmd", folder / "sample.html", executable=executable
    )
    return folder / "sample.html"


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_only_what_is_wide_scrolls(chromium, page, width):
    view = chromium.new_page(viewport={"width": width, "height": 800})
    view.goto(page.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    wide = "node => node.scrollWidth > node.clientWidth"
    assert view.eval_on_selector(".tab-pane.active:has(th:nth-child(12))", wide)
    assert view.eval_on_selector("#eq-wide", wide) == (width < 400)


def test_a_figure_can_be_read_on_a_phone(chromium, page):
    view = chromium.new_page(viewport={"width": 390, "height": 800})
    view.goto(page.as_uri())
    assert view.eval_on_selector("figure img", "node => node.clientWidth") >= 31 * 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_tab_is_told_from_its_paper(chromium, page, scheme):
    view = chromium.new_page(color_scheme=scheme)
    view.goto(page.as_uri())
    tab = ".nav-tabs .nav-link.active"
    colour = view.eval_on_selector(tab, "node => getComputedStyle(node).color")
    assert colour == view.evaluate("getComputedStyle(document.body).color")


def test_captions_are_at_the_left(chromium, page):
    view = chromium.new_page()
    view.goto(page.as_uri())
    align = "nodes => nodes.map(node => getComputedStyle(node).textAlign)"
    aligned = view.eval_on_selector_all("figcaption", align)
    assert len(aligned) >= 2
    assert set(aligned) <= {"left", "start"}
