"""What stands in the way of a run, and what is left of one that was killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twolevel.files.private_folders import private_folder
from twolevel.pipeline.folders import check_folder, check_writable, check_written
from twolevel.text.errors import InputError, TwoLevelError


def test_a_folder_with_braces_is_refused():
    check_folder("/home/a b/$c")
    for name in ("{x}", "x{", "}x"):
        with pytest.raises(InputError, match="found braces in the name"):
            check_folder(f"/home/{name}/project")


def test_something_else_in_the_place_of_a_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "linked").symlink_to("results")
    check_written(["results", "linked", "site"])
    (tmp_path / "site").touch()
    (tmp_path / "lost").symlink_to("nowhere")
    for name in ("site", "lost"):
        with pytest.raises(
            InputError, match=rf"^{name}: found a file, or a link that leads nowhere"
        ):
            check_written(["results", name])


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    check_writable(["logs/a/b.log", "new/a/b.log", None])
    monkeypatch.setattr("os.access", lambda path, mode: str(path) != "logs")
    check_writable(["new/a/b.log"])
    with pytest.raises(InputError, match=r"^logs: cannot be written to"):
        check_writable(["new/a/b.log", "logs/a/b.log"])


def test_folders_of_killed_processes_are_removed_and_those_of_living_ones_kept(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    holding = (
        "import sys, time; from twolevel.files.private_folders import private_folder\n"
        "with private_folder('render') as folder: print(folder, flush=True); time.sleep(60)"
    )
    variables = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    holders = [
        subprocess.Popen([sys.executable, "-c", holding], env=variables, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    living, killed = (Path(holder.stdout.readline().decode().strip()) for holder in holders)
    holders[1].kill()
    holders[1].wait()
    kept = [living, tmp_path / "twolevel-render-young000", tmp_path / "another-render-00000000"]
    for folder in kept[1:]:
        folder.mkdir()
    (tmp_path / "twolevel-render-linked00").symlink_to(kept[2])
    for folder in (living, killed, kept[2]):
        (folder / "page.html").touch()
        os.utime(folder, (time.time() - 3600,) * 2)
    with private_folder("index") as own:
        assert own.exists()
        assert not killed.exists()
        assert all(folder.exists() for folder in kept)
        assert (kept[2] / "page.html").exists()
    assert not own.exists()
    holders[0].kill()
    holders[0].wait()


def test_no_message_commands_a_terminal():
    message = str(TwoLevelError("a\x1b[2Jb\rc\u202ed\x9be\nsecond line"))
    assert message == r"a\x1b[2Jb\rc\u202ed\x9be" + "\nsecond line"
