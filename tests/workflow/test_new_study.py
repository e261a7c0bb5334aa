"""From a table to a report by two commands; what stands in the config is never overwritten."""

from types import SimpleNamespace

import pytest
import yaml
from projects import CONFIG, ROOT, Project, Run

import new_study
from twolevel.text.errors import InputError

TABLES = ["sleepstudy", "anxiety"]


def start(project: Project, *words: str, ok: bool = True):
    return project.snakemake("new_study", "--config", *words, ok=ok)


def config(project: Project) -> dict:
    return yaml.safe_load((project.path / "config/config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reported(ran_once) -> tuple[Project, Run]:
    """A project to which tables were added, one after the other, and the run of their reports."""

    def change(project: Project) -> None:
        path = project.path / "config/config.yaml"
        path.write_text(f"# Mine.\n{path.read_text()}")
        for name in TABLES:
            start(project, f"table={ROOT / f'tests/data/{name}.csv'}")

    pages = [f"results/{name}/report.html" for name in TABLES]
    return ran_once("new-study", change, *pages)


@pytest.fixture
def started(reported) -> Project:
    return reported[0]


def test_every_table_becomes_a_study_and_a_page(started):
    found = config(started)
    assert set(found["studies"]) == {*CONFIG["studies"], *TABLES}
    assert found["studies"]["sleepstudy"]["formula"] == "y ~ condition"
    assert found["studies"]["anxiety"]["formula"] == "y ~ condition * group"
    for name in TABLES:
        page = (started.path / f"results/{name}/report.html").read_text(encoding="utf-8")
        assert page.rstrip().endswith("</html>")


def test_the_pages_are_named_at_last(reported):
    last = reported[1].lines[-1]
    assert sorted(last.removeprefix("Open ").split(", ")) == sorted(
        f"results/{name}/report.html" for name in TABLES
    )


def test_what_was_there_stays(started):
    text = (started.path / "config/config.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Mine.\nstudies:\n  toy:\n")
    found = config(started)
    assert {name: found["studies"][name] for name in CONFIG["studies"]} == CONFIG["studies"]
    assert found["report"] == CONFIG["report"]


def test_the_same_table_again_is_another_study(fresh):
    (fresh.path / "config/data/selfesteem.csv").unlink()  # another study's own trouble
    table = ROOT / "tests/data/ergostool.csv"
    said = [start(fresh, f"table={table}").text for _ in range(2)]
    assert [f"\nergostool{more}:\n" in text for more, text in zip(("", "-2"), said, strict=True)]
    assert "Now run: snakemake results/ergostool-2/report.html" in said[1]
    assert set(config(fresh)["studies"]) == {*CONFIG["studies"], "ergostool", "ergostool-2"}


def test_line_ends_rights_and_a_link_of_the_config_stay(fresh):
    link, target = fresh.path / "config/config.yaml", fresh.path / "mine.yaml"
    before = link.read_bytes().replace(b"\n", b"\r\n")
    target.write_bytes(before)
    target.chmod(0o600)
    link.unlink()
    link.symlink_to("../mine.yaml")
    table = fresh.path / "2024-01-15.csv"
    table.write_bytes((ROOT / "tests/data/cases/wide_two_factors.csv").read_bytes())
    start(fresh, f"table={table.name}")
    after = target.read_bytes()
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert set(before.split(b"\r\n")) < set(after.split(b"\r\n"))
    assert b"\n" not in after.replace(b"\r\n", b"")
    study = config(fresh)["studies"]["2024-01-15"]
    assert (study["wide"], study["formula"]) == ("{c}_{t}", "score ~ c * t")
    fresh.snakemake("results/2024-01-15/report.html")
    page = (fresh.path / "results/2024-01-15/report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table=config/data/selfesteem.csv", "name=07"], "Snakemake reads name= as the number 7"),
        (["name=mine"], "say which table"),
        (["table=config/data/selfesteem.csv", "name=toy"], 'has a study "toy" already'),
    ],
)
def test_refusals_leave_the_config_as_it_is(fresh, words, message):
    before = (fresh.path / "config/config.yaml").read_bytes()
    said = start(fresh, *words, ok=False)
    assert message in said.text
    assert "Traceback" not in said.text
    assert (fresh.path / "config/config.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (ROOT / "tests/data/cases/between_id_once.csv", "no repeated measurements"),
        ("nowhere.csv", "nowhere.csv: no such file"),
        ("config/data/README.md", 'found the ending ".md"'),
    ],
)
def test_so_do_refusals_of_a_table(fresh, monkeypatch, table, message):
    monkeypatch.chdir(fresh.path)
    config = fresh.path / "config/config.yaml"
    before = config.read_bytes()
    params = SimpleNamespace(table=table, name=None, config=config, taken=["toy", "real"])
    (fresh.path / ".snakemake").mkdir()
    with pytest.raises(InputError, match=message):
        new_study.main(SimpleNamespace(params=params))
    assert config.read_bytes() == before


def test_likely_codes_are_proposed_as_missing_and_otherwise_warned_of(started, tmp_path):
    project = started.copy(tmp_path / "project")
    said = start(project, f"table={ROOT / 'tests/data/cases/minus99.csv'}").text
    assert "# score: 2 values are -99, where all others lie between 1.2 and 9.2." in said
    entry = config(project)["studies"]["minus99"]
    assert (entry["missing_values"], entry["missing"]) == ({"score": [-99]}, "drop")
    del entry["missing_values"]
    project.configure({"studies": {"minus99": entry}})
    said = project.snakemake("results/minus99/loading.json").text
    assert said.count("twolevel: warning: study minus99: ") == 1
    assert "2 values are -99" in said
    assert "write missing_values: {score: [-99]} and missing: drop" in said
