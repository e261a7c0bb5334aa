"""A small project that has been run once; tests copy it, change it and run it again."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import IMPORTS, REPLICATED, ROOT, Project, Run, sources

# A shell starts what runs in the background with Ctrl-C ignored, and so would every project here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Make a folder by a function once, also when several processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], None]) -> Path:
        folder = base / name
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "made").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                (folder / "made").touch()
        return folder

    return once


@pytest.fixture(scope="session")
def ran_once(once) -> Callable[..., tuple[Project, Run]]:
    """Change the project, run Snakemake with arguments, once; return it and what was said."""

    def ran_once(name, change, *arguments, folder="project", ok=True, **how) -> tuple[Project, Run]:
        def make(path: Path) -> None:
            project = sources(path / folder)
            change(project)
            run = project.snakemake(*arguments, ok=ok, **how)
            (path / "run.json").write_text(json.dumps(vars(run)))

        path = once(name, make)
        return Project(path / folder), Run(**json.loads((path / "run.json").read_text()))

    return ran_once


@pytest.fixture(scope="session")
def first_run(ran_once) -> tuple[Project, Run]:
    """The project after plain `snakemake`, and what that said. Not to be changed."""
    return ran_once("first-run", lambda project: None)


@pytest.fixture(scope="session")
def replicated(ran_once) -> tuple[Project, Run]:
    """The project after a run with two replication studies. Not to be changed."""
    return ran_once("replicated", lambda project: project.configure(REPLICATED))


@pytest.fixture
def project(first_run, tmp_path) -> Project:
    """A copy of the finished project."""
    return first_run[0].copy(tmp_path / "project")


@pytest.fixture
def fresh(tmp_path) -> Project:
    """The project before its first run."""
    return sources(tmp_path / "fresh")


@pytest.fixture(scope="session")
def imports(once) -> dict[str, dict[str, Any]]:
    """What each script imports, found by importing it in an interpreter of its own.

    `eager` and `with_lazy` are modules of the library, without and with those that are imported
    inside functions; `all` are all modules; `said` and `made` are output and files.
    """

    def make(folder: Path) -> None:
        reports = {}
        library = [str(ROOT / "workflow"), str(ROOT / "workflow/scripts")]
        for path in sorted((ROOT / "workflow/scripts").glob("*.py")):
            here = folder / path.stem
            here.mkdir()
            done = subprocess.run(
                [sys.executable, "-c", IMPORTS, path.stem, *library],
                cwd=here,
                capture_output=True,
                text=True,
                check=True,
            )
            made = {p.name for p in here.iterdir()} - {"report.json"}
            report = json.loads((here / "report.json").read_text())
            reports[path.stem] = {**report, "said": done.stdout + done.stderr, "made": list(made)}
        (folder / "imports.json").write_text(json.dumps(reports))

    return json.loads((once("imports", make) / "imports.json").read_text())
