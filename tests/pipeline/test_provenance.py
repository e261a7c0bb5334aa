"""What a report says of its making: the code's commit, and nothing of the machine."""

import hashlib
import os
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twolevel.files.checksums import sha256
from twolevel.pipeline.provenance import commit, public


def git(folder: Path, *arguments: str) -> str:
    who = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    environment = {**os.environ, **dict.fromkeys(who, "x")}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def committed(folder: Path, file: str, text: str) -> str:
    """Commit a file with this text; give the commit."""
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(text)
    git(folder, "add", file)
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path):
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_commit_is_that_of_the_code(project, monkeypatch):
    assert commit(project) is None
    first = committed(project, "workflow/a.py", "1")
    assert commit(project) == {"commit": first, "changed": False}
    committed(project, "config.yaml", "other")
    (project / "config.yaml").write_text("changed")
    assert commit(project) == {"commit": first, "changed": False}
    last = committed(project, "reports/study.qmd", "1")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert commit(project) == {"commit": last, "changed": False}
    (project / "workflow/a.py").write_text("2")
    assert commit(project) == {"commit": last, "changed": True}


def test_no_repository_or_no_git_is_no_failure(project, monkeypatch):
    inside = project / "ignored"
    inside.mkdir()
    committed(project, "workflow/a.py", "1")
    assert commit(inside) is None
    monkeypatch.setenv("PATH", str(inside))
    assert commit(project) is None


def test_checksum(tmp_path):
    (tmp_path / "x").write_bytes(b"x" * 300_000)
    assert sha256(tmp_path / "x") == hashlib.sha256(b"x" * 300_000).hexdigest()


PARTS = st.lists(st.sampled_from(["..", "home", "ann", "a*", "*", "data"]), max_size=4)


@given(PARTS, st.booleans())
def test_no_folder_outside_the_project_is_told(parts, absolute):
    data = "/".join(["/secret" if absolute else "config", *parts, "table-*.csv"])
    shown = public({"data": data, "unit": None})["data"]
    if not absolute and ".." not in parts:
        assert shown == data
        return
    kept = PurePosixPath(shown).parts
    assert not PurePosixPath(shown).is_absolute()
    assert PurePosixPath(data).parts[-len(kept) :] == kept
    assert "*" in kept[0]
    assert "secret" not in shown
