"""The report of one study, for designs of every kind: complete, true for the design, readable."""

import base64
import csv
import json
import math
import re
from dataclasses import fields
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import example_summaries
import numpy as np
import pandas as pd
import pytest
from example_summaries import mean
from page_content import external_references
from scipy.special import stdtrit
from support_files import SUPPORT

import check_mixed
import compare_fits
import describe_design
import fit_hierarchical
import fit_mixed
import fit_subjects
import load_data
import partition_errors
import render_report
import simulate_data
import write_report
from twolevel.design.terms import term_in_words
from twolevel.figures import groups as groups_of_means
from twolevel.figures.of_study import condition_means
from twolevel.figures.registry import OF_STUDY
from twolevel.figures.sources import StudySources
from twolevel.files.checksums import sha256
from twolevel.findings.remarks import remarks
from twolevel.findings.testimony import witness_in_words
from twolevel.page.site import WAYS
from twolevel.pipeline.config.check import checked
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import S, read_summary
from twolevel.summaries.checks_summary import ChecksSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.text.markdown import plain

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports"
TABLES = ROOT / "tests/data"

SIMULATE = {
    "subjects": 8,
    "conditions": {"a": 0, "b": 1, "c": 2},
    "grand_mean": 5,
    "sigma_between": 2,
    "sigma_within": 1,
    "seed": 1,
}
TWENTY = {f"c{j}": j / 10 for j in range(20)}


def real(table: str, formula: str = "y ~ condition", **more: str) -> dict[str, str]:
    """The config of a study of a real table."""
    return {"data": str(TABLES / table), "formula": formula, "subject": "subject"} | more


def rows(text: str) -> str:
    """A table, row by row, as the text of a CSV file."""
    return "subject,condition,y\n" + "\n".join(text.split()) + "\n"


# Written out where the data support more; what then is on the page, test_random_part_report tells.
ALONE = " + (1 | subject)"
STUDIES = {
    "balanced": real("anxiety_grp3.csv"),
    "tukey": real("anxiety_grp3.csv", adjust="tukey"),
    "own_pairs": real("anxiety_grp3.csv", contrast_error="own"),
    "boundary": real("selfesteem.csv", title="Self-esteem", unit="points"),
    "unbalanced": real("ergostool_missing.csv"),
    "replicates": {"simulate": SIMULATE | {"conditions": {"a": 0, "b": 1}, "replicates": 3}},
    "mean": real("dyestuff.csv", "y ~ 1", unit="g"),
    "mean_boundary": real("dyestuff2.csv", "y ~ 1"),
    "ninety": real("anxiety.csv", "y ~ condition * group", level=0.9),
    "ninety_slopes": real("sleepstudy.csv", f"y ~ condition{ALONE}", unit="ms", level=0.9),
    "split_plot": real("anxiety.csv", "y ~ condition * group"),
    "numeric": real("sleepstudy.csv", unit="ms"),
    "factor": real("sleepstudy.csv", "y ~ C(condition)"),
    "uneven_slopes": real("uneven_slopes.csv", f"y ~ condition * C(group){ALONE}"),
    "curve": real("sleepstudy.csv", f"y ~ condition + I(condition ** 2){ALONE}"),
    "twenty": {"simulate": SIMULATE | {"conditions": TWENTY}},
    "simulated": {"simulate": SIMULATE},
    "large": {
        "simulate": SIMULATE | {"grand_mean": 5e9, "sigma_between": 2e8, "sigma_within": 1e8}
    },
    "small": {"simulate": SIMULATE | {"sigma_between": 3e-7, "sigma_within": 2e-7}},
    "dropped": real("dropped.csv", missing="drop"),
    "repeated": real("repeated.csv", replicates="allow"),
    "blocks": real("blocks.csv"),
    "mean_unbalanced": real("singles.csv", "y ~ 1"),
    "age": real("age.csv", "y ~ condition * age + group"),
    "two_within": real("crossed.csv", f"y ~ condition * dose{ALONE}"),
    "two_errors": real("cases/two_within.csv", "rt ~ flanker * block + (1 | subj)", subject="subj"),
    "two_errors_missing": real(
        "cases/two_within_missing.csv", "rt ~ C(flanker) * C(block) + (1 | subj)", subject="subj"
    ),
    "trials": real("cases/trials_two_within.csv", "rt ~ mood + (1 | subj)", subject="subj"),
    "two_subjects": real(
        "cases/two_subjects.csv", "threshold ~ contrast + (1 | observer)", subject="observer"
    ),
    "disconnected": real("cases/disconnected.csv", "y ~ time", subject="id"),
    "named_term": real("cases/column_term.csv", "score ~ time + term + (1 | id)", subject="id"),
    "binary": real("binary.csv"),
    "awkward": real("awkward.csv", title="*A* | <b>title</b> $x$", unit="|m|^2 & `s`"),
}
# Those in which subjects have more of their own than a mean, as their data support.
STUDIES["strata"] = real("cases/two_within.csv", "rt ~ flanker * block", subject="subj")
ROUNDED = ["descriptives", "tests", "anova", "means", "contrasts", "varcorr"]
MORE = ("replicates", "numeric", "strata")
# Those with a condition and unequal cells.
UNEQUAL = ("unbalanced", "dropped", "repeated", "blocks", "age", "uneven_slopes", "disconnected")
UNEQUAL += ("two_errors_missing", "trials")
# Those of which no cell is empty, so that there is an ANOVA of the means of cells.
FILLED = ("repeated", "trials")
# Tables made for the purpose. Missing: a cell; a second row in a cell; each subject two of three;
# all of one subject but one row.
MADE = {
    "dropped.csv": rows("1,a,1 1,b, 1,c,5 2,a,2 2,b,4 2,c,4 3,a,0 3,b,1 3,c,2"),
    "repeated.csv": rows("1,a,1 1,a,2 1,b,3 1,c,5 2,a,2 2,b,4 2,c,4 3,a,0 3,b,1 3,c,2"),
    "blocks.csv": rows("1,a,1 1,b,3 2,b,6 2,c,9 3,a,2 3,c,4 4,a,5 4,b,7 5,b,2 5,c,2 6,a,6 6,c,8"),
    "singles.csv": rows("1,x,4 2,x,5 2,x,6 3,x,9 3,x,8 3,x,7"),
    "crossed.csv": "subject,condition,y,dose\n"
    + "".join(
        f"{i},{'ab'[j]},{i * i * 7 % 11 + j * (i % 4) + (i + 2 * j + 3 * k) ** 2 % 5},{k}\n"
        for i, j, k in np.ndindex(6, 2, 2)
    )
    .replace(",0\n", ",low\n")
    .replace(",1\n", ",high\n"),
    "uneven_slopes.csv": "subject,condition,y,group\n"
    + "".join(
        f"{i},{j / 2},{9 - (1 + i % 4 + 5 * (i % 3)) * j + (i + 2 * j) ** 2 % 5},{'uvw'[i % 3]}\n"
        for i in range(9)
        for j in range(4 + i % 2)
    ),
    "replicates.csv": "subject,condition,y\n"
    + "".join(
        f"{i},{'ab'[j]},{i * i * 7 % 11 + 2 * j + (i + 2 * j + 3 * k) ** 2 % 5}\n"
        for i, j, k in np.ndindex(8, 2, 3)
    ),
    "binary.csv": "subject,condition,y\n"
    + "".join(f"{i},{'abc'[j]},{(i * i + 3 * j * i + j) % 5 % 2}\n" for i, j in np.ndindex(9, 3)),
    "age.csv": "subject,condition,y,group,age\n"
    + "".join(
        f"{i},{'abc'[j]},{i * i * 7 % 11 + j * (i % 4) + (i + 2 * j) ** 2 % 5},"
        f"{'treated' if i % 2 else 'control'},{40 + i * i % 17}\n"
        for i in range(10)
        for j in range(3 if i else 1)
    ),
    "awkward.csv": "subject,condition,y\n"
    + "".join(
        f'"@fig-x {{{{< {i} >}}}} \\ <i>","{level}",{i * j + j * j}\n'
        for i in range(1, 5)
        for j, level in enumerate(["*a*|b", "$x$ [l](u)", "# <b> ::: `c`"])
    ),
}


class Named(dict):
    """Files or parameters, by name, as Snakemake hands them to a script."""

    __getattr__ = dict.__getitem__


def job(script: Any, inputs: dict, outputs: dict, wildcards: dict | None = None, **params) -> None:
    """Run a rule's script here and now."""
    script.main(
        SimpleNamespace(
            input=Named(inputs),
            output=Named(outputs),
            params=Named(params),
            wildcards=Named(wildcards or {}),
        )
    )


MIXED = [
    "coefficients",
    "tests",
    "varcorr",
    "variance_components",
    "intervals",
    "means",
    "contrasts",
    "random_effects",
    "influence",
]


def build(name: str, folder: Path, config: dict[str, Any] | None = None) -> None:
    """Make a study's report by the scripts, with empty figures in place of the drawn ones.

    It is one of STUDIES, unless another config is given.
    """
    for table, text in MADE.items():
        (folder / table).write_text(text, "utf-8")
    config = dict(config or STUDIES[name])
    if "data" in config and Path(config["data"]).name in MADE:
        config["data"] = str(folder / Path(config["data"]).name)
    model = checked({"studies": {name: config}}, []).studies[name]
    study, formula = model.model_dump(), model.formula
    made = {key: folder / f"{key}.json" for key in ["truth", "loading"]}
    observations = {"observations": folder / "observations.parquet"}
    if "simulate" in study:
        job(simulate_data, {}, observations | made, simulate=study["simulate"])
    else:
        job(load_data, {}, observations | made, {"real": name}, table=model.table)
    stages = ["design", "level1", "hierarchical", "mixed", "checks"]
    stages += ["anova", "comparison"]
    made |= {key: folder / f"{key}.json" for key in stages}
    parts = ["subjects", "residuals", "random_effects", "profile", "influence", "quantiles"]
    parts = {key: folder / f"{key}.parquet" for key in parts}
    tables = {key: folder / "tables" / f"{key}.csv" for key in [*MIXED, "subjects"]}
    tables |= {
        key: folder / "tables" / f"{key}.csv"
        for key in ("descriptives", "witnesses", "anova", "comparison")
    }
    tables["anova"].parent.mkdir()
    described = made | {"table": tables["descriptives"]}
    job(describe_design, observations, described, formula=formula)
    coded = {"formula": formula, "coding": model.factor_coding}
    job(fit_subjects, observations, parts | made | {"table": tables["subjects"]}, **coded)
    job(fit_hierarchical, parts | made, made)
    mixed = parts | made | {"tables": [tables[key] for key in MIXED]}
    chosen = {key: study[key] for key in ("adjust", "level", "contrast_error")}
    job(fit_mixed, observations, mixed, **coded, **chosen)
    checked_too = parts | made | {"table": tables["witnesses"]}
    job(check_mixed, observations, checked_too, formula=formula, level=study["level"])
    partitioned = made | {"table": tables["anova"]}
    job(partition_errors, observations, partitioned, formula=formula, level=study["level"])
    job(compare_fits, made, made | {"table": tables["comparison"]})

    figures = [folder / "figures" / f"{figure}.svg" for figure in OF_STUDY]
    figures[0].parent.mkdir()
    for figure in figures:
        figure.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    report = folder / "report"
    shown = {"figures": figures, "tables": tables.values()}
    copies = {key: [report / key / path.name for path in paths] for key, paths in shown.items()}
    for key in shown:
        (report / key).mkdir(parents=True)
    offered = {"data": report / "tables" / "data.csv"}
    offered["rounded"] = [report / "tables" / f"{table}_rounded.csv" for table in ROUNDED]
    given = {key: path for key, path in made.items() if path.exists()}
    document = report / "report.qmd"
    job(
        write_report,
        given | observations | shown,
        {"document": document, "provenance": report / "provenance.json", **copies, **offered},
        {"study": name},
        study=study,
        citation=ROOT / "CITATION.cff",
        template=REPORTS / "study.qmd",
        support=SUPPORT,
    )
    page = {0: folder / "report.html"}  # whatever the format, its one output
    job(render_report, {"document": document}, page, renderer="pandoc")


BREAKING = {"p", "li", "td", "th", "tr", "div", "figcaption", "h1", "h2", "h3", "figure", "summary"}
MUTE = {"style", "script", "annotation", "nav"}
EMPTY = {"img", "br", "meta", "link", "col", "input", "hr", "wbr"}


class Page(HTMLParser):
    """What a reader sees of a page: lines of text, figures, tables, links, downloads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.text = self.prose = ""
        self.headings: list[str] = []
        self.captions: list[tuple[str, str]] = []  # of which figure or table, and the text
        self.tables: dict[str, list[list[str]]] = {}
        self.images: list[dict] = []
        self.ids: list[str] = []
        self.links: list[dict] = []
        self.feed(html)
        self.close()
        self.lines = [" ".join(line.split("\n")) for line in self.prose.split("\r")]

    def inside(self, *tags: str) -> bool:
        """Whether the parser is inside one of these."""
        return any(tag in tags for tag, _ in self.open)

    @property
    def place(self) -> str:
        """The figure or table that the parser is in; nothing for one that has no number."""
        return self.captions[-1][0] if self.inside("figure") else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what begins."""
        values = {key: value or "" for key, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        if tag in BREAKING or values.get("class") == "equation-number":
            self.text += "\n"
            self.prose += "\r"
        if tag == "math":
            self.prose += "x"
        if tag == "svg":
            self.images.append({"alt": values["aria-label"]})
        if tag == "a":
            self.links.append(values)
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag == "figure":
            self.captions.append((values.get("id", ""), ""))
        if tag == "tr" and self.inside("table"):
            self.tables.setdefault(self.place, []).append([])
        if tag in ("td", "th"):
            self.tables[self.place][-1].append("")
        if tag not in EMPTY:
            self.open.append((tag, values))

    def handle_endtag(self, tag: str) -> None:
        """Note what ends."""
        if tag in EMPTY:
            return
        while self.open and self.open.pop()[0] != tag:
            pass
        if tag in BREAKING:
            self.text += "\n"
            self.prose += "\r"

    def handle_data(self, data: str) -> None:
        """Keep the text that is seen, which word joiners are not."""
        data = data.replace("\u2060", "")
        if self.inside(*MUTE) or not self.inside("body"):
            return
        self.text += data
        if not self.inside("table", "pre", "math"):
            self.prose += "x" if self.inside("code") else data
        if self.inside("h1", "h2", "h3"):
            self.headings[-1] += data
        if self.inside("figcaption"):
            where, text = self.captions[-1]
            self.captions[-1] = (where, text + data)
        if self.inside("td", "th"):
            self.tables[self.place][-1][-1] += data.replace("\u00a0", " ")


class Report(SimpleNamespace):
    """A study's folder, page and numbers."""

    def json(self, name: str) -> Any:
        """The summary of a stage."""
        return json.loads((self.folder / f"{name}.json").read_text("utf-8"))

    def summary(self, name: str, kind: type[S]) -> S:
        """The same, typed."""
        return read_summary(self.folder / f"{name}.json", kind)

    def says(self, text: str) -> bool:
        """Whether a text is on the page, wherever its lines break."""
        return text in " ".join(self.page.text.split())

    def table(self, label: str) -> list[list[str]]:
        """The rows of a table below its header."""
        return self.page.tables[label][1:]


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A study's report, built when it is first asked for."""

    @cache
    def made(name: str) -> Report:
        folder = tmp_path_factory.mktemp(name)
        build(name, folder)
        html = (folder / "report.html").read_text("utf-8")
        return Report(name=name, folder=folder, html=html, page=Page(html))

    return made


@pytest.fixture(params=[name for name in STUDIES if name not in MORE])
def report(request, made) -> Report:
    """The report of each study in turn whose subjects have a mean of their own and no more."""
    return made(request.param)


def value(cell: str) -> float:
    """The number that a cell shows."""
    mantissa, _, power = cell.replace("−", "-").partition(" × 10")
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return float(mantissa) * 10.0 ** int(power.translate(digits) or 0)


def check(cell: str, number: float | None, digits: int = 4) -> None:
    """Check that a cell shows a number to so many digits, or a dash for none."""
    if number is None:
        assert cell in ("–", "")
    else:
        assert math.isclose(value(cell), number, rel_tol=5.01 * 10**-digits), (cell, number)


def check_both(cell: str, number: float | None, beside: float | None, digits: int = 4) -> None:
    """Check that a cell shows a number, and in brackets another, to three digits."""
    first, _, second = cell.removesuffix(")").partition(" (")
    check(first, number, digits)
    check(second, beside, 3)


def check_p(cell: str, number: float | None) -> None:
    """Check that a cell shows a p value, or a dash for none."""
    if number is None:
        assert cell == "–"
    elif number < 1e-3 or number > 0.999:
        assert cell == ("< .001" if number < 1e-3 else "> .999")
    else:
        assert abs(value(cell) - number) <= 5.01e-4


def test_templates_end_no_line_of_text_in_a_block():
    # Jinja removes the newline behind a block: words would run together. `+%>` keeps it.
    for template in REPORTS.rglob("*.qmd"):
        one_line = re.sub(r"<%[^%]*\n[^%]*%>", "", template.read_text("utf-8"))
        for line in one_line.splitlines():
            text = re.sub(r"<%.*?%>|<#.*?#>", "", line).strip()
            assert not (text and line.endswith("%>")) or line.endswith("+%>"), line


def test_everything_is_filled_in(report):
    # Scripts have words of their own, such as False.
    page = Page(re.sub(r'<pre[^>]*class="sourceCode.*?</pre>', "", report.html, flags=re.DOTALL))
    text = page.text + " ".join(image["alt"] for image in page.images)
    text = text.replace("\u2060", "")  # within what Quarto would take for a shortcode
    assert not re.search(r"\b(None|nan|NaN|Undefined|inf|True|False|null)\b", text)
    for left in ("<<", ">>", "<%", "%>", "?@", "{#", "]{", "\\"):
        assert left not in re.sub(r"\{\{< \d >\}\} \\ <i>", "", text), left
    assert ":::" not in text.replace("# <b> ::: `c`", "")
    assert external_references(report.html) == []


def test_sentences_are_whole(report):
    for line in report.page.lines:
        # Names from the data are no prose of ours.
        line = re.sub(r"(?<=[ [−])\.(?=\d)", "0.", line)  # p = .106 is a number like others
        line = re.sub(r"\bt\((?=\d)", "T(", line)  # a statistic
        line = re.sub(r"@fig-x .*? <i>|\*a\*\|b|\$x\$ \[l\]\(u\)|# <b> ::: `c`", "x", line)
        line = line.replace("|m|^2 & `s`", "x").replace("*A* | <b>title</b> $x$", "x")
        assert "  " not in line.strip().replace("\u2003", ""), line
        assert not re.search(r" [,;)]| \.(?!\d)| :(?! )", line), line
        assert not re.search(r"\( |\(\)|\[\]|[,;:]\s*\.|\.\s*\.|,\s*,", line.strip()), line
        assert not re.search(r"[a-z0-9)][,;][A-Za-z]|[a-z)]\.[A-Z]|\d\.\d+[A-Za-z]", line), line
        assert not re.search(r"[a-z]\(|\)[a-z]", line.replace("C(condition)", "x")), line
        assert not re.search(r"\b(\w+) \1\b(?!\.\d)", line), line
        things = "subject|observation|cell|row|degree|coefficient|level|condition"
        assert not re.search(rf"(?<![\d.,])1 (residual )?({things})s\b", line), line
        assert not re.search(
            rf"(?<![\d.])([2-9]|\d\d+) (residual )?({things})\b(?! means)", line
        ), line


def test_paragraphs_begin_and_end_as_such(report):
    for paragraph in re.findall(r"<p>(.*?)</p>", report.html, re.DOTALL):
        if 'class="equation' in paragraph:
            continue
        text = re.sub(r"<math.*?</math>", "x", paragraph, flags=re.DOTALL)
        text = " ".join(re.sub(r"<[^>]*>", "", text).split())
        assert re.match(r"[A-Z0-9]|x |with x", text), text
        assert text.endswith((".", ":", "gives", "is", "and run")), text


def test_a_page_has_a_description_and_a_place_for_ways_to_others(report):
    assert re.search(r'<meta name="description" content="What was found in [^"]+\."', report.html)
    assert report.html.count(WAYS) == 1


def test_what_is_deep_is_folded_under_its_result(report):
    lines = re.findall(r"<details[^>]*><summary>(.*?)</summary>", report.html, re.DOTALL)
    lines = [" ".join(re.sub(r"<[^>]*>", "", line).split()) for line in lines]
    assert len(lines) == len(set(lines)) > 8
    refits = report.json("mixed")["influence"]["refits"]
    changed = any(row["changed"] for row in report.json("mixed")["influence"]["tests"])
    assert any(line.startswith("No single subject") for line in lines) == (
        refits > 0 and not changed
    )
    assert any(line.startswith("A conclusion rests on") for line in lines) == changed


def test_the_answers_figure_comes_first(report):
    first = report.page.captions[0][0]
    assert first == ("fig-data" if report.name.startswith("mean") else "fig-means")


def test_six_steps(report):
    steps = [h for h in report.page.headings if h.startswith("Step")]
    assert [step.split(":")[0] for step in steps] == [f"Step {k}" for k in range(1, 7)]
    for heading in ("Design and data", "Provenance", "Downloads"):
        assert heading in report.page.headings


def test_title(made):
    assert made("balanced").page.headings[0] == "balanced"
    assert made("boundary").page.headings[0] == "Self-esteem"
    assert made("awkward").page.headings[0] == "*A* | <b>title</b> $x$"


def test_figures_have_alternatives_and_all_have_captions(report):
    for image in report.page.images:
        assert re.fullmatch(r"\S.{20,}[.]", image["alt"]), image
    numbers: dict[str, list[int]] = {"Figure": [], "Table": []}
    for where, caption in report.page.captions:
        kind, number, _ = re.match(
            r"(Figure|Table)\u00a0(\d+): (\S.*[.])$", caption.strip()
        ).groups()
        assert where.startswith({"Figure": "fig-", "Table": "tbl-"}[kind])
        numbers[kind].append(int(number))
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1))
    assert len(numbers["Figure"]) == len(report.page.images)
    absent = report.name not in UNEQUAL
    # Where all predictions are 0 there is nothing to draw of them.
    absent += 2 * report.json("mixed")["boundary"]
    # What the answer's figure shows is not shown again.
    absent += report.name.startswith("mean")
    assert len(report.page.images) == len(OF_STUDY) - absent


def test_no_link_leads_nowhere(report):
    ids = report.page.ids
    assert len(ids) == len(set(ids))
    anchors = {a["href"][1:] for a in report.page.links if a["href"].startswith("#")}
    assert anchors
    assert anchors <= set(ids)


def test_downloads_are_the_files(report):
    carried = {
        link["download"]: base64.b64decode(link["href"].partition("base64,")[2])
        for link in report.page.links
        if "download" in link
    }
    files = {path.name: path.read_bytes() for path in (report.folder / "tables").iterdir()}
    shown = (report.folder / "report" / "tables").iterdir()
    assert {path.name for path in shown} == {*files, *map("{}_rounded.csv".format, ROUNDED)} | {
        "data.csv"
    }
    for name in ("data.csv", *map("{}_rounded.csv".format, ROUNDED)):
        files[name] = (report.folder / "report" / "tables" / name).read_bytes()
    for name in ("report.qmd", "provenance.json"):
        files[name] = (report.folder / "report" / name).read_bytes()
    assert carried == files


def test_variance_components(report):
    mixed = report.json("mixed")
    intervals = {row["parameter"]: row for row in mixed["intervals"]}
    *shown, icc = report.table("tbl-variances")
    for cells, row, ml in zip(shown, mixed["varcorr"], mixed["ml_varcorr"], strict=True):
        check(cells[1], row["sdcor"])
        check(cells[2], ml["sdcor"])
        found = intervals[row["parameter"]]
        assert found["estimate"] == pytest.approx(row["sdcor"], rel=1e-9)
        check_range(cells[3], found["profile_low"], found["profile_high"], 3)
    assert icc[0] == "ICC"
    check(icc[1], mixed["icc"], 3)
    for row, fit in zip(report.table("tbl-likelihoods"), (mixed, mixed["ml"]), strict=True):
        assert row[0] == fit["method"]
        for cell, key in zip(row[1:], ("llf", "aic", "bic"), strict=True):
            check(cell, fit[key], 6)


def test_coefficients(report):
    found = report.table("tbl-coefficients")
    for row, coefficient in zip(found, report.json("mixed")["coefficients"], strict=True):
        term, estimate, t, p, interval = row
        assert term == " ".join(coefficient["term"].split())
        check_both(estimate, coefficient["estimate"], coefficient["se"])
        check_both(t, coefficient["t"], coefficient["df"], 3)
        check_p(p, coefficient["p"])
        low, high = interval.split(" to ")
        check(low, coefficient["ci_low"])
        check(high, coefficient["ci_high"])


def test_tests_of_terms(report):
    tests = report.json("mixed")["anova"]
    assert ("tbl-tests" in report.page.ids) == bool(tests)
    for row, test in zip(report.page.tables.get("tbl-tests", [[]])[1:], tests, strict=True):
        assert row[0] == test["term"]
        check(row[1], test["F"])
        assert int(row[2]) == test["df_num"]
        check(row[3], test["df_den"], 3)
        check_p(row[4], test["p"])


def test_effects_means_and_contrasts(report):
    level1, mixed = report.json("level1"), report.json("mixed")
    effects = report.page.tables.get("tbl-effects", [[]])[1:]
    for row, effect in zip(effects, level1["condition_effects"], strict=True):
        assert row[0] == " ".join(str(effect["condition"]).split())
        check(row[1], effect["estimate"])
        check(row[2], effect["se"], 3)
    contrasts = report.page.tables.get("tbl-contrasts", [[]])[1:]
    for row, contrast in zip(contrasts, mixed["contrasts"] if contrasts else [], strict=True):
        check_both(row[1], contrast["estimate"], contrast["se"])
        check_both(row[2], contrast["t"], contrast["df"], 3)
        check_p(row[3], contrast["p"])
    if len(mixed["means"]) in (2, 3, 4):
        assert len(contrasts) == len(mixed["contrasts"])
        assert len(effects) == len(mixed["means"])


def test_three_methods(report):
    comparison = report.json("comparison")
    found = report.table("tbl-comparison")
    for row, quantity in zip(found, comparison["table"], strict=True):
        for cell, method in zip(row[1:4], ("two_stage", "mixed", "anova"), strict=True):
            check(cell, quantity[method], 6)
        difference = quantity["difference"]
        if difference is not None and difference <= 1e-8:
            assert row[4] == "rounding"
        else:
            check(row[4], difference, 2)
    assert report.says("They agree:") == comparison["agree"]
    assert report.says("They differ") == (not comparison["agree"])


def test_why_methods_differ(made):
    assert made("boundary").says("They differ because the fit is on the boundary.")
    assert made("boundary").says("F of condition is 65.26 under REML and 55.47 in the ANOVA")
    assert made("unbalanced").says("no exact ANOVA exists: the design is not balanced.")
    assert made("unbalanced").says("takes effects within subjects from differences within subjects")
    assert not made("mean_unbalanced").says("effects within subjects")
    assert made("curve").says("They agree:")


def test_anova(report):
    anova = report.json("anova")
    assert ("tbl-anova" in report.page.ids) == anova["available"]
    if not anova["available"]:
        assert report.says(anova["reason"])
        return
    found = report.table("tbl-anova")
    for stratum in anova["strata"]:
        (row,) = [r for r in found if r[0] == stratum["stratum"] and r[1].startswith("error")]
        check(row[2], stratum["ss"], 5)
        assert int(row[3]) == stratum["df"]
        check(row[4], stratum["ms"], 5)
    for term in anova["table"]:
        (row,) = [r for r in found if r[:2] == [term["stratum"], term["term"]]]
        check(row[5], term["F"])
        check_p(row[6], term["p"])
    for row, term in zip(report.table("tbl-effect-sizes"), anova["table"], strict=True):
        assert row[0] == term["term"]
        for size, interval, name in (
            (*row[1:3], "partial_eta2"),
            (*row[3:], "generalised_eta2"),
        ):
            check(size, term[name], 3)
            ends = (term[f"{name}_low"], term[f"{name}_high"])
            for text, end in zip(interval.split(" to "), ends, strict=True):
                check(text, end, 3)
    assert len(found) == len(anova["strata"]) + len(anova["table"])
    assert report.says("assume sphericity") == bool(anova["sphericity"])
    tests = {row["term"]: row for row in report.json("mixed")["anova"]}
    both = report.page.tables.get("tbl-strata", [[]])[1:]
    for mixed, by_anova, term in zip(
        both[::2], both[1::2], report.json("comparison")["tests"], strict=True
    ):
        check(mixed[3].split(" (")[0], tests[term["term"]]["F"])
        check(by_anova[3].split(" (")[0], term["F_anova"])
        assert by_anova[5] == ("agree" if term["agree"] else "differ")
    corrected = [row for row in anova["sphericity"] if row["contrasts"] > 1]
    for row, term in zip(
        report.page.tables.get("tbl-sphericity", [[]])[1:], corrected, strict=True
    ):
        check(row[1], term["mauchly_w"], 3)
        check(row[3], term["gg_epsilon"], 3)
        check_p(row[4], term["p_gg"])
        check_p(row[6], term["p_hf"])


def test_truth(report):
    truth = report.folder / "truth.json"
    assert ("tbl-truth" in report.page.ids) == truth.exists()
    assert report.says("The data are simulated") == truth.exists()
    if not truth.exists():
        return
    truth, mixed = report.json("truth"), report.json("mixed")
    mean, *rest = report.table("tbl-truth")
    levels = len(truth["condition_effects"])
    effects, (between, *others, within) = rest[:levels], rest[levels:]
    entered = truth["entered"]
    check(mean[1], entered["grand_mean"])
    check(mean[2], truth["grand_mean"])
    check(mean[3], mixed["grand_mean"]["estimate"])
    for row, (level, effect) in zip(effects, truth["condition_effects"].items(), strict=True):
        assert row[0].endswith(f" of {level}")
        check(row[1], entered["effects"]["condition"][level])
        check(row[2], effect)
    check(between[3], mixed["sigma_between"] ** 2)
    check(within[1], truth["sigma_within"] ** 2)
    assert len(others) == (report.name == "replicates")  # whose model has own effects
    for row in others:
        assert row[0] == "SD of subjects’ own effects of condition"
        check(row[2], 0.0)


def test_boundary_is_explained_where_it_occurs(report):
    mixed = report.json("mixed")
    assert mixed["boundary"] == (report.name in ("boundary", "mean_boundary", "binary"))
    for words in (
        "Subjects differ no more than the scatter within subjects",
        "It is a result, not a failure",
        "The likelihood is highest at",
        "all predictions are 0",
        "At the boundary the two are the same",
    ):
        assert report.says(words) == mixed["boundary"], words
    assert report.says("A boundary fit") == mixed["boundary"]
    clear = mixed["between_variance"]["p"] < 0.05
    assert report.says("Subjects differ from one another") == clear
    assert report.says("The data do not clearly show that subjects differ:") == (
        not clear and not mixed["boundary"]
    )
    assert report.says("The estimate is truncated at 0") == report.json("hierarchical")["truncated"]


def test_imbalance_is_explained_where_it_occurs(report):
    balanced = report.json("design")["balanced"]
    assert balanced == (report.name not in (*UNEQUAL, "mean_unbalanced"))
    assert report.says("The design is balanced.") == balanced
    assert report.says("The design is not balanced") == (not balanced)
    # A covariate that changes within subjects allows none either.
    none = report.name == "named_term" or not (balanced or report.name in FILLED)
    assert report.says("no exact ANOVA exists") == none
    assert report.says("so it has no exact F test") == (none and report.name in UNEQUAL)
    assert report.says("here it takes the mean of each cell") == (report.name in FILLED)


def test_imbalance_in_words(made):
    assert made("unbalanced").says("of its 36 cells (one subject under one level), 8 are empty")
    assert made("dropped").says(
        "of its 9 cells (one subject under one level), 1 is empty, in 1 sub"
    )
    assert made("dropped").says(
        "1 row of 9 was left out because a value is missing (missing: 1 in y)"
    )
    assert made("repeated").says("holds between 1 and 2 observations")
    assert made("repeated").says("1 cell of 9 holds more than one row")
    assert made("mean_unbalanced").says("between 1 and 3 from a subject. The design is not bal")
    assert made("blocks").says("2 from each subject. The design is not balanced")


def test_what_one_subject_supports(made):
    for name in ("balanced", "boundary", "unbalanced", "split_plot", "factor", "twenty"):
        assert made(name).says("The fit is saturated"), name
        assert not made(name).says("support more than an intercept"), name
    assert made("balanced").says("has 3 coefficients for 3 observations: 0 residual degrees of")
    assert made("replicates").says("response ~ condition leaves 4 residual degrees of freedom")
    assert made("replicates").says("an effect of each level of condition: ")
    # A line through ten observations leaves eight degrees of freedom: nothing is saturated.
    assert made("numeric").says("would be saturated")
    assert made("numeric").says("a slope of condition: 18 of 18 subjects have three different")
    assert made("numeric").says("gives 2 coefficients of its own, which leave 8 residual degrees")
    assert made("mean").says("y ~ 1 is its mean")
    assert made("mean_unbalanced").says("A single observation has no residual")


def test_every_subjects_own_effects_raw_and_corrected(made):
    """Of lines through balanced data, the corrected variances are those of lme4."""
    numeric = made("numeric")
    assert numeric.says("slopes of condition average 10.47 (standard deviation 6.56)")
    intercepts, slopes, covariance = numeric.table("tbl-corrected")
    for row, expected in (
        (intercepts, (838.34, 226.25, 612.0899)),
        (slopes, (43.010, 7.9387, 35.07166)),
        (covariance, (-26.120, -35.724, 9.604333)),
    ):
        for shown, value in zip(row[1:], expected, strict=True):
            check(shown, value)
    assert numeric.json("hierarchical")["own"]["proper"]
    strata = made("strata")
    assert len(strata.table("tbl-mean-squares")) == 3
    assert [row[0] for row in strata.table("tbl-corrected")] == [
        "variance of means",
        "variance of effects of flanker",
        "variance of effects of block",
    ]
    assert "own" not in made("balanced").json("level1")


def summary(report) -> str:
    """What was found, with single blanks."""
    text = flat(report)
    return text[text.index("What was found") : text.index(" Design and data ")]


def test_a_paper_has_every_number(report):
    mixed, text = report.json("mixed"), flat(report)
    text = text[text.index("Text, tables, references and code") :]
    for row in mixed["anova"]:
        words = term_in_words(row["term"], mixed["terms"][row["term"]])
        assert re.search(rf"{re.escape(words[1:])}( where [^.]*)? (was|could not be)", text)
    assert f"({mixed['nobs']:,} observations)" in text
    scripts = re.findall(r'<pre[^>]*class="sourceCode (\w+)', report.html)
    assert scripts[:3] == ["r", "python", "bibtex"]


def test_spreads_under_levels_have_the_conditions_name(made):
    said = " ".join(made("numeric").page.text.split())
    assert re.search(r"runs from [\d.]+ \(condition \d\) to [\d.]+ \(condition \d\)", said)


def test_an_interaction_comes_first(made):
    found = summary(made("split_plot"))
    captions = dict(made("split_plot").page.captions)
    table = captions["tbl-within-1"].strip().partition(":")[0].replace("\u00a0", " ")
    assert found.startswith(
        "What was found The effect of condition on y depends on group (interaction: Kenward–Roger "
        "test: F(4, 84) = 110.19, p < .001): from t1 to t3, mean y changes by "
        f"−0.580 (grp1), −1.12 (grp2) and −3.45 (grp3) (all differences: {table}). On average "
        "over group, mean y differs between the levels of condition"
    )
    assert made("split_plot").html.count("<strong>The effect of condition") == 1
    assert "per unit of condition, mean y changes by" in summary(made("uneven_slopes"))
    for name, study in ((n, made(n)) for n in STUDIES if n not in MORE):
        first = summary(study).startswith("What was found The effect of")
        assert first == (name in ("split_plot", "ninety", "age", "uneven_slopes")), name
    assert summary(made("uneven_slopes")).count("depends on group") == 1


def test_which_levels_differ(made, report):
    text = summary(report)
    assert "All 3 pairs of levels differ (Holm-adjusted p < .05)." in summary(made("balanced"))
    assert "(Tukey-adjusted p < .05)" in summary(made("tukey"))
    assert (
        "Pairs that differ (Holm-adjusted p < .05): T2 above T1 and T2 above T4; the others are "
        "not told apart."
    ) in summary(made("unbalanced"))
    assert "Of 190 pairs of levels, 6 differ" in summary(made("twenty"))
    # Every pair that is named differs, in the direction that is named.
    contrasts = {row["contrast"]: row for row in report.json("mixed")["contrasts"]}
    for high, low in re.findall(r"(\w+) above (\w+)", text):
        signs = [(f"{high} - {low}", 1), (f"{low} - {high}", -1)]
        ((row, sign),) = [(contrasts[k], sign) for k, sign in signs if k in contrasts]
        assert row["estimate"] * sign > 0
        assert row["p"] < 0.05


def test_failing_sphericity_is_in_the_headline(report):
    rows = report.json("anova")["sphericity"] if report.json("anova")["available"] else []
    level = report.json("mixed")["level"]
    fails = any(row["mauchly_p"] is not None and row["mauchly_p"] < 1 - level for row in rows)
    assert fails == (report.name in ("factor", "awkward", "ninety"))
    assert ("Mauchly’s test of sphericity" in summary(report)) == fails
    if report.name == "factor":
        (row,) = rows
        assert row["df_num_gg"] == pytest.approx(9 * row["gg_epsilon"])
        assert row["df_den_gg"] == pytest.approx(153 * row["gg_epsilon"])
        assert "correction, F(3.32, 56.46) = 18.70, p < .001; without it, Kenward" in summary(
            report
        )


def test_what_diagnostics_warn_of_is_to_be_checked(report):
    looks = report.json("checks")["diagnostics"]["looks"]
    warnings = {
        "residual": "residuals are not normal",
        "random effect": "predicted random effects are not normal",
        "spread": "residuals do not spread equally (",
    }
    p = {key: (looks.get(key) or {"p": None})["p"] for key in (*warnings, "conditions")}
    both = [p[key] for key in ("spread", "conditions") if p[key] is not None]
    p["spread"] = len(both) * min(both) if both else None  # one assumption, looked at twice
    warned = {key for key in warnings if p[key] is not None and p[key] < 0.05}
    if report.json("checks")["response_values"]:  # of a response of few values these say nothing
        warned -= {"residual", "spread"}
    assert {key for key, words in warnings.items() if words in summary(report)} == warned
    assert ("Check before you trust it" in summary(report)) == bool(warned)
    assert "ICC, the share of variance that lies between subjects, is also" in summary(report)


def test_headline_names_the_test_and_claims_no_more_than_it_shows(made):
    balanced = made("balanced").json("mixed")["anova"][0]
    assert balanced["p"] < 1e-4
    assert made("balanced").says("Mean y differs between the levels of condition")
    assert made("balanced").says("(Kenward–Roger test: F(2, 28) = 489.73, p < .001)")
    assert made("numeric").says(
        "Mean y rises by 10.47 ms per unit of condition (95 % interval 7.206 to 13.73; "
        "Kenward–Roger test: F(1, 17) = 45.85, p < .001)"
    )
    assert made("ninety_slopes").says(
        "Mean y rises by 10.47 ms per unit of condition (with all own effects that subjects’ data "
        "support, Kenward–Roger test: F(1, 17) = 45.85, p < .001)."
    )
    assert made("uneven_slopes").says("On average over group, mean y falls by ")
    assert made("factor").says("Mean y differs between the levels of condition")
    # With two terms of the condition neither is the test of the condition.
    assert not made("curve").says("Wald test by REML")
    assert not made("awkward").says("They average over")
    for name, study in ((n, made(n)) for n in STUDIES if n not in MORE):
        terms = {row["term"]: row["p"] for row in study.json("mixed")["anova"]}
        clear = study.says("differs between the levels") or study.says("Mean y rises by")
        if len(terms) == 1:
            (p,) = terms.values()
            if p is None or study.says("with all own effects"):
                continue
            assert clear == (p < 0.05), name
            assert study.says("show no clear difference") == (p >= 0.05), name


def test_tests_at_0_of_a_number_are_called_so(made):
    """Of a factor that interacts with it, where means are those at the number's mean."""
    report = made("age")
    assert report.json("mixed")["held_at_zero"] == {"condition": ["age"]}
    assert report.says("(Kenward–Roger test where age is 0: F(2,")
    assert report.says("in car and afex: condition where age is 0. Means and")
    assert not made("split_plot").says("where group is 0")
    assert not made("split_plot").says("tested where that number is 0")


def test_what_subjects_with_one_row_add(made):
    words = "A subject with one observation shows no difference within itself"
    assert made("age").says("and 1 of these has one observation only")
    assert made("age").says(words)
    assert not made("dropped").says(words)


def test_a_model_that_pools_strata_differs_from_the_anova_and_says_why(made):
    words = (
        "terms within subjects stand against one error, where the ANOVA gives each effect its own"
    )
    assert made("two_within").says(words)
    assert not made("split_plot").says(words)


def test_every_term_is_in_the_headline(made):
    assert re.search(r"(effect of|on) group \(Kenward–Roger test: F\(", flat(made("split_plot")))
    # Dots for what the formula has besides the condition; all of one group share an interaction.
    assert made("split_plot").says("effects αj that all share on average")
    assert not made("balanced").says("on average")


def test_mean_without_condition(made):
    for name in ("mean", "mean_boundary", "mean_unbalanced"):
        assert made(name).says("The grand mean of y is")
        assert "α" not in made(name).page.text
        assert "Conditions" not in made(name).page.headings
    variance = made("mean").json("checks")["covariance"]["implied"][0][0]
    assert made("mean").says(f"has the variance {variance:.0f}; observed was")


def test_units_stand_behind_their_numbers(made):
    assert made("mean").says("standard deviation of 42.0 g")
    assert made("boundary").says("means, in points, are 3.140 (t1)")
    assert made("numeric").says("rises by 10.47 ms per unit")
    assert "unit" not in made("balanced").page.text


def test_methods_are_named_and_hold_what_they_say(report):
    for words in ("ordinary least squares", "restricted maximum likelihood (REML)", "two-stage"):
        assert report.says(words)
    assert report.says("Type III F tests by REML, with Kenward and Roger’s covariance") == bool(
        report.json("mixed")["anova"]
    )
    design, level1 = report.json("design"), report.json("level1")
    used = design["n_observations"] - level1["df_resid"]
    assert report.says(f"took up {used} of {design['n_observations']} degrees of freedom")


def test_provenance(report):
    for program in ("twolevel", "Python", "numpy", "snakemake"):
        assert program in {row[0] for row in report.table("tbl-versions")}
    sums = {row[0]: row[1] for row in report.table("tbl-checksums")}
    tables = list((report.folder / "tables").iterdir())
    data = STUDIES[report.name].get("data")
    if data:
        read = next(p for p in (Path(data), report.folder / Path(data).name) if p.exists())
        assert sums.pop(f"{read.name}, read") == sha256(read)
    tables = {path.name: sha256(path) for path in tables}
    assert sums.items() >= tables.items()
    # And all else that the page carries: rounded tables, and observations that are shared.
    carried = (report.folder / "report" / "tables").iterdir()
    withheld = {"data.csv"} if report.says("data.csv, the observations:") else set()
    assert sums == {path.name: sha256(path) for path in carried if path.name not in withheld}
    assert f"{report.name}:\n" in report.page.text
    assert report.says(f"snakemake results/{report.name}/report.html")
    assert report.says("Rendered by Pandoc 3")


def test_text_from_the_data_is_text(made):
    awkward = made("awkward")
    assert [row[0] for row in awkward.table("tbl-effects")] == list(
        awkward.json("design")["per_condition"]
    )
    assert awkward.says("Take subject @fig-x {{< 1 >}} \\ <i>, with 3 observations.")
    assert awkward.says("The means, in |m|^2 & `s`, are")
    assert "<i>" not in awkward.html.replace("&lt;i&gt;", "")


def test_csv_tables_open(report):
    for path in (report.folder / "tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, *body = csv.reader(file)
        assert header
        assert all(len(row) == len(header) for row in body)


def test_same_bytes_again(made, tmp_path):
    build("split_plot", tmp_path)
    first = made("split_plot").folder
    for file in ("report/report.qmd", "report.html"):
        assert (tmp_path / file).read_bytes() == (first / file).read_bytes()


def check_range(cell: str, low: float, high: float, digits: int = 4) -> None:
    """Check that a cell shows an interval."""
    ends = cell.split(" to ")
    check(ends[0], low, digits)
    check(ends[1], high, digits)


def test_intervals_of_all_parameters(report):
    intervals = report.json("mixed")["intervals"]
    assert [row["parameter"] for row in intervals[:3]] == ["sigma_between", "sigma_within", "icc"]
    for cells, row in zip(report.table("tbl-intervals"), intervals, strict=True):
        check(cells[1], row["estimate"])
        check_range(cells[2], row["profile_low"], row["profile_high"], 3)
        check_range(cells[3], row["percentile_low"], row["percentile_high"], 3)
        check_range(cells[4], row["bca_low"], row["bca_high"], 3)


def test_boundary_refits_are_counted(report):
    bootstrap = report.json("mixed")["bootstrap"]
    assert bootstrap["refits"] == 10_000
    count = bootstrap["boundary_refits"]
    words = f"{count:,} gave an estimate" if count else "not one gave an estimate"
    assert report.says(f"Of 10,000 data sets simulated from the fitted model, {words}")


def test_the_test_of_the_variance_between_subjects(report):
    test = report.json("mixed")["between_variance"]
    assert report.says("the data say nothing") == (test["statistic"] == 0)
    assert report.says("The data show differences between subjects.") == (test["p"] < 0.05)
    assert report.says("do not clearly show that subjects differ") == (
        test["p"] >= 0.05 and test["statistic"] > 0
    )
    if test["statistic"] > 0:
        shown = re.search(r"is simulated: p ([<=>]) (\S+) \(exact test", flat(report))
        check_p(shown[2] if shown[1] == "=" else f"{shown[1]} {shown[2]}", test["p"])


def flat(report: Report) -> str:
    """The page's text with single blanks."""
    return " ".join(report.page.text.split())


def test_what_is_explained(report):
    mixed = report.json("mixed")
    shares = re.findall(
        r"([\d.]+(?: × 10\S+)?) % (?:of the variance \(m|\(cond|of the variance \(c)", flat(report)
    )
    kinds = ["marginal", "conditional"] if mixed["anova"] else ["conditional"]
    for shown, kind in zip(shares, kinds, strict=True):
        check(shown, 100 * mixed["r2"][kind], 3)
    shown = re.search(r"The design effect is ([\d.]*\d)", flat(report))[1]
    check(shown, mixed["design_effect"], 3)


def test_every_plot_has_its_sentence(report):
    checks, labels = report.summary("checks", ChecksSummary), report.json("design")["columns"]
    sentences = remarks(
        checks.diagnostics, labels.get("condition"), checks.response_values, checks.level
    )
    assert len(sentences) == 3 + ("neighbours" in checks.diagnostics.looks)
    for sentence in sentences.values():
        assert report.says(" ".join(plain(sentence).replace("'", "’").split()))


def test_the_most_influential_subject_is_named(report):
    influence = report.json("mixed")["influence"]
    with (report.folder / "tables/influence.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    distances = {row["subject"]: float(row["cooks_distance"] or "nan") for row in rows}
    known = {key: value for key, value in distances.items() if not math.isnan(value)}
    assert influence["not_estimable"] == len(distances) - len(known)
    assert report.says("the model could not be fitted") == (len(known) < len(distances))
    if known:
        first = max(known, key=known.get)
        assert influence["subjects"][0]["subject"] == first
        assert report.says(
            "The fixed effects change most without subject " + " ".join(first.split())
        )


def test_witnesses_stand_beside(report):
    mixed = report.summary("mixed", MixedSummary)
    condition = report.json("design")["columns"].get("condition")
    witnesses = report.summary("checks", ChecksSummary).witnesses
    for cells, row in zip(report.table("tbl-witnesses"), witnesses, strict=True):
        assert cells[0] == f"{row.witness} ({row.method})"
        check(cells[1], row.sigma_between)
        check(cells[3], row.llf, 6)
        check(cells[5], row.F)
        sentence = witness_in_words(row, mixed, condition)
        assert report.says(sentence.replace("'", "’")) or report.says(sentence)
        assert row.status != "higher"


def test_further_factors_have_means_and_contrasts(made):
    report = made("split_plot")
    (factor,) = report.json("mixed")["factors"]
    assert factor["factor"] == "group"
    for cells, row in zip(report.table("tbl-means-1"), factor["means"], strict=True):
        assert cells[0] == row["level"]
        check(cells[1], row["estimate"])
        check_range(cells[4], row["ci_low"], row["ci_high"])
    for cells, row in zip(report.table("tbl-differences-1"), factor["contrasts"], strict=True):
        check_both(cells[1], row["estimate"], row["se"])
        check_range(cells[4], row["ci_low"], row["ci_high"])
    within = factor["within"]["contrasts"]
    assert len(within) == 9
    for cells, row in zip(report.table("tbl-within-1"), within, strict=True):
        assert cells[:2] == [row["level"], row["contrast"]]
        check_both(cells[2], row["estimate"], row["se"])
    with (report.folder / "tables/contrasts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["of"], row["within"]) for row in rows].count(("condition", "group grp1")) == 3
    assert len(rows) == 3 + 3 + 9
    assert made("balanced").json("mixed")["factors"] == []


def test_captions_name_a_second_factor_within_subjects_and_one_between(made):
    assert made("strata").says("with the mean of each cell of flanker and block on top.")
    assert made("balanced").says("with the mean of each level of condition on top.")
    assert made("age").says("Means of y by condition, and by group beside, from the mixed model")
    (image,) = (i for i in made("age").page.images if i["alt"].startswith("Means with intervals"))
    assert "treated" in image["alt"]


def test_the_figure_of_means_says_that_it_shows_groups(made):
    report = made("split_plot")
    (image,) = (i for i in report.page.images if i["alt"].startswith("Means with intervals"))
    assert report.says("by condition for each level of group from the mixed model")
    (factor,) = report.json("mixed")["factors"]
    assert image["alt"].count(" to ") == len(factor["within"]["means"]) == 9
    assert "grp3, t3 13.56 (" in image["alt"]
    assert not made("balanced").says("for each level of")


def sources(**given: Any) -> StudySources:
    """Those that a figure needs, and nothing for the others."""
    return StudySources(**dict.fromkeys(field.name for field in fields(StudySources)) | given)


def test_the_figure_of_means_takes_the_groups_from_the_fit(made, monkeypatch):
    monkeypatch.setattr(condition_means, "condition_means", lambda *drawn, **more: drawn)

    def drawn(name):
        report = made(name)
        table = read_observations(report.folder / "observations.parquet")
        given = {"observations": table.data, "columns": table.columns}
        return condition_means.draw(sources(**given, mixed=report.summary("mixed", MixedSummary)))

    data, _, _, groups, factor = drawn("split_plot")
    assert factor == "group"
    assert set(data["group"]) == set(groups["group"]) == {"grp1", "grp2", "grp3"}
    assert groups["condition"].tolist() == ["t1", "t2", "t3"] * 3
    assert {"estimate", "ci_low", "ci_high"} <= set(groups)
    assert len(drawn("balanced")) == 3
    monkeypatch.setattr(groups_of_means, "MOST_GROUPS", 2)
    assert len(drawn("split_plot")) == 3


def test_figures_have_each_observations_own_fixed_part(made):
    for name in ("split_plot", "numeric", "uneven_slopes"):
        folder = made(name).folder
        table = pd.read_parquet(folder / "residuals.parquet")
        effects = pd.read_parquet(folder / "random_effects.parquet").set_index("subject")
        effects = effects.loc[table["subject"].astype(str)].reset_index(drop=True)
        if name == "numeric":
            own = effects["(Intercept)"] + effects["condition"] * table["condition"]
        else:
            own = effects["random_effect"]
        np.testing.assert_allclose(table["fixed"] + own, table["fitted"], rtol=1e-12)
    line = table.groupby("subject", observed=True)["fixed"].diff().dropna().round(6)
    assert line.nunique() == 3  # one slope in each group, times half a unit


def test_the_figure_of_means_knows_the_users_names(monkeypatch):
    monkeypatch.setattr(condition_means, "condition_means", lambda *drawn, **more: drawn)
    columns = {"subject": "id", "condition": "group", "response": "y", "x": "sex"}
    data = pd.DataFrame([["1", "a", 1.0, "f"]], columns=list(columns))
    own = mean("a", 1.0)
    factor = {"factor": "sex", "term": "sex", "contrasts": []}
    factor |= {"means": [mean("f", 1.0, "level"), mean("m", 2.0, "level")]}
    factor |= {"within": {"means": [{"level": "f"} | own], "contrasts": [], "slopes": None}}
    mixed = example_summaries.mixed(means=[own], factors=[factor])
    given, *_, groups, name = condition_means.draw(
        sources(observations=data, columns=columns, mixed=mixed)
    )
    assert groups[["group", "condition"]].to_numpy().tolist() == [["f", "a"]]
    assert given["group"].tolist() == ["f"]
    assert name == "sex"


def test_the_adjustment_is_the_studys_own(made):
    holm, tukey = made("balanced"), made("tukey")
    assert holm.page.tables["tbl-contrasts"][0][3] == "p (Holm)"
    assert holm.says("p values adjusted by Holm’s method, intervals by Bonferroni’s")
    assert tukey.page.tables["tbl-contrasts"][0][3] == "p (Tukey)"
    assert tukey.says("p values and intervals adjusted by Tukey’s method")
    ps = [study.json("mixed")["contrasts"][0] for study in (holm, tukey)]
    assert ps[0]["estimate"] == ps[1]["estimate"]
    assert ps[0]["p"] != ps[1]["p"]
    assert ps[0]["ci_low"] < ps[1]["ci_low"]  # Tukey's intervals are the narrower


@pytest.mark.parametrize("name", ["ninety", "ninety_slopes"])
def test_everything_is_of_the_studys_level(made, name):
    report = made(name)
    shown = flat(report) + " ".join(image["alt"] for image in report.page.images)
    # An interval may end at 0.05.
    assert not re.search(r"(?<![\d.])9?5 ?%|(?<![\[−])\b0\.05\b(?!\])|\b1\.96\b", shown)
    assert "90 % interval" in shown
    mixed, checks = report.json("mixed"), report.json("checks")
    assert mixed["level"] == checks["level"] == 0.9
    for row in [
        *(mixed["grand_mean"], *mixed["coefficients"], *mixed["means"], *mixed["slopes"]),
        *(row for factor in mixed["factors"] for row in factor["means"]),
    ]:
        half = stdtrit(row["df"], 0.95) * row["se"]
        ends = row["estimate"] - half, row["estimate"] + half
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends, rel=1e-9)
    for row in mixed["contrasts"]:  # Bonferroni's intervals
        half = stdtrit(row["df"], 1 - 0.1 / 2 / len(mixed["contrasts"])) * row["se"]
        assert row["ci_high"] == pytest.approx(row["estimate"] + half, rel=1e-9)
    curves = pd.read_parquet(report.folder / "profile.parquet").groupby("parameter")
    for row in mixed["intervals"][:3]:
        curve = curves.get_group(row["parameter"])
        zeta = np.interp([row["profile_low"], row["profile_high"]], curve["value"], curve["zeta"])
        assert zeta == pytest.approx([-1.6449, 1.6449], abs=0.01)


def test_a_level_is_of_its_study_alone(made):
    names = "split_plot", "ninety"
    wide, narrow = (made(name).json("mixed") for name in names)
    for one, other in zip(wide["intervals"], narrow["intervals"], strict=True):
        for kind in ("profile", "percentile", "bca"):
            assert one[f"{kind}_low"] < other[f"{kind}_low"]
            assert other[f"{kind}_high"] < one[f"{kind}_high"]
        assert one["estimate"] == other["estimate"]
    envelopes = [pd.read_parquet(made(name).folder / "quantiles.parquet") for name in names]
    wide, narrow = (points["high"] - points["low"] for points in envelopes)
    assert (narrow < 0.9 * wide).all()


def test_what_an_intercept_pools_is_said_at_the_headline(made):
    """Also where the ANOVA's table is gone; without such effects nothing of this is said."""
    for name in ("two_errors", "two_errors_missing", "two_within", "trials", "curve"):
        found = summary(made(name))
        assert "Errors are pooled here: each subject’s data support" in found, name
        assert "ANOVA with partitioned errors give the same numbers" not in found, name
    assert "to have them on it, write (1 | subj) + (1 | subj:" in summary(made("two_errors"))
    for name in ("balanced", "split_plot", "age", "factor"):
        assert "Errors are pooled" not in summary(made(name)), name


def test_other_errors_are_those_of_a_witness(made):
    """R: afex::aov_ez(within = c("flanker", "block")) has 51.36, 0.340 and 0.801."""
    assert made("two_errors").json("checks")["witnesses"][2]["status"] == "agrees"
    tests = made("two_errors").json("checks")["witnesses"][2]["tests"]
    for test, F in zip(tests, (51.36, 0.3401, 0.8015), strict=True):
        assert test["F"] == pytest.approx(F, abs=5e-3)


def check_prose(report: Report) -> None:
    """Check that formulas, and names of strata as `id:time`, stand as code alone."""
    for line in report.page.lines:
        assert not re.search(r"\b(C|I|poly|center|log)\(", line), line
        assert not re.search(r"\w:\w", line), line


def test_no_formula_is_in_prose(report):
    check_prose(report)


def test_headlines_agree_with_the_test_that_stands_first(made):
    trials = summary(made("trials"))
    assert trials.startswith(  # R: lmerTest with (1 | subj) + (1 | subj:mood), Kenward-Roger
        "What was found The data show no clear difference in mean rt between the levels of mood "
        "(with all own effects that subjects’ data support, Kenward–Roger test: F(1, 7) = "
        "1.73, p = .230)."
    )
    assert "share one pooled error" in trials
    for name, study in ((n, made(n)) for n in STUDIES if n not in MORE):
        for said in re.findall(
            r"(no clear|No overall|There is no)?([^()]*) \((?:[^()]|\([^()]*\))*?p ([<=]) ([\d.]+)",
            summary(study).partition("Subjects differ")[0],
        ):
            if said[0] in ("no clear", "There is no"):
                assert float(said[3]) >= 0.05, (name, said)


def test_methods_are_said_to_differ_in_their_own_unit(report):
    assert not re.search(r"differ by up to|too large by [\d.]+ %", flat(report))


def test_what_is_never_compared_within_subjects_is_said(made):
    found = summary(made("disconnected"))
    assert "No overall test says whether mean y differs between the levels of time" in found
    assert "under levels of two of the sets t0 and t1; t2 and t3." in found
    assert "compared within subjects" not in summary(made("unbalanced"))


def test_a_response_of_two_values_needs_another_model(made):
    found = summary(made("binary"))
    assert "This model is not made for such a response: y takes 2 values only (0 and 1)" in found
    assert "lme4::glmer((y == 1) ~ condition + (1 | subject), family = binomial)" in found
    assert "residuals are not normal" not in found
    assert made("binary").says("The response takes 2 values only, so that residuals lie in as many")
    for name in ("balanced", "dropped", "dyestuff"):
        assert name not in STUDIES or "not made for" not in summary(made(name))


def test_errors_that_follow_one_another_are_told_from_slopes(made):
    """R (nlme, REML): AIC 1746.191 with corCAR1, 1755.628 with random slopes; Phi 0.6531336."""
    numeric = made("numeric")
    found = numeric.json("checks")["following"]
    assert found["rho"] == pytest.approx(0.6531336, abs=1e-4)
    assert found["aic_less"] == pytest.approx(1746.191 - 1755.628, abs=1e-3)
    for study in (numeric, made("ninety_slopes")):  # with slopes in the model, and without
        assert "Errors follow one another in the order of condition, which" in summary(study)


def test_two_subjects_leave_no_sigma_without_one_of_them(made):
    assert made("two_subjects").json("mixed")["influence"]["subjects"] is not None
    assert not made("two_subjects").says("Without it, x")


def test_pairs_with_errors_of_their_own(made):
    own, pooled = made("own_pairs"), made("balanced")
    assert own.says("Pairwise differences of marginal means, each with an error of its own")
    assert pooled.says("from the model and its pooled errors")
    rows = own.json("mixed")["contrasts"]
    assert {row["df"] for row in rows} == {14}
    # Whatever they are tested by, they are standardised by what subjects themselves differ by.
    for key in ("estimate", "d_z", "d_z_low", "d_av", "d_av_high"):
        ours, theirs = (
            [row[key] for row in study.json("mixed")["contrasts"]] for study in (own, pooled)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_standardised_differences(made):
    pooled = made("balanced")
    contrasts = pooled.json("mixed")["contrasts"]
    for row, contrast in zip(pooled.table("tbl-standardised"), contrasts, strict=True):
        check(row[1], contrast["d_z"], 3)
        check(row[3], contrast["d_av"], 3)
        for text, name in ((row[2], "d_z"), (row[4], "d_av")):
            for end, value in zip(text.split(" to "), ("low", "high"), strict=True):
                check(end, contrast[f"{name}_{value}"], 3)
    table = pd.read_csv(pooled.folder / "tables" / "contrasts.csv")
    np.testing.assert_allclose(table["d_av_low"], [row["d_av_low"] for row in contrasts], rtol=1e-9)
    assert "tbl-standardised" not in made("unbalanced").page.tables


def test_pairs_are_said_to_share_an_error_where_sphericity_fails(made):
    assert made("factor").says("These pairwise differences share one pooled error, although diff")
    assert made("factor").says("Greenhouse and Geisser’s epsilon 0.369")
    assert not made("balanced").says("share one pooled error")
