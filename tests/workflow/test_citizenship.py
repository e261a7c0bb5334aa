"""What a user of Snakemake expects of a workflow works here."""

import json
import os
import re
import sys
import zipfile
from subprocess import run

import pytest
import yaml
from projects import CONFIG, ROOT, SIMULATE, Project

RULES = {
    *("simulate_data", "load_data", "describe_design", "fit_subjects", "fit_hierarchical"),
    *("fit_mixed", "check_mixed", "partition_errors", "compare_fits", "plot_study"),
    *("write_report", "render_report", "build_site"),
}
REPLICATION_RULES = {
    *("replicate", "replicate_and_keep", "gather_experiments", "measure_performance"),
    "find_subjects",
    *("plot_replication", "write_replication_report", "render_replication_report"),
}
# No part of a run.
BESIDE = {"new_study", "reproduce", "publish", "figures_for_paper"}
BESIDE |= {"plot_study_for_paper", "plot_replication_for_paper"}
BESIDE |= {"render_paper", "render_replication_paper"}
JOBS = 2 * (len(RULES) - 2) + 1  # each study has one way to get its data; one site


def test_lint_is_clean(fresh):
    said = fresh.snakemake("--lint").text
    assert "good condition" in said
    assert "Lints for" not in said


def test_snakefmt_is_clean():
    pytest.importorskip("snakefmt", reason="snakefmt is in the dev extra")
    command = [sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow"]
    done = run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_rule_is_listed_with_what_it_does(fresh):
    lines = fresh.snakemake("--list-rules").out.splitlines()
    listed = dict(re.fullmatch(r"(\w+)(?: \((.+)\))?", line).groups() for line in lines)
    assert set(listed) == RULES | REPLICATION_RULES | BESIDE | {"all"}
    assert [name for name, about in listed.items() if not about] == []


@pytest.mark.parametrize("option", ["--dag", "--rulegraph"])
def test_graphs_are_printed(first_run, option):
    graph = first_run[0].snakemake(option).out
    assert graph.startswith("digraph")
    labels = {label.split("\\n")[0] for label in re.findall(r'label = "([^"]+)"', graph)}
    assert labels == RULES | {"all"}


def test_snakemakes_own_report_holds_pages_figures_and_tables(project):
    project.snakemake("--report", "report.zip")
    with zipfile.ZipFile(project.path / "report.zip") as archive:
        names = [name.rsplit("/", 1)[1] for name in archive.namelist()]
        page = archive.read("report/report.html").decode()
    figures = [path.name for path in (project.path / "results/toy/figures").iterdir()]
    tables = [path.name for path in (project.path / "results/toy/tables").iterdir()]
    assert len(figures) == 15
    for name in figures + tables:
        assert names.count(name) == 2, name
    assert {"index.html", "report.html"} <= set(names)
    results, categories = (
        json.JSONDecoder().raw_decode(page.split(f'id="{name}">')[1].split("= ", 1)[1])[0]
        for name in ("results", "categories")
    )
    assert set(categories) == {"toy", "real", "site"}
    for study in ("toy", "real"):
        shown = [file for group in categories[study].values() for file in group]
        labels = [str(results[file]["labels"]) for file in shown]
        assert len(labels) == len(figures) + len(tables) + 1
        assert len(set(labels)) == len(labels), "two results have the same labels"


def test_it_is_a_module_of_another_workflow(fresh, tmp_path):
    host = Project(tmp_path / "host")
    (host.path / "config").mkdir(parents=True)
    config = {"studies": {"toy": {"simulate": SIMULATE}}, "report": {"renderer": "pandoc"}}
    host.configure({"other": 1, "twolevel": config})
    (host.path / "Snakefile").write_text(f"""
configfile: "config/config.yaml"

module twolevel:
    snakefile: {str(fresh.path / "workflow/Snakefile")!r}
    config: config["twolevel"]
    prefix: "part"

use rule * from twolevel as twolevel_*

rule mine:
    input: rules.twolevel_build_site.output.index
    output: "mine.txt"
    default_target: True
    shell: "wc -c {{input}} > {{output}}"
""")
    plan = host.snakemake("--dry-run", "--cores", "2", "--quiet", "host").text
    assert "twolevel_fit_mixed" in plan
    host.snakemake("--cores", "2")
    assert {path.name for path in host.path.iterdir()} == {
        *("Snakefile", ".snakemake", "config", "mine.txt", "part")
    }
    made = {path.name for path in (host.path / "part").iterdir()}
    assert made == {"results", "site", "logs", "benchmarks"}
    assert "toy" in (host.path / "part/site/index.html").read_text()
    assert "Nothing to be done" in host.snakemake("--cores", "2").text


class TestPlainRun:
    """`snakemake` at the root, without arguments."""

    def test_the_profile_is_found_and_takes_all_cores(self, first_run):
        project, said = first_run
        assert "profiles/default" in said.text
        profile = yaml.safe_load((project.path / "profiles/default/config.yaml").read_text())
        assert profile["cores"] == "all"

    def test_the_last_line_names_the_page(self, first_run):
        assert first_run[1].lines[-1] == "Open site/index.html"

    def test_so_it_does_when_there_is_nothing_to_do(self, project):
        assert project.snakemake().lines[-1] == "Open site/index.html"

    def test_a_page_that_was_not_made_is_not_named(self, fresh):
        assert "Open" not in fresh.snakemake("results/real/design.json").text
        assert "Open" not in fresh.snakemake("--dry-run").text

    def test_each_job_is_one_line_in_plain_words(self, first_run):
        lines = first_run[1].lines
        for study in ("toy", "real"):
            assert lines.count(f"{study}: fit the mixed model") == 1
        assert lines.count("build the site") == 1
        assert len(lines) <= JOBS + 10


class TestSameBytes:
    """Same config, same bytes: here with all cores and one thread each, there with 1 and 2.

    And in a folder whose name has blanks, marks and letters of all kinds.
    """

    @pytest.fixture
    def there(self, ran_once):
        name, threads = "Ärger mit $HOME; 'q' \"数\" & #1 %20", {"OPENBLAS_NUM_THREADS": "2"}
        how = {"folder": name, "environment": threads}
        return ran_once("same", lambda project: None, "--cores", "1", **how)

    @pytest.fixture
    def both(self, first_run, there):
        return first_run[0], there[0]

    def test_without_trouble(self, there):
        assert "Traceback" not in there[1].text

    def test_whatever_the_cores_and_the_folder(self, both):
        here, there = (project.files("results", "site") for project in both)
        assert set(here) == set(there)
        assert {name.rpartition(".")[2] for name in here} >= {
            *("parquet", "json", "csv", "svg", "qmd", "html")
        }
        assert [name for name in here if here[name] != there[name]] == []

    def test_no_path_of_this_machine_is_published(self, both):
        for project in both:
            paths = {str(ROOT), str(project.path), os.path.expanduser("~") + "/", sys.prefix}
            for name, content in project.files("results", "site").items():
                assert [path for path in paths if path.encode() in content] == [], name


def test_the_workflow_catalog_finds_what_it_needs():
    entry = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert {"mandatory-flags", "software-stack-deployment"} & set(entry["usage"])
    assert (ROOT / "config/README.md").is_file()


def test_the_small_project_has_the_rules_named_here():
    files = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    every = set(re.findall(r"^(?:rule|use rule \w+ as) (\w+)\b", "".join(files), re.M))
    assert every == RULES | REPLICATION_RULES | BESIDE
    assert len(CONFIG["studies"]) == 2


def test_actions_on_github_are_pinned_and_run_what_is_run_here():
    jobs = {}
    for path in (ROOT / ".github/workflows").iterdir():
        jobs |= yaml.safe_load(path.read_text())["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert [action for action in actions if not re.search("@[0-9a-f]{40}$", action)] == []
    assert {".ci/run", "snakemake --show-failed-logs"} <= {step.get("run") for step in steps}
    assert "site" in [step.get("with", {}).get("path") for step in steps]
