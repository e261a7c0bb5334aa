"""The workflow on a Slurm cluster of this one machine: same bytes, few jobs, more memory."""

import subprocess
from importlib.util import find_spec

import cluster
import pytest
from projects import REPLICATED

pytestmark = [
    pytest.mark.skipif(
        bool(cluster.missing_programs()),
        reason=f"{', '.join(cluster.missing_programs())} not found: apt-get install slurm-wlm",
    ),
    pytest.mark.skipif(
        find_spec("snakemake_executor_plugin_slurm") is None,
        reason="snakemake-executor-plugin-slurm is in the cluster extra",
    ),
]
# As docs/cluster.md says, but asked every second how jobs are.
COMMAND = ("--workflow-profile", "slurm", "--slurm-init-seconds-before-status-checks", "1")


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A cluster that Snakemake finds; gives what it knows of its jobs, in their order."""
    (tmp_path / "slurm").mkdir()
    with cluster.one_node(tmp_path / "slurm") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

        def jobs() -> list[list[str]]:
            command = ["squeue", "--states=all", "--sort=i", "--noheader", "--format=%T %m %l %k"]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            return [line.split(maxsplit=3) for line in said.splitlines()]

        yield jobs


def test_studies_have_the_bytes_of_a_local_run(fresh, first_run, slurm):
    said = fresh.snakemake(*COMMAND, "--default-resources", "slurm_partition=short")
    assert fresh.files("results", "site") == first_run[0].files("results", "site")
    assert said.lines.count("toy: draw the figures") == 1
    assert {state for state, *_ in slurm()} == {"COMPLETED"}
    jobs = [comment.removeprefix("rule_").split("_")[0] for *_, comment in slurm()]
    assert jobs == ["study", "study"], "a study is one job"
    assert "No job memory" not in said.text
    assert "No wall time" not in said.text


def test_replications_and_a_large_study_have_the_bytes_of_a_local_run(fresh, replicated, slurm):
    fresh.configure(REPLICATED)
    fresh.edit("workflow/rules/resources.smk", "> 1_000_000 else", "> 10 else")
    fresh.snakemake(*COMMAND)
    assert fresh.files("results", "site") == replicated[0].files("results", "site")
    rules = sorted(comment.removeprefix("rule_").split("_")[0] for *_, comment in slurm())
    assert rules == ["experiments", "find", "find", "gather", "measure", "measure", "study"]


def test_a_job_out_of_memory_gets_twice_as_much(fresh, slurm):
    draw = "    data = simulate(**parameters)\n"
    hold = "    held = bytearray(600 * 2**20)\n    __import__('time').sleep(4)\n"
    fresh.edit("workflow/scripts/simulate_data.py", draw, hold + draw)
    fresh.snakemake(*COMMAND, "results/toy/truth.json")
    assert [job[:2] for job in slurm()] == [["FAILED", "660M"], ["COMPLETED", "1320M"]]
