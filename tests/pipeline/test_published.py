"""Pages of strangers: read without running anything of them, refused where they ask for more."""

import base64
import hashlib
import json
import time

import pytest

from twolevel.files.checksums import sha256
from twolevel.pipeline.published import place_of, read_page
from twolevel.text.errors import InputError

SUM = "0" * 64
REAL = {"data": "data/x.csv", "formula": "y ~ t", "subject": "id"}
GOOD = {
    "report": "s",
    "config": {"studies": {"s": REAL}},
    "versions": {"numpy": "2"},
    "code": {"commit": "0" * 40, "changed": False},
    "inputs": [{"name": "x.csv", "sha256": SUM}],
    "tables": [{"name": "anova.csv", "sha256": SUM}],
}


def link(name: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f'<a href="data:text/csv;base64,{text}" class="download" download="{name}">x</a>'


def with_study(**changes):
    return {**GOOD, "config": {"studies": {"s": {**REAL, **changes}}}}


@pytest.fixture
def read(tmp_path):
    def read(provenance, more=""):
        text = provenance if isinstance(provenance, str) else json.dumps(provenance)
        page = link("provenance.json", text.encode()) + more
        (tmp_path / "page.html").write_text(f"<p>{page}</p>", "utf-8")
        return read_page(tmp_path / "page.html")

    return read


def test_a_page(read, tmp_path):
    more = link("anova.csv", b"a,b\n") + 'Rendered by <span class="renderer">Pandoc 3.9</span>.'
    page = read(GOOD, more)
    assert page.provenance.model_dump() == GOOD
    assert page.sha256 == sha256(tmp_path / "page.html")
    assert page.carried["anova.csv"] == hashlib.sha256(b"a,b\n").hexdigest()
    assert page.renderer == "Pandoc 3.9"
    assert page.config.studies["s"].data == "data/x.csv"


@pytest.mark.parametrize(
    "provenance",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        '{"report": ' + "9" * 5000 + "}",
        {},
        {**GOOD, "more": 1},
        {**GOOD, "report": "../../x"},
        {**GOOD, "report": "t"},
        {**GOOD, "code": {"commit": "--upload-pack=x", "changed": False}},
        {**GOOD, "tables": [{"name": "../x.csv", "sha256": SUM}]},
        {**GOOD, "inputs": [{"name": "x.csv", "sha256": "0"}]},
        {**GOOD, "config": {"studies": {"s": REAL, "t": REAL}}},
        {**GOOD, "config": {"studies": {"../s": REAL}}},
        {**GOOD, "config": {"studies": {"s": REAL}, "__use_yte__": True}},
        with_study(__use_yte__=True),
        with_study(formula="y ~ I(__import__('os').system('x'))"),
        with_study(shell="rm"),
    ],
)
def test_what_is_not_as_a_page_states_it_is_refused(read, provenance):
    with pytest.raises(InputError, match=r"page.html: its provenance\.json") as refused:
        read(provenance)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (link("provenance.json", b"{}"), "twice"),
        ('<a download="x.csv" href="data:text/csv;base64,!">', "base64"),
    ],
)
def test_a_page_that_carries_what_cannot_be_told(read, more, words):
    with pytest.raises(InputError, match=words):
        read(GOOD, more)


@pytest.mark.parametrize(
    "more",
    [
        "<a ",
        "<a x='",
        '<a "',
        "<a a=",
        '<a a="',
        "<!--",
        '<span class="renderer">',
        "<a\t" + "a" * 9,
    ],
)
def test_reading_takes_no_longer_than_the_page_is_long(read, more):
    start = time.perf_counter()
    page = read(GOOD, more * (300_000 // len(more)))
    assert time.perf_counter() - start < 2
    assert page.provenance.report == "s"


def test_a_page_without_provenance(tmp_path):
    (tmp_path / "page.html").write_text("<p>")
    with pytest.raises(InputError, match="carries no provenance"):
        read_page(tmp_path / "page.html")
    with pytest.raises(InputError, match="cannot be read"):
        read_page(tmp_path)


@pytest.mark.parametrize(
    "data",
    ["/etc/passwd", "../x.csv", "a/../../x.csv", "benchmarks/s/load.tsv", "Results/x.csv", "."],
)
def test_no_table_is_laid_outside_or_where_the_run_writes(data):
    with pytest.raises(InputError, match="cannot lie"):
        place_of(data, "page.html")
    assert str(place_of("config/data/x.csv", "page.html")) == "config/data/x.csv"
