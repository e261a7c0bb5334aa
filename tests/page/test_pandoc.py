"""Pages made by Pandoc: Quarto's syntax, strictness, nothing remote."""

import base64
import re
import shutil
import time
from html import unescape
from pathlib import Path

import pytest
from page_content import external_references
from support_files import support

from twolevel.page.pandoc import pandoc_version, render_with_pandoc
from twolevel.page.rendering import RenderError

SAMPLE = Path(__file__).parent / "sample"

FIGURE = '![A *caption*](figures/scores.svg){#fig-a fig-alt="What is seen"}\n\n'
TABLE = "| a | b |\n|:--|--:|\n| x | 1 |\n\n: Cells {#tbl-a}\n\n"


def sample_in(folder: Path) -> Path:
    """A folder with the sample and all that it needs."""
    shutil.copytree(SAMPLE, folder)
    support(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sample_in(tmp_path / "report")


@pytest.fixture
def render(folder: Path, tmp_path: Path):
    """Render a document's text; return the page's body without white space between its tags."""

    def render(text: str, front: str = "") -> str:
        (folder / "report.qmd").write_text(f"---\ntitle: Title\n{front}\n---\n\n{text}", "utf-8")
        page = tmp_path / "out" / "report.html"
        render_with_pandoc(folder / "report.qmd", page)
        body = page.read_text("utf-8").split('<main id="content" tabindex="-1">')[1]
        return re.sub(r"\s*\n\s*", "", body.split("</main>")[0])

    return render


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("sample")
    page = folder / "sample.html"
    render_with_pandoc(sample_in(folder / "report") / "sample.qmd", page)
    return page.read_text("utf-8")


def test_figure(render):
    html = render(FIGURE + "See @fig-a.")
    assert '<figure id="fig-a"><svg role="img" aria-label="What is seen" ' in html
    assert "</svg><figcaption>" in html
    assert "fig-alt" not in html
    assert "<figcaption>Figure\u00a01: A <em>caption</em></figcaption>" in html
    assert '<a href="#fig-a" class="reference">Figure\u00a01</a>' in html


def test_figure_without_label_or_alternative_text(render):
    html = render("![Caption](figures/scores.svg)\n\n" + FIGURE)
    assert "<figcaption>Caption</figcaption>" in html
    assert "Figure\u00a01: A" in html
    assert 'aria-label="Caption"' in html


@pytest.mark.parametrize("place", ["XDG_DATA_HOME", "HOME"])
def test_a_users_own_scripts_for_pandoc_do_not_run(render, tmp_path, monkeypatch, place):
    data = tmp_path / "user" / ("pandoc" if place == "XDG_DATA_HOME" else ".pandoc")
    data.mkdir(parents=True)
    (data / "init.lua").write_text("pandoc.Str = function() error('it runs') end\nerror('it runs')")
    (data / "templates").mkdir()
    (data / "templates/styles.html").write_text("a user's own")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv(place, str(tmp_path / "user"))
    assert "Text" in render("Text.")


def test_an_edited_source_is_told(folder, tmp_path):
    page = tmp_path / "page.html"
    words = "The text of this page was edited by hand"
    for edited in (False, True):
        render_with_pandoc(folder / "sample.qmd", page, edited=edited)
        assert (words in page.read_text("utf-8")) == edited


def test_a_link_that_leads_nowhere_is_no_obstacle(render, folder):
    (folder / ".#report.qmd").symlink_to("somebody@somewhere.1234")
    assert "Text" in render("Text.")


def test_table(render):
    html = render("[@tbl-a]\n\n" + TABLE)
    assert '<figure id="tbl-a" class="table"><figcaption>Table\u00a01: Cells</figcaption>' in html
    assert '<div class="table-scroll" tabindex="0" role="region"' in html
    assert '<td style="text-align: right;">1</td>' in html
    assert '<a href="#tbl-a" class="reference">Table\u00a01</a>' in html
    assert "caption>Cells" not in html


def test_names_in_tables_break_where_their_parts_meet(render):
    html = render("| a | b |\n|:--|--:|\n| id:time[T.t2]:dose | [1] |\n\nNot id:time.")
    assert ">id:<wbr>time<wbr>[T.t2]:<wbr>dose</td>" in html
    assert ">[1]</td>" in html
    assert "Not id:time." in html


def test_numbers_stay_on_their_line_with_what_belongs_to_them(render):
    html = render("F(2, 84) = 4.35, p < .001 = *q*; 95 % of 1 to −2, as a % says; 3 = b to d")
    tied = "F(2,~84)~=~4.35, p~&lt;~.001 = <em>q</em>; 95~% of 1 to~−2, as a % says; 3 = b to d"
    assert tied.replace("~", "\u00a0") in html


def test_long_table_lines_leave_the_columns_free(render):
    html = render(f"| a | b |\n|:--|--:|\n| {'long ' * 40} | 1 |\n")
    assert "<colgroup>" not in html


def test_equation(render):
    html = render("$$ y = x $$ {#eq-a}\n\n$$ z $$\n\n@eq-a")
    assert '<span id="eq-a" class="equation">' in html
    assert '<span class="display" tabindex="0" role="group" aria-label="Equation\u00a01">' in html
    assert html.count('<span class="display"') == 2
    assert '<span class="equation-number">(1)</span>' in html
    assert '<a href="#eq-a" class="reference">Equation\u00a01</a>' in html
    assert "{#eq-a}" not in html


@pytest.mark.parametrize(
    ("tex", "parts"),
    [
        ("y = a + b", [["y ", "{}= a ", "{}+ b"]]),
        ("y = -a - -b", [["y ", "{}= -a ", "{}- -b"]]),
        (r"y,\qquad z \sim N(0, a + b)", [["y,"], [" z ", r"{}\sim N(0, a + b)"]]),
        (
            r"\quad x_{i=1} = \left[ a = b \right. = c",
            [["x_{i=1} ", r"{}= \left[ a = b \right. ", "{}= c"]],
        ),
        (
            r"\begin{aligned} y &= a \\ z &= b \quad c \end{aligned}",
            [[r"\begin{aligned} y &= a \\ z &= b \quad c \end{aligned}"]],
        ),
        ("x^+ = x_-", [["x^+ ", "{}= x_-"]]),
        (r"\underbrace{a + b}_{= c} + é", [[r"\underbrace{a + b}_{= c} ", "{}+ é"]]),
        (r"\{a = b\}", [[r"\{a ", r"{}= b\}"]]),
    ],
)
def test_equations_come_in_pieces_that_can_break(render, tex, parts):
    html = render(f"$${tex}$$")
    found = re.split('<span class="part">', html)[1:]
    written = [re.findall(r"<annotation[^>]*>(.*?)</annotation>", part) for part in found]
    expected = [[piece.strip() for piece in part] for part in parts]
    assert [[unescape(piece).strip() for piece in part] for part in written] == expected


def test_references_count_each_kind_and_may_be_joined(render):
    html = render(FIGURE + FIGURE.replace("fig-a", "fig-b") + TABLE + "[@fig-b; @tbl-a; -@fig-a]")
    links = re.findall(r'class="reference">([^<]*)<', html)
    assert links == ["Figure\u00a02", "Table\u00a01", "1"]


@pytest.mark.parametrize("kind", ["note", "tip", "important", "warning"])
def test_callout(render, kind):
    html = render(f'::: {{.callout-{kind} title="A `title`"}}\nBody\n:::\n')
    assert f'<div class="callout {kind}" role="note">' in html
    assert '<p class="callout-title">A <code>title</code></p><p>Body</p></div>' in html
    untitled = render(f"::: {{.callout-{kind}}}\nBody\n:::\n")
    assert f'<p class="callout-title">{kind.title()}</p>' in untitled


def test_collapsed_callout(render):
    callout = '::: {{.callout-tip title="More" collapse="{}"}}\nBody\n:::\n'
    assert '<details class="callout tip"><summary>More</summary>' in render(callout.format("true"))
    assert '<details class="callout tip" open><summary>' in render(callout.format("false"))


def test_tabset_is_plain_sections_without_script(render):
    html = render("::: {.panel-tabset}\n## One\n\na\n\n## Two\n\nb\n:::\n", "toc: true")
    assert (
        '<div class="tabset"><div class="tab-panel" id="tabset-1-1">'
        '<p class="tab-title">One</p><p>a</p></div>'
        '<div class="tab-panel" id="tabset-1-2"><p class="tab-title">Two</p>'
        "<p>b</p></div></div>"
    ) in html


def test_tabset_needs_headings(render):
    with pytest.raises(RenderError, match="content before the first heading"):
        render("::: {.panel-tabset}\nText\n\n## One\n:::\n")


def test_other_images_are_carried_as_data(render, folder):
    (folder / "figures/x.png").write_bytes(b"PNG")
    html = render('![x](figures/x.png){fig-alt="Seen"}')
    assert re.search(r'<img [^>]*src="data:image/png;base64,UE5H"', html)
    assert 'alt="Seen"' in html


def test_ids_of_images_are_their_own(render, folder):
    svg = '<svg><title>t</title><path id="a"/><use xlink:href="#a" style="clip: url(#a)"/>'
    (folder / "figures/x.svg").write_text(f'<?xml version="1.0"?>{svg}<text>id="a"</text></svg>')
    html = render("![](figures/x.svg)\n\n![](figures/x.svg)")
    assert re.findall(r' id="(.*?)"', html) == ["image-1-a", "image-2-a"]
    for k in (1, 2):
        assert f'<use href="#image-{k}-a" style="clip: url(#image-{k}-a)"/>' in html
    assert html.count('<text>id="a"</text>') == 2
    assert "<title>" not in html


def test_download_carries_its_file(render):
    html = render("[CSV](tables/scores.csv){.download}")
    found = re.search(r'href="data:text/csv;base64,([^"]+)"[^>]* download="scores.csv"', html)
    assert found
    assert base64.b64decode(found[1]) == (SAMPLE / "tables" / "scores.csv").read_bytes()


@pytest.mark.parametrize("size", range(7))
def test_download_of_every_length(render, folder, size):
    (folder / "bytes.txt").write_bytes(bytes(range(250, 250 + min(size, 6))) + b"\n" * (size > 6))
    html = render("[x](bytes.txt){.download}")
    expected = base64.b64encode((folder / "bytes.txt").read_bytes()).decode()
    assert f'href="data:text/plain;base64,{expected}"' in html


def test_table_of_contents_can_be_left_out(folder, tmp_path):
    for front, expected in (("", True), ("toc: false\n", False)):
        (folder / "index.qmd").write_text(f"---\ntitle: T\n{front}---\n\n## Heading\n")
        page = tmp_path / "index.html"
        render_with_pandoc(folder / "index.qmd", page)
        assert ('<nav class="toc"' in page.read_text()) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@fig-none", r"unresolved cross-reference @fig-none; give a figure, table or equation"),
        ("@sec-none", r"unresolved cross-reference @sec-none"),
        (FIGURE + "[@fig-a; @tbl-none]", r"unresolved cross-reference @tbl-none"),
        (FIGURE + FIGURE, r"#fig-a: the label is used twice"),
        ("![x](figures/none.svg)", r"figures/none\.svg: the file of an image was not found"),
        ("![x](https://example.org/x.png)", r"example\.org/x\.png: the file of an image was not"),
        ("$\\frac$", r"Could not convert TeX math"),
        ("[x](tables/none.csv){.download}", r"tables/none\.csv: the file of a download link"),
    ],
)
def test_faults_fail_and_keep_the_old_page(render, tmp_path, text, message):
    page = tmp_path / "out" / "report.html"
    page.parent.mkdir()
    page.write_text("old")
    with pytest.raises(RenderError, match=message) as failure:
        render(text)
    assert "report.qmd" in str(failure.value)
    assert "stack traceback" not in str(failure.value)
    assert page.read_text() == "old"
    assert list(page.parent.iterdir()) == [page]


def test_everything_is_in_the_page(sample):
    assert external_references(sample) == []
    assert sample.count("<svg ") == 1
    assert "<math" in sample


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="page.css">',
        '<img src="//cdn.example/x.png">',
        '<img srcset="a.png 1x, data:,">',
        "<style>@import 'https://fonts.example/css';</style>",
        "<p style='background: url(figures/x.png)'>",
        '<link rel="stylesheet" href="data:text/css,%40import%20%22a.css%22">',
        '<meta http-equiv="refresh" content="0; url=https://example.org">',
    ],
)
def test_the_walk_finds_what_is_outside(html):
    assert len(external_references(html)) == 1


def test_the_walk_goes_into_images():
    svg = base64.b64encode(b'<svg><image href="x.png"/><use xlink:href="#a"/></svg>').decode()
    assert external_references(f'<img src="data:image/svg+xml;base64,{svg}">') == ["x.png"]


def test_hanging_pandoc_is_stopped_and_the_old_page_kept(folder, tmp_path, monkeypatch):
    stand_in, page = tmp_path / "pandoc", tmp_path / "page.html"
    stand_in.write_text('#!/bin/sh\n[ "$1" = --version ] && echo pandoc 3.9 || exec sleep 60\n')
    stand_in.chmod(0o755)
    monkeypatch.setattr("twolevel.page.pandoc._executable", lambda: stand_in)
    page.write_text("old")
    started = time.monotonic()
    with pytest.raises(RenderError, match="pandoc: not done after 1 s and stopped"):
        render_with_pandoc(folder / "sample.qmd", page, timeout=1)
    assert time.monotonic() - started < 10
    assert page.read_text() == "old"


def test_page_names_its_renderer(sample):
    assert f'<span class="renderer">Pandoc {pandoc_version()}</span>' in sample


def test_page_is_accessible_by_structure(sample):
    assert '<html lang="en">' in sample
    assert '<a class="skip" href="#content">' in sample
    assert sample.count("<main ") == sample.count("<h1 ") == 1
    ids = re.findall(r'\sid="([^"]+)"', sample)
    assert len(ids) == len(set(ids))
    assert {anchor for anchor in re.findall(r'href="#([^"]+)"', sample)} <= set(ids)


def test_same_bytes_again(sample, tmp_path):
    render_with_pandoc(sample_in(tmp_path / "report") / "sample.qmd", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text("utf-8") == sample
