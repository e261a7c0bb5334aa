"""Each rule has a script of its own name, which can be imported and says how it failed."""

import json
import re
import subprocess
import sys

import pytest
from projects import ROOT

TEXT = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
BLOCKS = dict(re.findall(r"^rule (\w+):\n((?:(?:    .*)?\n)+)", TEXT, re.M))
BLOCKS.pop("figures_for_paper")  # a target: it only names files of other rules
ASKED = ("new_study", "publish", "reproduce")
SCRIPTS = {path.stem: path for path in (ROOT / "workflow/scripts").glob("*.py")}


def test_every_script_is_the_script_of_the_rule_of_its_name():
    assert set(BLOCKS) == set(SCRIPTS)
    for name, block in BLOCKS.items():
        assert f'script:\n        "../scripts/{name}.py"' in block
        assert f'script_code("{name}"' in block


@pytest.mark.parametrize("rule", BLOCKS)
def test_every_rule_has_what_a_reader_needs(rule):
    block = BLOCKS[rule]
    assert re.match(r'    """[A-Z].*\."""\n', block)
    folder = "" if rule in ("build_site", *ASKED) else r"\{(study|simulated|real|replication)\}/"
    name = r"replicate/\{SLICE\}" if rule == "replicate" else rule
    folder = folder.replace(r"\{", r"\{+").replace(r"\}", r"\}+")
    assert re.search(rf'    log:\n        f?"logs/{folder}{name}.log",?\n', block)
    timed = re.search(rf'    benchmark:\n        f?"benchmarks/{folder}{name}.tsv",?\n', block)
    # A benchmark is an output, and these are to run whenever they are asked for.
    assert bool(timed) == (rule not in ASKED)
    assert re.search(r'    message:\n        ".+"\n', block)


@pytest.mark.parametrize("script", SCRIPTS)
class TestImport:
    """Importing a script does nothing, and no more than it needs is imported."""

    def test_does_nothing(self, imports, script):
        assert imports[script]["said"] == ""
        assert imports[script]["made"] == []
        assert "snakemake" not in imports[script]["all"]

    def test_imports_what_is_heavy_only_where_it_is_needed(self, imports, script):
        modules = set(imports[script]["all"])
        needs = {"matplotlib": script.startswith("plot_")}
        needs["pypandoc"] = script in ("render_report", "build_site")
        needs["pandas"] = script not in ("write_report", "render_report", "build_site")
        # Most read or write a summary; few check a config, written or found in a page.
        needs["pydantic"] = script not in ("gather_experiments", "render_report")
        needs["twolevel.pipeline.config.study"] = script in ASKED
        for module in ("statsmodels", "scipy.stats", *needs):
            assert module not in modules or needs.get(module), module

    def test_takes_no_longer_than_its_libraries(self, imports, script):
        assert imports[script]["seconds"] < 10  # far above what an idle machine takes


FAKE = """
import json, logging, sys
from types import SimpleNamespace
from twolevel.text.errors import InputError
from twolevel.pipeline.job import run
wildcards, params, kind, message = json.loads(sys.argv[1])

def main(snakemake):
    logging.getLogger("lib").warning("so far so good")
    if kind:
        disk = lambda text: OSError(28, text)
        kinds = {"input": InputError, "fault": ZeroDivisionError, "disk": disk}
        raise kinds[kind](message)

files = dict(input=[], output=[], log=["job.log"])
run(main, SimpleNamespace(**files, rule="r", wildcards=wildcards, params=params))
"""


class TestJob:
    """What a user sees of a job, and what its log keeps."""

    @pytest.fixture
    def job(self, tmp_path):
        """Run a job that fails in this way; return its status, the console and the log."""

        def job(kind, message="", wildcards=None, params=None, before=""):
            spec = json.dumps([wildcards or {}, params or {}, kind, message])
            done = subprocess.run(
                [sys.executable, "-c", before + FAKE, spec],
                cwd=tmp_path,
                env={"PYTHONPATH": str(ROOT / "workflow")},
                capture_output=True,
                text=True,
            )
            return done.returncode, done.stdout + done.stderr, (tmp_path / "job.log").read_text()

        return job

    def test_success_is_silent_and_warnings_are_in_the_log(self, job):
        assert job(None) == (0, "", "WARNING so far so good\n")

    def test_a_mendable_problem_is_one_line_without_traceback(self, job):
        status, console, log = job("input", "t.csv: row 1: fix it", {"real": "a"})
        assert status == 1
        assert console == "twolevel: study a: t.csv: row 1: fix it\n"
        assert "row 1: fix it" in log
        assert "Traceback" not in log

    def test_what_it_says_is_written_at_once(self, job):
        """Or two jobs that fail at the same moment would write into each other's lines."""
        listen = "import sys\nsys.stderr.write = lambda text: print([text])\n"
        said = job("input", "fix it", {"study": "a"}, before=listen)[1]
        assert said == f"{['twolevel: study a: fix it' + chr(10)]}\n"

    def test_a_message_that_names_its_study_does_not_name_it_twice(self, job):
        assert job("input", "study a: t.csv", {"study": "a"})[1] == "twolevel: study a: t.csv\n"

    def test_a_full_disk_is_no_fault_and_has_its_remedy(self, job):
        status, console, log = job("disk", "whatever", {"study": "a"})
        assert status == 1
        assert console == (
            "twolevel: study a: rule r: No space left on device; free some space, "
            "then run snakemake again\n"
        )
        assert "Traceback" not in log

    @pytest.mark.parametrize("wildcard", ["study", "simulated", "real"])
    def test_a_fault_has_its_traceback_in_the_log_only(self, job, wildcard):
        status, console, log = job("fault", "by zero", {wildcard: "a"})
        assert status == 1
        assert len(console.splitlines()) == 1
        for word in ("rule r", "study a", "ZeroDivisionError", "by zero", "job.log"):
            assert word in console
        assert "Traceback (most recent call last)" in log
        assert "ZeroDivisionError: by zero" in log

    def test_a_job_of_no_study_names_its_rule(self, job):
        assert "rule r failed" in job("fault", "x")[1]
