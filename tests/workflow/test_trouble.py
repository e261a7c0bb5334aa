"""Runs in trouble: nothing is lost, no result is wrong, and the message says what to do."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest
from projects import AGAIN, CONFIG, ROOT, SIMULATE, TOY, differing, replication_config

# The rules by the names of their logs; those of replication studies log as these do.
STAGES = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")} - {
    "new_study",
    "publish",
    "reproduce",
}


@contextmanager
def mounted(*options: str):
    """Mount a file system for a while, where that is allowed."""
    done = subprocess.run(["mount", *options], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", options[-1]], check=True)


def test_killed_at_every_stage_it_goes_on_to_the_same_bytes(fresh, first_run, replicated):
    """Each start is killed a moment after a stage began in which none was killed yet.

    A stage may begin and end in that moment, in all of its studies; it is met again in a run from
    nothing.
    """
    moments, waiting, from_nothing = random.Random(6), set(STAGES), True
    fresh.configure({**CONFIG, **replication_config(again=AGAIN), "studies": CONFIG["studies"]})
    logs, timed = fresh.path / "logs", fresh.path / "benchmarks"

    def running():
        """The stages of this start that have a log, and no benchmark yet."""
        begun = (path.relative_to(logs) for path in logs.rglob("*.log"))
        going = [path for path in begun if not (timed / path).with_suffix(".tsv").exists()]
        return {path.parts[:2][-1].split(".")[0] for path in going}

    while waiting:
        shutil.rmtree(logs, ignore_errors=True)
        process = fresh.start("--nolock")
        struck = set()
        while process.poll() is None and not struck:
            struck = waiting & running()
            time.sleep(0.01)
        if not struck:
            said = process.communicate()[1]
            assert not from_nothing, f"a whole run began none of {waiting}\n{said}"
            for folder in ("results", "site", "benchmarks"):
                shutil.rmtree(fresh.path / folder)
            from_nothing = True
            continue
        time.sleep(moments.uniform(0, 0.4))
        struck |= waiting & running()  # two run at a time
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        waiting, from_nothing = waiting - struck, False
    fresh.snakemake("--unlock")
    fresh.snakemake()
    assert fresh.planned() == set()
    assert differing(fresh.results("real"), first_run[0].results("real")) == []
    assert differing(fresh.results("toy", "again"), replicated[0].results("toy", "again")) == []


class TestDisk:
    def test_full_it_says_so_and_leaves_nothing_half_written(self, fresh, first_run):
        fresh.configure(TOY)
        folder, whole = fresh.path / "results", first_run[0].results("toy")
        folder.mkdir()
        with mounted("-t", "tmpfs", "-o", "size=240k", "none", str(folder)):
            said = fresh.snakemake(ok=False)
            assert "No space left on device; free some space, then run snakemake again" in said.text
            assert "Traceback" not in said.text
            assert "a fault of the workflow" not in said.text
            there = fresh.files("results")
            assert there == {name: whole[name] for name in there}
            assert set(there) < set(whole)
            subprocess.run(["mount", "-o", "remount,size=50m", str(folder)], check=True)
            fresh.snakemake()
            assert differing(fresh.results("toy"), whole) == []

    def test_full_in_the_site_it_names_the_page(self, project):
        shutil.rmtree(project.path / "site")
        folder = project.path / "site"
        folder.mkdir()
        with mounted("-t", "tmpfs", "-o", "size=64k", "none", str(folder)):
            (folder / "another.html").touch()  # or Snakemake would remove the folder
            said = project.snakemake(ok=False)
        assert re.search(
            r"site/(toy|real)\.html: No space left on device; free some space", said.text
        )
        assert "Traceback" not in said.text

    @pytest.mark.parametrize(
        ("missing", "place", "message"),
        [
            (
                "results/toy/mixed.json",
                "results",
                "Write-protected output files for rule",
            ),
            ("results/toy", "results", "\nresults: cannot be written to"),
            ("results/toy/anova.json", "logs", "\nlogs: cannot be written to"),
            ("site", ".", "\n.snakemake: cannot be written to"),
        ],
    )
    def test_read_only_it_says_so_and_changes_nothing(self, project, missing, place, message):
        path, folder = project.path / missing, str(project.path / place)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        before = project.files("results", "site")
        with mounted("--bind", folder, folder):
            subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
            said = project.snakemake(ok=False)
        assert message in said.text
        assert "Traceback" not in said.text
        assert project.files("results", "site") == before


class TestInTheWay:
    def test_links_that_lead_nowhere_are_passed_over(self, project, first_run):
        for place in ("results/toy/report/.#report.qmd", "site/.#index.html", "results/.#x"):
            (project.path / place).symlink_to("somebody@somewhere.1234")
        (project.path / "results/toy/report.html").unlink()
        project.snakemake()
        assert differing(*(p.files("results", "site") for p in (project, first_run[0]))) == []

    @pytest.mark.parametrize("folder", ["results", "site", "logs", "benchmarks"])
    def test_a_file_in_the_place_of_a_folder_is_named(self, project, folder):
        shutil.rmtree(project.path / folder)
        (project.path / folder).write_text("mine")
        said = project.snakemake(ok=False)
        assert f"{folder}: found a file" in said.text
        assert "Traceback" not in said.text
        assert (project.path / folder).read_text() == "mine"

    def test_a_folder_with_braces_is_refused(self, fresh, tmp_path):
        said = fresh.copy(tmp_path / "a {x} b").snakemake(ok=False)
        assert "a {x} b: found braces in the name of the project's folder" in said.text
        assert "Traceback" not in said.text


class TestTwoAtOnce:
    def test_the_second_run_refuses_and_the_first_goes_on(self, project, first_run):
        (project.path / "results/real/report.html").unlink()
        first = project.start()
        while first.poll() is None and not any(project.path.glob(".snakemake/locks/*")):
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGSTOP)  # or it might end before the second asks for the lock
        second = project.snakemake(ok=False)
        os.killpg(first.pid, signal.SIGCONT)
        assert "Directory cannot be locked" in second.text
        assert "--unlock" in second.text
        assert "Traceback" not in second.text
        project.ended(first)
        assert differing(project.results("toy", "real"), first_run[0].results("toy", "real")) == []

    def test_two_studies_added_are_both_there(self, fresh):
        words = ["new_study", "--config", f"table={ROOT / 'tests/data/ergostool.csv'}"]
        for process in [fresh.start(*words) for _ in range(3)]:
            fresh.ended(process)
        text = (fresh.path / "config/config.yaml").read_text(encoding="utf-8")
        for name in ("ergostool", "ergostool-2", "ergostool-3"):
            assert text.count(f"\n  {name}:\n") == 1


class TestFailedStudy:
    """The others are published, and the index says what is missing and why."""

    def test_until_it_is_mended(self, project, first_run):
        before = project.files("results", "site")
        like = {"like": "real", "subjects": [5], "experiments": 40}
        project.configure({**replication_config(rep=like), **CONFIG})
        project.edit("config/data/selfesteem.csv", "1,t1,4.005", "1,t1,oops")
        (project.path / "results/toy/report.html").unlink()
        said = project.snakemake(ok=False)
        assert said.text.count('selfesteem.csv: row 1, column "score": found "oops') == 1
        assert "Open site/index.html: it says why there is no page of real, rep" in said.lines
        assert "Traceback" not in said.text
        index = (project.path / "site/index.html").read_text(encoding="utf-8")
        assert 'found "oops02682557691", expected a number' in index
        assert 'href="toy.html"' in index
        assert 'href="real.html"' not in index
        assert sorted(p.name for p in (project.path / "site").iterdir()) == [
            "index.html",
            "toy.html",
        ]
        assert ("build_site", None) in project.planned()

        project.edit("config/data/selfesteem.csv", "1,t1,oops", "1,t1,4.005")
        project.configure(CONFIG)
        project.snakemake()
        assert project.files("results", "site") == before
        assert project.planned() == set()

    def test_taken_out_again_it_leaves_the_index(self, project):
        before = project.files("site")
        (project.path / "config/data/bad.csv").write_text("id,t,y\n1,a,x\n1,b,1\n2,a,2\n2,b,1\n")
        bad = {"data": "config/data/bad.csv", "formula": "y ~ t", "subject": "id"}
        project.configure({**CONFIG, "studies": {**CONFIG["studies"], "bad": bad}})
        project.snakemake(ok=False)
        assert project.files("site")["site/index.html"] != before["site/index.html"]
        project.configure(CONFIG)
        project.snakemake()
        assert project.files("site") == before

    @pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
    def test_a_render_that_is_stopped_leaves_nothing_behind(self, project, tmp_path, stop):
        before = project.files("site")
        (project.path / "results/toy/report.html").unlink()
        # A renderer that goes on until it is killed, and says so.
        quarto, pulse, place = tmp_path / "quarto", tmp_path / "pulse", tmp_path / "temporary"
        quarto.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo 1.9.3 && exit\n'
            f"while :; do echo >> {pulse}; sleep 0.05; done\n"
        )
        quarto.chmod(0o755)
        place.mkdir()
        project.configure({**CONFIG, "report": {"renderer": "quarto"}})
        process = project.start(environment={"QUARTO_PATH": str(quarto), "TMPDIR": str(place)})
        while process.poll() is None and not pulse.exists():
            time.sleep(0.01)
        os.killpg(process.pid, stop)
        said = project.ended(process, ok=False)
        # Snakemake may end before the job does that ends its renderer.
        deadline, beats = time.monotonic() + 20, -1
        while pulse.stat().st_size != beats or any(place.glob("twolevel-*")):
            assert time.monotonic() < deadline, "the renderer, or its folder, is still there"
            beats = pulse.stat().st_size
            time.sleep(0.5)
        assert "Traceback" not in said.text
        assert project.files("site") == before

    def test_a_run_that_is_stopped_leaves_the_site_as_it_was(self, project):
        before = project.files("site")
        project.configure({**TOY, "studies": {"toy": {"simulate": {**SIMULATE, "seed": 2}}}})
        process = project.start()
        while process.poll() is None and not any(project.path.glob(".snakemake/incomplete/*")):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        # While its first job still loads its libraries.
        assert "Traceback" not in project.ended(process, ok=False).text
        assert project.files("site") == before
