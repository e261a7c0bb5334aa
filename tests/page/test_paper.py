"""Word documents and PDF of the same documents: what they hold, and what they cannot."""

import re
import shutil
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from subprocess import run

import pytest
from PIL import Image
from support_files import support

from twolevel.page import browser
from twolevel.page.pandoc import render_with_pandoc
from twolevel.page.quarto import find_quarto, render_with_quarto
from twolevel.page.rendering import RenderError

SAMPLE = Path(__file__).parent / "sample"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
MORE = """

See [the downloads](#sec-gone), [the data](#sec-data) and [Quarto](https://quarto.org).

$$ a = b $$

::: {.content-visible when-format="html"}
Only on the page.
:::

::: {.content-hidden when-format="html"}
Only on paper.
:::
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("paper") / "report"
    shutil.copytree(SAMPLE, folder)
    support(folder)
    path = folder / "sample.qmd"
    path.write_text(path.read_text("utf-8") + MORE, "utf-8")
    return path


@pytest.fixture(scope="module")
def figures(tmp_path_factory) -> list[Path]:
    """The sample's figure for paper."""
    path = tmp_path_factory.mktemp("figures") / "scores.png"
    Image.new("RGB", (600, 300), "white").save(path, dpi=(300, 300))
    return [path]


@pytest.fixture(scope="module", params=["pandoc", "quarto"])
def word(request, source, figures, tmp_path_factory) -> Path:
    """The Word document of the sample by either renderer."""
    output = tmp_path_factory.mktemp("word") / "report.docx"
    if request.param == "pandoc":
        render_with_pandoc(source, output, figures=figures)
    else:
        quarto = find_quarto()
        if quarto is None:
            pytest.skip("Quarto is not installed")
        render_with_quarto(source, output, executable=quarto, figures=figures)
    return output


@pytest.fixture(scope="module")
def body(word) -> ET.Element:
    with zipfile.ZipFile(word) as archive:
        return ET.fromstring(archive.read("word/document.xml"))


def text(element: ET.Element) -> str:
    parts = (part.text or "" for part in element.iter() if part.tag in (f"{W}t", f"{M}t"))
    return "".join(parts).replace("\u00a0", " ")


def style(paragraph: ET.Element) -> str:
    found = paragraph.find(f"{W}pPr/{W}pStyle")
    return "" if found is None else found.get(f"{W}val")


def paragraphs(body: ET.Element) -> list[tuple[str, str]]:
    return [(style(each), text(each)) for each in body.iter(f"{W}p")]


def test_tables_have_headers_captions_and_numbers_on_the_right(body):
    found = paragraphs(body)
    captions = [words for name, words in found if name == "TableCaption"]
    assert captions[0].startswith("Table 1: Fixed effects by REML")
    assert captions[1] == "Table 2: Means by session."
    table, *_ = body.iter(f"{W}tbl")
    header, first, *_ = table.iter(f"{W}tr")
    assert header.find(f"{W}trPr/{W}tblHeader") is not None
    assert first.find(f"{W}trPr/{W}tblHeader") is None
    sides = [each.get(f"{W}val") for each in first.iter(f"{W}jc")]
    assert sides == ["left", *["right"] * 6]
    assert [text(cell) for cell in first.iter(f"{W}tc")][:2] == ["(Intercept)", "17.01"]
    assert {style(each) for each in table.iter(f"{W}p")} == {"TableText"}
    # Columns are as wide as what is in them: of intervals wider than of numbers.
    wide = [int(each.get(f"{W}w")) for each in table.iter(f"{W}gridCol")]
    assert wide[6] > 1.5 * wide[1]
    assert sum(wide) <= 9700  # twips between the margins


def test_a_table_wider_than_the_page_has_smaller_letters(source, tmp_path):
    folder = shutil.copytree(source.parent, tmp_path / "report")
    cells = [f"{number}{'x' * 18}" for number in range(7)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in (cells, ["--"] * 7, cells))
    (folder / "sample.qmd").write_text(table + "\n\n: Wide. {#tbl-wide}\n")
    render_with_pandoc(folder / "sample.qmd", tmp_path / "report.docx")
    with zipfile.ZipFile(tmp_path / "report.docx") as archive:
        (table,) = ET.fromstring(archive.read("word/document.xml")).iter(f"{W}tbl")
        styles = ET.fromstring(archive.read("word/styles.xml"))
    assert {style(each) for each in table.iter(f"{W}p")} == {"WideTableText"}
    assert sum(int(each.get(f"{W}w")) for each in table.iter(f"{W}gridCol")) <= 9700
    sizes = {each.get(f"{W}styleId"): each.find(f"{W}rPr/{W}sz") for each in styles}
    small, usual = (int(sizes[name].get(f"{W}val")) for name in ("WideTableText", "TableText"))
    assert 14 <= small < usual


def test_figures_are_sharp_and_described(word, body, figures):
    with zipfile.ZipFile(word) as archive:
        media = [name for name in archive.namelist() if name.startswith("word/media/")]
        assert [archive.read(name) for name in media] == [figures[0].read_bytes()]
    (drawn,) = body.iter(DRAWN)
    assert drawn.get("descr").startswith("Line chart of fifteen subjects' scores")
    words = [words for name, words in paragraphs(body) if name == "ImageCaption"]
    assert words == [
        "Figure 1: Scores by session: one thin line per subject, the session means in bold."
    ]


def test_references_lead_to_what_they_name(body):
    marks = {each.get(f"{W}name") for each in body.iter(f"{W}bookmarkStart")}
    links = [(each.get(f"{W}anchor"), text(each)) for each in body.iter(f"{W}hyperlink")]
    inside = {words: anchor for anchor, words in links if anchor}
    assert inside["Figure 1"] == "fig-scores"
    assert inside["Table 2"] == "tbl-means"
    assert inside["Equation 1"] == "eq-model"
    assert inside["the data"] == "sec-data"
    assert set(inside.values()) <= marks
    # What has no place in a document of its own is named, and links to nothing.
    assert {words for anchor, words in links if not anchor} == {"Quarto"}
    whole = text(body)
    assert "See the downloads, the data and Quarto." in whole
    assert "Scores as CSV" in whole


def test_nothing_is_embedded_that_word_cannot_open(word):
    with zipfile.ZipFile(word) as archive:
        held = b"".join(archive.read(name) for name in archive.namelist() if "media" not in name)
    assert b"data:" not in held
    assert b".csv" not in held


def test_mathematics_is_words_own(body):
    shown = [text(each) for each in body.iter(f"{M}oMathPara")]
    assert len(shown) == 2
    assert shown[0].startswith("yij=μ+αj+Si")
    assert shown[0].endswith("(1)")
    assert shown[1] == "a=b"
    assert len(list(body.iter(f"{M}oMath"))) > 2


def test_notes_and_tabs_are_text_under_their_titles(body):
    found = paragraphs(body)
    words = [each for _, each in found]
    for title, after in (
        ("What was found", "Scores fell by 1.5 points"),
        ("The design is small", "Fifteen subjects support"),
        ("Tip", "A callout without a title"),
    ):
        assert words[words.index(title) + 1].startswith(after)
    headings = [each for name, each in found if name.startswith("Heading")]
    assert {"By subject", "By session", "In words"} <= set(headings)
    assert words[words.index("By subject") + 1] == "Fifteen intercepts, one for each subject."


def test_what_is_for_pages_or_for_paper_alone(body, source, tmp_path):
    words = text(body)
    assert "Only on paper." in words
    assert "Only on the page." not in words
    render_with_pandoc(source, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "Only on the page." in page
    assert "Only on paper." not in page


def test_the_renderer_and_an_edit_are_told(source, figures, tmp_path):
    render_with_pandoc(source, tmp_path / "report.docx", figures=figures, edited=True)
    with zipfile.ZipFile(tmp_path / "report.docx") as archive:
        words = text(ET.fromstring(archive.read("word/document.xml")))
    assert "Rendered by Pandoc " in words
    assert "was edited by hand" in words


def test_the_same_document_has_the_same_bytes(source, figures, tmp_path):
    for name in ("one", "other"):
        render_with_pandoc(source, tmp_path / f"{name}.docx", figures=figures)
    assert (tmp_path / "one.docx").read_bytes() == (tmp_path / "other.docx").read_bytes()


@pytest.mark.parametrize("fault", ["@fig-none", "$$ \\noSuchCommand{x $$"])
def test_a_fault_makes_no_document(source, figures, tmp_path, fault):
    folder = shutil.copytree(source.parent, tmp_path / "report")
    (folder / "sample.qmd").write_text(f"# t\n\n{fault}\n")
    (tmp_path / "report.docx").write_text("old")
    with pytest.raises(RenderError):
        render_with_pandoc(folder / "sample.qmd", tmp_path / "report.docx", figures=figures)
    assert (tmp_path / "report.docx").read_text() == "old"


@pytest.mark.parametrize("to", ["docx", "typst"])
def test_by_hand_quarto_makes_them_too(source, tmp_path, to):
    quarto = find_quarto()
    if quarto is None:
        pytest.skip("Quarto is not installed")
    if to == "typst" and run([quarto, "typst", "--version"], capture_output=True).returncode:
        pytest.skip("this Quarto has no Typst")
    folder = shutil.copytree(source.parent, tmp_path / "report")
    command = [quarto, "render", "sample.qmd", "--to", to]
    done = run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / f"sample.{'pdf' if to == 'typst' else to}").stat().st_size > 10_000


class TestPDF:
    """A PDF by a browser, where Quarto is not."""

    def test_the_page_is_printed(self, source, tmp_path):
        if not any(map(shutil.which, browser.BROWSERS)):
            pytest.skip("no Chromium is installed")
        for name in ("one", "other"):
            render_with_pandoc(source, tmp_path / f"{name}.pdf")
        one, other = (tmp_path / f"{name}.pdf" for name in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()
        content = one.read_bytes()
        assert content.startswith(b"%PDF")
        assert re.findall(rb"/CreationDate \(D:(\d{4})", content) == [b"1980"]
        assert re.findall(rb"/URI \(([^)]*)", content) == [b"https://quarto.org/"]

    def test_without_a_browser_it_says_what_to_install(self, source, tmp_path, monkeypatch):
        monkeypatch.setattr(browser, "BROWSERS", ("no-browser",))
        with pytest.raises(RenderError) as error:
            render_with_pandoc(source, tmp_path / "report.pdf")
        assert "report.pdf: found neither Quarto" in str(error.value)
        assert "apt-get install chromium" in str(error.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_browser_that_fails_makes_no_file(self, source, tmp_path, monkeypatch):
        broken = tmp_path / "chromium"
        broken.write_text("#!/bin/sh\necho no display >&2; exit 3\n")
        broken.chmod(0o755)
        monkeypatch.setattr(browser, "BROWSERS", (str(broken),))
        with pytest.raises(RenderError, match=r"exit status 3\):\n  no display"):
            render_with_pandoc(source, tmp_path / "report.pdf")
        assert not (tmp_path / "report.pdf").exists()
