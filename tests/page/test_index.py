"""The index: cards that can be looked over, or a table in which a study can be looked up."""

import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import example_summaries
import pytest
from support_files import SUPPORT

from twolevel.page.rendering import RenderError
from twolevel.page.site import WAYS, publish

ROOT = Path(__file__).parents[2]
DESIGN = example_summaries.DESIGN | {
    "n_subjects": 1200,
    "n_observations": 3600,
    "columns": {"response": "y", "condition": "c"},
}
MIXED = example_summaries.MIXED | {"sigma_between": 1.5, "sigma_within": 0.25, "icc": 0.973}
BOUNDARY = MIXED | {"sigma_between": 0.0, "icc": 0.0, "boundary": True}
PLANNED = example_summaries.REPLICATION
HOSTILE = "a | b <script>alert(1)</script> $x$ [y](z)"


@pytest.fixture
def index(tmp_path):
    """Publish so many studies, and a replication study unless told otherwise."""

    def index(studies: int, replications: int = 1, **failed: str) -> str:
        def write(name: str, content: object) -> str:
            (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
            return str(tmp_path / name)

        def drawn(name: str) -> str:
            svg = f'<svg xmlns="http://www.w3.org/2000/svg"><text>{name}</text></svg>'
            (tmp_path / f"{name}.svg").write_text(svg, encoding="utf-8")
            return str(tmp_path / f"{name}.svg")

        names = [f"study{k}" for k in range(studies)]
        planning = [f"planning{k}" for k in range(replications)]
        site = tmp_path / "site"
        site.mkdir(exist_ok=True)
        design, mixed = write("design.json", DESIGN), write("mixed.json", MIXED)
        publish(
            SimpleNamespace(
                input=SimpleNamespace(
                    pages=[write(f"{name}.html", WAYS) for name in (*names, *planning)],
                    designs=[design] * studies,
                    means=[drawn("means")] * studies,
                    data=[drawn("data")] * studies,
                    power=[drawn("power")] * replications,
                    mixed=[write("boundary.json", BOUNDARY), *[mixed] * (studies - 1)][:studies],
                    replications=[write("replication.json", PLANNED)] * replications,
                ),
                output=SimpleNamespace(
                    index=site / "index.html",
                    pages=[site / f"{name}.html" for name in (*names, *planning)],
                ),
                params=SimpleNamespace(
                    renderer="pandoc",
                    template=ROOT / "reports/index.qmd",
                    support=SUPPORT,
                    studies={
                        name: {"title": HOSTILE, "unit": "m|s"} | ({"simulate": {}} if k else {})
                        for k, name in enumerate(names)
                    },
                    titles=dict.fromkeys(planning, "Power"),
                ),
            ),
            failed=failed,
        )
        return (site / "index.html").read_text(encoding="utf-8")

    return index


def rows(html: str) -> list[list[str]]:
    """The text of every cell, row by row."""
    found = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    cells = [re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL) for row in found]
    return [
        [" ".join(unescape(re.sub(r"<[^>]*>", "", cell)).split()) for cell in row] for row in cells
    ]


@pytest.mark.parametrize(("studies", "replications"), [(23, 1), (24, 0), (0, 1)])
def test_up_to_two_dozen_are_cards(index, studies, replications):
    html = index(studies, replications)
    assert len(re.findall('class="[^"]*card"', html)) == studies + replications
    assert "<table" not in html


def test_more_are_a_table(index):
    html = index(24)
    assert 'class="card"' not in html
    head, boundary, study, *others = rows(html)
    assert head[:4] == ["study", "data", "subjects", "observations"]
    assert boundary == [HOSTILE, "real", "1,200", "3,600", "0", "0.250", "m|s", "0"]
    assert study == [HOSTILE, "simulated", "1,200", "3,600", "1.50", "0.250", "m|s", "0.97"]
    assert others[:22] == [study] * 22
    assert others[22:] == [
        ["replicated experiments", "subjects", "conditions", "experiments at each of", "points"],
        ["Power", "6–12", "2", "4,000", "6"],
    ]
    links = re.findall(r'<a href="((?:study|planning)\d+)\.html"', html)
    assert links == [*(f"study{k}" for k in range(24)), "planning0"]


def test_a_failed_study_is_named_once_with_its_reason(index):
    html = index(1, planning0="study planning0: why | not", study0=f"study {HOSTILE}: why")
    callout = re.search(r'<div class="callout warning".*?</ul>', html, re.DOTALL)[0]
    text = " ".join(unescape(re.sub(r"<[^>]*>", "", callout)).split())
    assert text == (
        "Not all studies are here The run that made this site could not finish these: "
        f"Power: study planning0: why | not {HOSTILE}: why"
    )
    assert 'href="study0.html"' not in html


def test_an_index_that_cannot_be_made_leaves_the_pages_that_the_last_one_names(
    index, tmp_path, monkeypatch
):
    index(2)

    def broken(*_, **__):
        raise RenderError("no renderer")

    with monkeypatch.context() as during:
        during.setattr("twolevel.page.site.render", broken)
        with pytest.raises(RenderError):
            index(2, study0="why")
    assert (tmp_path / "site/study0.html").exists()
    index(2, study0="why")
    assert not (tmp_path / "site/study0.html").exists()
    assert (tmp_path / "site/study1.html").exists()


def test_without_studies_there_is_no_table_of_them(index):
    html = index(0, 25)
    assert html.count("<table") == 1
    assert "<script>alert" not in html


def test_each_card_shows_the_figure_of_its_answer(index):
    cards = re.split('class="[^"]*card"', index(2))[1:]
    assert [re.findall("<text>(.*?)</text>", card) for card in cards] == [
        ["means"],
        ["means"],
        ["power"],
    ]
    assert all("aria-label=" in re.search("<svg[^>]*>", card)[0] for card in cards)
    assert "<svg" not in index(25)


def test_pages_lead_to_the_index_and_to_their_neighbours(index, tmp_path):
    index(3, study1="study study1: why")
    first, last = (
        (tmp_path / "site" / f"{name}.html").read_text("utf-8") for name in ("study0", "planning0")
    )
    assert not (tmp_path / "site/study1.html").exists()
    assert re.findall('rel="(.*?)" href="(.*?)"', first) == [("next", "study2.html")]
    assert re.findall('rel="(.*?)" href="(.*?)"', last) == [("prev", "study2.html")]
    for page in (first, last):
        assert page.count('<a href="index.html">') == 1
        assert "<script>" not in page


def test_the_index_says_what_it_is_in_its_head(index):
    assert '<meta name="description" content="Studies of repeated' in index(1)
