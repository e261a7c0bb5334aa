"""What is wrong with config or table is said in one line that names the place and the remedy."""

import base64
import csv
import html
import json
import platform
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from projects import SIMULATE, WHO

GOOD = "id,time,score\n1,a,1\n1,b,2.5\n2,a,3\n2,b,3.5\n3,a,2\n3,b,4\n"
REAL = {"formula": "score ~ time", "subject": "id"}


def simulated(**changes):
    return {"simulate": {**SIMULATE, **changes}}


# Each study of one config, with the words that its line has to hold.
CONFIGS = {
    "unknown-key": ({**simulated(), "tittle": "x"}, ["tittle", "unknown key", "title"]),
    "unknown-parameter": (simulated(sead=1), ["simulate.sead", "unknown key", "seed"]),
    "no-seed": (
        {"simulate": {k: v for k, v in SIMULATE.items() if k != "seed"}},
        ["simulate.seed", "missing", "write"],
    ),
    "seed-with-point": (simulated(seed=1.5), ["simulate.seed", "1.5", "an integer"]),
    "seed-as-text": (simulated(seed="x"), ["simulate.seed", '"x"', "an integer"]),
    "wrong-type": (simulated(subjects="many"), ["simulate.subjects", '"many"', "an integer"]),
    "negative-sigma": (simulated(sigma_between=-1), ["simulate.sigma_between", "at least 0"]),
    "sigma-of-zero": (simulated(sigma_within=0), ["simulate.sigma_within", "more than 0"]),
    "one-subject": (simulated(subjects=1), ["simulate.subjects", "at least 2"]),
    "one-condition": (simulated(conditions={"a": 0}), ["simulate.conditions", "at least 2"]),
    "both-kinds": ({**simulated(), **REAL, "data": "x.csv"}, ["simulate:", "data:", "not both"]),
    "wrong-choice": ({**REAL, "data": "x.csv", "missing": "skip"}, ["missing", "skip", "drop"]),
    "wrong-formula": ({**REAL, "data": "x.csv", "formula": "score ="}, ["formula", "score ="]),
    "Bad Name": (simulated(), ["Bad Name", "a-z, 0-9"]),
}
# Tables whose header is wrong (None: no file), which is found before any job is planned.
HEADERS = {
    "no-file": (None, {}, ["no such file", "data:"]),
    "empty": ("", {}, ["is empty", "expected a header"]),
    "no-column": ("id,tme,score\n1,a,1\n", {}, ['no column "time"', '"tme"']),
    "blanks": (GOOD.replace(",", " "), {}, ["no comma, semicolon, tab or bar", "save"]),
}
# Tables whose rows are wrong, which is found when they are loaded.
ROWS = {
    "header-only": ("id,time,score\n", {}, ["no rows", "add"]),
    "not-a-number": (
        GOOD.replace("3,b,4", "3,b,four"),
        {},
        ["row 6", '"score"', '"four"', "expected a number"],
    ),
    "a-comma": (GOOD.replace("2.5", '"2,5"'), {}, ["row 2", '"score"', "2.5"]),
    "missing": (GOOD.replace("2,a,3\n", "2,a,\n"), {}, ["row 3", '"score"', "missing: drop"]),
    "infinite": (GOOD.replace("2,a,3\n", "2,a,inf\n"), {}, ["row 3", '"score"', "finite"]),
    "lone": ("id,time,score\n1,a,1\n1,b,2\n1,c,4\n", {}, ['"id"', "one subject", "subject:"]),
    "one-level": ("id,time,score\n1,a,1\n1,a,2\n2,a,4\n2,a,5\n", {}, ['"time"', "two levels"]),
    "constant": (re.sub(r",[\d.]+\n", ",7\n", GOOD), {}, ['"score"', '"7', "varies"]),
    "doubled": (GOOD + "3,b,5\n", {}, ["rows 6, 7", '"3"', '"b"', "replicates: allow"]),
    "ragged": (GOOD.replace("2,a,3\n", "2,a,3,9\n"), {}, ["row 3", "4 fields"]),
}


def with_tables(project, tables, *more):
    """Write tables and a config with a study of each."""
    studies = dict(more)
    for name, (text, changes, _) in tables.items():
        if text is not None:
            (project.path / f"{name}.csv").write_text(text, encoding="utf-8")
        studies[name] = {"data": f"{name}.csv", **REAL, **changes}
    project.configure({"studies": studies, "report": {"renderer": "pandoc"}})


def made_by(project):
    """What a run has left of results."""
    return {name for name in project.files("results", "site")}


class TestConfig:
    """Found while the config is read: no job runs."""

    @pytest.fixture
    def refused(self, ran_once):
        def change(project):
            studies = {name: study for name, (study, _) in CONFIGS.items()}
            project.configure({"studies": studies, "reprot": {}, "report": {"renderer": "word"}})

        return ran_once("bad-config", change, ok=False)

    @pytest.mark.parametrize("name", CONFIGS)
    def test_one_line_names_place_and_remedy(self, refused, name):
        lines = [line for line in refused[1].lines if f"studies.{name}" in line.replace('"', "")]
        assert len(lines) == 1, refused[1].text
        for word in CONFIGS[name][1]:
            assert word in lines[0]

    def test_keys_beside_the_studies(self, refused):
        text = refused[1].text
        assert re.search(r"^config: reprot: unknown key \(did you mean \"report\"", text, re.M)
        assert re.search(r'^config: report.renderer: found "word".*pandoc', text, re.M)

    def test_nothing_else_is_said_or_done(self, refused):
        project, run = refused
        problems = [line for line in run.lines if line.startswith("config: ")]
        assert len(problems) == len(CONFIGS) + 2
        assert len(run.lines) <= len(problems) + 3
        assert "Traceback" not in run.text
        assert made_by(project) == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("studies:\n  a: {}\n  a: {}\n", ["line 3", '"studies.a"', "line 2", "rename"]),
        ("studies:\n\ta: 1\n", ["line 2: this is not YAML", "not with tabs"]),
        (b"title: caf\xe9", ["config/config.yaml: line 1", "not UTF-8", "save"]),
        (f"a: {'[' * 5000}", ["config/config.yaml: nested too deeply"]),
        ("__use_yte__: true\nx: ?open('ran', 'w')\n", ["the key __use_yte__", "run code"]),
        ('"\\x5f_use_yte__": true\nx: ?open("ran", "w")\n', ["the key __use_yte__", "run code"]),
    ],
)
def test_a_config_that_yaml_would_misread(fresh, text, words):
    content = text if isinstance(text, bytes) else text.encode()
    (fresh.path / "config/config.yaml").write_bytes(content)
    run = fresh.snakemake(ok=False)
    assert "Traceback" not in run.text
    for word in words:
        assert word in run.text
    assert made_by(fresh) == set()
    assert not (fresh.path / "ran").exists()


class TestHeader:
    """Found before any job is planned."""

    @pytest.fixture
    def refused(self, ran_once):
        def change(project):
            with_tables(project, HEADERS, ("fine", simulated()))

        return ran_once("bad-headers", change, ok=False)

    @pytest.mark.parametrize("name", HEADERS)
    def test_one_line_names_place_and_remedy(self, refused, name):
        lines = [line for line in refused[1].lines if name in line]
        assert len(lines) == 1, refused[1].text
        assert f"study {name}: {name}.csv: " in lines[0]
        for word in HEADERS[name][2]:
            assert word in lines[0]

    def test_nothing_else_is_said_or_done(self, refused):
        project, run = refused
        assert "Traceback" not in run.text
        assert len(run.lines) <= len(HEADERS) + 3
        assert made_by(project) == set()


def test_every_file_of_a_pattern_is_looked_at_before_any_job(fresh):
    (fresh.path / "parts").mkdir()
    for name, text in {"1": GOOD, "2": GOOD.replace("score", "scores"), "3": GOOD}.items():
        (fresh.path / f"parts/{name}.csv").write_text(text)
    fresh.configure({"studies": {"many": {"data": "parts/*.csv", **REAL}}})
    run = fresh.snakemake("-n", ok=False)
    assert (
        'study many: parts/2.csv: there is no column "score" (did you mean "scores"?)' in run.text
    )
    assert "Traceback" not in run.text


def test_tables_may_lie_anywhere_and_be_called_anything(fresh, tmp_path):
    """Absolute paths, those outside the project, and links."""
    (tmp_path / "outside.csv").write_text(GOOD)
    (fresh.path / "link.csv").symlink_to(tmp_path / "outside.csv")
    (fresh.path / "it's a [1] ü?.csv").write_text(GOOD)
    (fresh.path / "part 1.csv").write_text(GOOD)
    paths = {
        "absolute": str(tmp_path / "outside.csv"),
        "above": "../outside.csv",
        "link": "link.csv",
        "name": "it's a [1] ü?.csv",
        "pattern": "part*.csv",
    }
    studies = {name: {"data": path, **REAL} for name, path in paths.items()}
    fresh.configure({"studies": studies, "report": {"renderer": "pandoc"}})
    fresh.snakemake(*(f"results/{name}/loading.json" for name in paths))
    for name in paths:
        told = json.loads((fresh.path / f"results/{name}/loading.json").read_text())
        assert told["rows_read"] == 6
    (fresh.path / "link.csv").unlink()
    (fresh.path / "link.csv").symlink_to("link.csv")
    (fresh.path / "part {study}.csv").write_text(GOOD)
    run = fresh.snakemake(ok=False)
    assert "study link: link.csv: found a link to link.csv, which is not there" in run.text
    assert (
        'study pattern: found "part {study}.csv", of which Snakemake takes {study} for a variable'
        in run.text
    )
    assert "Traceback" not in run.text


class TestRows:
    """Found when the table is loaded; the run's other studies go on."""

    @pytest.fixture
    def refused(self, ran_once):
        def change(project):
            (project.path / "fine.csv").write_text(GOOD)
            with_tables(project, ROWS, ("fine", {"data": "fine.csv", **REAL}))

        targets = [f"results/{name}/observations.parquet" for name in [*ROWS, "fine"]]
        return ran_once("bad-rows", change, "--keep-going", *targets, ok=False)

    @pytest.mark.parametrize("name", ROWS)
    def test_one_line_names_place_and_remedy(self, refused, name):
        said = [line for line in refused[1].lines if f"study {name}:" in line]
        assert len(said) == 1, refused[1].text
        assert said[0].startswith(f"twolevel: study {name}: {name}.csv: ")
        for word in ROWS[name][2]:
            assert word in said[0]

    @pytest.mark.parametrize("name", ROWS)
    def test_the_log_says_the_same(self, refused, name):
        project, run = refused
        said = next(line for line in run.lines if f"study {name}:" in line)
        log = (project.path / f"logs/{name}/load_data.log").read_text()
        assert log == f"ERROR {said.removeprefix('twolevel: ')}\n"

    def test_no_traceback_no_partial_result_and_no_other_study_harmed(self, refused):
        project, run = refused
        assert "Traceback" not in run.text
        assert "Open" not in run.text
        assert made_by(project) == {
            f"results/fine/{file}" for file in ("observations.parquet", "loading.json")
        }


class Text(HTMLParser):
    """The text of a page without what is hidden from readers, its elements and tables' cells."""

    def __init__(self, page):
        super().__init__()
        self.hidden, self.parts, self.elements, self.cells = 0, [], [], []
        self.feed(page)
        self.text = " ".join("".join(self.parts).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.hidden += tag in ("script", "style")
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)
            if self.cells:
                self.cells[-1] += data


SUBJECTS = [
    "007",
    "Ann Lee",
    "Žofie 李",
    "a|b",
    "$x$",
    "<script>1</script>",
    "{{1234*5678}}",
    "*b*",
    "[x](javascript:alert(1))",
    "<img onerror=a()>",
    "`c`{=html}",
    "@fig-data",
    ":::",
    "{{< include /x >}}",
    "[[s]] &lt;b&gt; ]]>",
    "</svg></td>",
    "=1+1",
    "@SUM(A1)",
    "#1b1f24",
]
CONDITIONS = [
    "1",
    "after all",
    "då",
    "c|d",
    "$y^2$",
    "<script>x</script>",
    "{{ 1234*5678 }}",
    "_u_",
    "[y](javascript:alert(1))",
    "{{< include /etc/passwd >}}",
    "`t`{=html} -->",
    "=2+2",
]
# The columns, of which a formula names two between backticks.
SUBJECT, FACTOR, RESPONSE = "<i>", "what ::: @fig-x|it $is$ {{< x >}}", "<u>$r$ [l](u) {{1*1}}"
TITLE = "Awkward <b>|</b> $z$ {{1234*5678}} {{< include /etc/passwd >}} [l](javascript:x) <!--"
UNIT = "</p> $m^2$ `s`"
FILE = "awkward $(id) $z$ |<B>@fig-x.csv"


def awkward_and_gaps(project):
    """Write a table of such names as Windows would, and one with gaps and a doubled cell."""
    rows = [
        f"{subject},{condition},{(5 * i + 3 * j + i * i * j) % 11}.5"
        for i, subject in enumerate(SUBJECTS)
        for j, condition in enumerate(CONDITIONS)
    ]
    text = "\r\n".join([f"{SUBJECT},{FACTOR},{RESPONSE}", *rows, ""])
    (project.path / FILE).write_bytes(b"\xef\xbb\xbf" + text.encode())
    gaps = GOOD.replace("2,a,3\n", "2,a,\n") + "4,a,1\n4,b,2\n4,b,3\n,a,2\n"
    (project.path / "gaps.csv").write_text(gaps)
    names = {"formula": f"`{RESPONSE}` ~ `{FACTOR}`", "subject": SUBJECT}
    # By a path of this machine, which nothing that is published may tell.
    gaps = {"data": str(project.path / "gaps.csv"), "missing": "drop", "replicates": "allow"}
    studies = {
        "awkward": {"data": FILE, **names, "title": TITLE, "unit": UNIT},
        "gaps": {**REAL, **gaps},
    }
    project.configure({"studies": studies, "report": {"renderer": "pandoc"}})


class TestFinished:
    """Awkward but sound tables are taken to a finished page."""

    @pytest.fixture
    def project(self, ran_once):
        return ran_once("awkward", awkward_and_gaps)[0]

    @pytest.fixture
    def awkward(self, project):
        return Text((project.path / "results/awkward/report.html").read_text(encoding="utf-8"))

    @pytest.fixture
    def gaps(self, project):
        return Text((project.path / "results/gaps/report.html").read_text(encoding="utf-8"))

    @pytest.mark.parametrize("name", CONDITIONS)
    def test_conditions_stand_in_the_page_as_they_are(self, awkward, name):
        # A word joiner, which nobody sees, keeps Quarto from running what looks like a shortcode.
        assert name in [cell.strip().replace("\u2060", "") for cell in awkward.cells]

    @pytest.mark.parametrize("name", SUBJECTS)
    def test_subjects_stand_in_the_tables_and_figures_as_they_are(self, project, name):
        folder = project.path / "results/awkward"
        assert name in (folder / "tables/subjects.csv").read_text(encoding="utf-8")
        figure = (folder / "figures/caterpillar.svg").read_text(encoding="utf-8")
        assert name in html.unescape(figure)

    def test_title_columns_unit_and_file_stand_in_the_page_as_they_are(self, project, awkward):
        index = Text((project.path / "site/index.html").read_text(encoding="utf-8"))
        for page in (awkward, index):
            assert TITLE in page.text.replace("\u2060", "")
        for text in (FACTOR, RESPONSE, UNIT, FILE):
            assert text in awkward.text.replace("\u2060", "")

    def test_nothing_of_them_is_run_or_rendered(self, project):
        document = (project.path / "results/awkward/report/report.qmd").read_text("utf-8")
        assert "{{<" not in document
        for name in ("results/awkward/report.html", "site/index.html"):
            source = (project.path / name).read_text(encoding="utf-8")
            page = Text(source)
            assert not any(str(number) in page.text for number in (1234 * 5678, "root:"))
            # Of the elements, only those that the templates have.
            tags = {tag for tag, _ in page.elements}
            scripts = [attrs.get("type") for tag, attrs in page.elements if tag == "script"]
            assert scripts in ([None], ["application/json", None])  # numbers, and the one program
            assert not {"i", "b", "u", "iframe", "object", "form", "foreignObject", "image"} & tags
            for tag, attrs in page.elements:
                assert not any(key.startswith("on") for key in attrs), attrs
                link = attrs.get("href") or attrs.get("src") or "#"
                assert link.startswith(("#", "data:")) or re.fullmatch(r"\w+\.html", link), link
                assert tag == "a" or not link.startswith("data:text/html")

    def test_figures_are_pictures_and_nothing_else(self, project):
        for path in (project.path / "results/awkward/figures").glob("*.svg"):
            tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
            assert not tags & {"script", "foreignObject", "a", "image", "i", "b", "u"}, path.name

    def test_tables_hold_names_as_they_are_also_those_a_spreadsheet_would_compute(self, project):
        with (project.path / "results/awkward/tables/subjects.csv").open(encoding="utf-8") as file:
            assert {row["subject"] for row in csv.DictReader(file)} == set(SUBJECTS)

    def test_nothing_that_is_made_tells_of_the_machine(self, project):
        told = [str(project.path), str(project.path.parent), WHO, f"{Path.home()}/"]
        told += [platform.node()] if len(platform.node()) > 5 else []
        for name, content in project.files("results", "site").items():
            carried = re.findall(rb"base64,([A-Za-z0-9+/=]+)", content)
            content += b"".join(map(base64.b64decode, carried))
            for text in told:
                assert text.encode() not in content, (name, text)
        assert "data: gaps.csv" in (project.path / "results/gaps/report/report.qmd").read_text()

    def test_the_windows_line_ends_and_the_mark_are_gone(self, project):
        for name, content in project.files("results/awkward").items():
            if name.endswith((".csv", ".json", ".qmd")):
                assert b"\r" not in content, name
                assert b"\xef\xbb\xbf" not in content, name

    def test_dropped_rows_are_counted_in_the_page(self, gaps):
        said = next(part for part in gaps.text.split(". ") if "missing: drop asks" in part)
        for number in (r"\b2\b", r"\b10\b", r"\b1 in id\b", r"\b1 in score\b"):
            assert re.search(number, said), said

    def test_replicates_are_explained_in_the_page(self, gaps):
        assert re.search(r"\b1 cell\b[^.]* more than one row", gaps.text)
        assert "replicates: allow asks" in gaps.text
