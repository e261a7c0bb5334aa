"""A file between stages that was damaged is found, made again, and never part of a result."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from projects import CONFIG, Project, differing

import load_data
from twolevel.files.checksums import sha256
from twolevel.pipeline.tables.observations import load_table
from twolevel.text.errors import InputError


def cut(path: Path) -> None:
    """Cut a file off, as a disk that was full or a copy that was stopped would."""
    os.truncate(path, path.stat().st_size // 2)


def rot(path: Path) -> None:
    """Change one bit, and neither size nor date."""
    content, date = bytearray(path.read_bytes()), path.stat().st_mtime_ns
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(date, date))


def found_and_made_again(project: Project, undisturbed: Project, *damaged: str) -> None:
    """Run twice: the first run finds each damaged file, the second one makes what is missing."""
    held = {f"{name}.changed": (project.path / name).read_bytes() for name in damaged}
    said = project.snakemake(ok=False)
    assert "found other content than was written there" in said.text
    [moved] = [line for line in said.lines if line.startswith("Moved ")]
    assert all(name in moved for name in damaged)
    assert moved.endswith(" to the same name with .changed; now run snakemake again")
    assert "a fault of the workflow" not in said.text
    assert "Traceback" not in said.text
    project.snakemake()
    files = project.files("results", "site")
    assert {name: files.pop(name) for name in held} == held
    assert differing(files, undisturbed.files("results", "site")) == []
    assert project.planned() == set()


def test_of_a_study(project, first_run):
    damaged = [
        *("results/toy/mixed.json", "results/toy/level1.json"),
        *("results/real/figures/covariance.svg", "results/real/tables/anova.csv"),
    ]
    for name in damaged:
        (rot if "level1" in name else cut)(project.path / name)
    (project.path / "results/toy/hierarchical.json").unlink()
    found_and_made_again(project, first_run[0], *damaged)


def test_of_tables_pages_and_documents(project, first_run):
    damaged = [
        *("results/toy/observations.parquet", "results/toy/report.html"),
        "results/real/report/report.qmd",
    ]
    for name in damaged:
        (rot if name.endswith(".qmd") else cut)(project.path / name)
    (project.path / "results/real/report.html").unlink()
    found_and_made_again(project, first_run[0], *damaged)


def test_documents_may_be_edited_but_not_cut_off(project, first_run):
    own = project.path / "results/toy/report/report.qmd"
    own.write_text(own.read_text("utf-8").replace("What was found", "What I found"), "utf-8")
    said = project.snakemake()
    assert "results/toy/report/report.qmd was edited; its page says so" in said.out
    page = (project.path / "results/toy/report.html").read_text("utf-8")
    assert "What I found" in page
    assert "The text of this page was edited by hand" in page
    cut(own)
    assert f"Moved {own.relative_to(project.path)}" in project.snakemake(ok=False).text
    project.snakemake()
    assert differing(project.files("site"), first_run[0].files("site")) == []


@pytest.mark.parametrize("why", ["title", "figure"])
def test_an_edit_is_kept_when_its_document_is_written_anew(project, first_run, why):
    own = project.path / "results/toy/report/report.qmd"
    mine = own.read_text("utf-8").replace("What was found", "What I found")
    own.write_text(mine, "utf-8")
    if why == "title":
        toy = {**CONFIG["studies"]["toy"], "title": "Another title"}
        project.configure({**CONFIG, "studies": {**CONFIG["studies"], "toy": toy}})
    else:
        (own.parent / "figures/one_subject.svg").unlink()
    said = project.snakemake()
    kept = "results/toy/report/report.edited.qmd"
    assert f"was edited and is written anew; the edit is in {kept}" in said.out
    assert (project.path / kept).read_text("utf-8") == mine
    assert ("Another title" in own.read_text("utf-8")) == (why == "title")
    assert "edited by hand" not in (project.path / "results/toy/report.html").read_text("utf-8")
    assert project.planned() == set()
    if why == "figure":
        files = project.files("results", "site")
        del files[kept]
        assert differing(files, first_run[0].files("results", "site")) == []


def test_a_table_saved_while_it_is_read_gives_no_results(tmp_path, monkeypatch):
    table = tmp_path / "table.csv"
    table.write_text("id,t,y\n1,a,1\n1,b,2\n2,a,4\n2,b,6\n")
    study = {"data": str(table), "formula": "y ~ t", "subject": "id"}

    def saved_meanwhile(*arguments, **options):
        loaded = load_table(*arguments, **options)
        table.write_text(table.read_text().replace("6", "7"))
        return loaded

    made = {name: str(tmp_path / name) for name in ("observations", "loading")}
    job = SimpleNamespace(
        wildcards=SimpleNamespace(real="s"),
        params=SimpleNamespace(table=study),
        output=SimpleNamespace(**made),
    )
    load_data.main(job)
    loading = json.loads(Path(made["loading"]).read_text("utf-8"))
    assert loading["inputs"] == [{"name": "table.csv", "sha256": sha256(table)}]
    Path(made["loading"]).unlink()
    monkeypatch.setattr(load_data, "load_table", saved_meanwhile)
    with pytest.raises(InputError, match=r"^study s: .*table\.csv: was changed while it was read"):
        load_data.main(job)
    assert not Path(made["loading"]).exists()


@pytest.mark.parametrize("damage", [cut, rot])
def test_of_a_replication_study(replicated, tmp_path, damage):
    project = replicated[0].copy(tmp_path / "project")
    [path] = (project.path / "results/plan/experiments").rglob("*-*[0-9].parquet")
    damage(path)
    (project.path / "results/plan/measures.parquet").unlink()
    found_and_made_again(project, replicated[0], str(path.relative_to(project.path)))
