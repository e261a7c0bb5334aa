"""A file between stages that was damaged is found, made again, and never part of a result."""

import os
from pathlib import Path

import pytest
from projects import Project, differing


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
    """Run twice: the first run finds each damaged file, the second one makes what is lacking."""
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


def test_of_tables_and_pages(project, first_run):
    damaged = ["results/toy/observations.parquet", "results/real/report.html"]
    for name in damaged:
        cut(project.path / name)
    found_and_made_again(project, first_run[0], *damaged)


def test_documents_may_be_edited_but_not_cut_off(project, first_run):
    own = project.path / "results/toy/report/report.qmd"
    own.write_text(own.read_text("utf-8").replace("What was found", "What I found"), "utf-8")
    project.snakemake()
    assert "What I found" in (project.path / "results/toy/report.html").read_text("utf-8")
    cut(own)
    assert f"Moved {own.relative_to(project.path)}" in project.snakemake(ok=False).text
    project.snakemake()
    assert differing(project.files("site"), first_run[0].files("site")) == []


@pytest.mark.parametrize("damage", [cut, rot])
def test_of_a_replication_study(replicated, tmp_path, damage):
    project = replicated[0].copy(tmp_path / "project")
    [path] = (project.path / "results/plan/experiments").rglob("*-*[0-9].parquet")
    damage(path)
    (project.path / "results/plan/measures.parquet").unlink()
    found_and_made_again(project, replicated[0], str(path.relative_to(project.path)))
