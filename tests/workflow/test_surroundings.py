"""Wherever and whenever a run takes place, its results are the same."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from projects import TOY, differing

DAY = 24 * 3600
NOBODY = 65534


def test_a_locale_with_decimal_commas(fresh, first_run, tmp_path):
    made = None
    if shutil.which("localedef"):
        command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")]
        made = subprocess.run(command, capture_output=True, text=True)
    if made is None or not (tmp_path / "de_DE.UTF-8").exists():
        pytest.skip(f"no German locale can be made here: {made.stderr if made else 'no localedef'}")
    locale = {"LC_ALL": "de_DE.UTF-8", "LOCPATH": str(tmp_path)}
    code = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.str(0.5))"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, env=os.environ | locale, capture_output=True, text=True)
    assert told.stdout == "0,5\n"
    fresh.configure(TOY)
    fresh.snakemake(environment=locale)
    assert differing(fresh.results("toy"), first_run[0].results("toy")) == []


def test_a_user_without_rights_and_without_a_home(fresh, first_run, tmp_path):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("becoming another user takes root and setpriv")
    # May read whatever root may, such as this Python, and write nothing but the project.
    who = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    who += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    within = ["setpriv", *who, "--"]
    told = subprocess.run([*within, "id", "-u"], capture_output=True, text=True)
    if told.stdout.strip() != str(NOBODY):
        pytest.skip(f"no other user can be had here: {told.stderr.strip()}")
    fresh.configure(TOY)
    for path in (fresh.path, *fresh.path.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    # As docs/results.md says.
    home = {"HOME": str(fresh.path / ".home"), "TMPDIR": "/tmp"}  # that of root is not theirs
    fresh.snakemake(within=within, environment=home)
    assert {path.stat().st_uid for path in (fresh.path / "results").rglob("*")} == {NOBODY}
    assert differing(fresh.results("toy"), first_run[0].results("toy")) == []


def test_no_job_compiles_the_library_again(fresh):
    fresh.configure(TOY)
    observations = "results/toy/observations.parquet"
    fresh.snakemake(observations, environment={"PYTHONDONTWRITEBYTECODE": "1"})
    kept = {path.name.split(".")[0] for path in fresh.path.rglob("*.pyc")}
    assert {"job", "simulation"} <= kept


class TestClock:
    """Set back or wrong: no result is stale, and no run endless."""

    @pytest.mark.parametrize("days", [1, -1])
    def test_results_of_another_day_are_those_of_today(self, project, days):
        sources = {*project.path.glob("workflow/**/*"), *project.path.glob("config/**/*")}
        for path in {*project.path.rglob("*")} - (sources if days > 0 else set()):
            date = path.stat().st_mtime + days * DAY
            os.utime(path, (date, date))
        assert project.planned() == set()
        project.edit("config/data/selfesteem.csv", "1,t1,4.005", "1,t1,4.006")
        project.snakemake("results/real/level1.json")
        planned = project.planned()
        assert not planned & {("load_data", "real"), ("fit_subjects", "real")}
        assert {("fit_hierarchical", "real"), ("fit_mixed", "real")} <= planned
        assert {study for _, study in planned} == {"real", None}

    def test_a_project_copied_before_the_clock_was_set_back_runs(self, fresh, first_run):
        fresh.configure(TOY)
        for path in fresh.path.rglob("*"):
            os.utime(path, (time.time() + DAY,) * 2)
        said = fresh.snakemake()
        assert "Traceback" not in said.text
        assert differing(fresh.results("toy"), first_run[0].results("toy")) == []
        assert fresh.planned() == set()

    def test_another_table_with_an_older_date_is_seen(self, project):
        project.edit("config/data/selfesteem.csv", "1,t1,4.005", "1,t1,4.006")
        os.utime(project.path / "config/data/selfesteem.csv", (1e9, 1e9))
        assert ("load_data", "real") in project.planned()

    @pytest.mark.parametrize("file", ["reports/study.qmd", "workflow/scripts/write_report.py"])
    def test_so_is_another_template_or_script(self, project, file):
        path = project.path / file
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        os.utime(path, (1e9, 1e9))
        assert ("write_report", "toy") in project.planned()

    def test_a_table_of_tomorrow_is_refused(self, project):
        os.utime(project.path / "config/data/selfesteem.csv", (time.time() + DAY,) * 2)
        said = project.snakemake(ok=False)
        assert "study real: config/data/selfesteem.csv: found the date" in said.text
        assert "correct the computer's clock" in said.text
        assert "Traceback" not in said.text
