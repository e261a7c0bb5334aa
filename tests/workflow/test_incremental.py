"""A run makes what its changes touch, and nothing else."""

import os
import re
from pathlib import Path

import pytest
from projects import CONFIG, ROOT, SIMULATE

from twolevel.pipeline.code import library_code

# Each rule with those whose files it reads; "data" stands for both ways to get a study's data.
READS = {
    "describe_design": {"data"},
    "fit_subjects": {"data"},
    "fit_hierarchical": {"fit_subjects"},
    "fit_mixed": {"data"},
    "check_mixed": {"data"},
    "partition_errors": {"data"},
    "compare_fits": {"fit_subjects", "fit_hierarchical", "fit_mixed", "partition_errors"},
    "plot_study": {
        *("data", "describe_design", "fit_subjects", "fit_hierarchical", "fit_mixed"),
        "check_mixed",
    },
    "write_report": {"data", "compare_fits", "check_mixed", "plot_study"},
    "render_report": {"write_report"},
    "build_site": {"describe_design", "fit_mixed", "render_report"},
}
# The scripts of replication studies, which test_replication_studies.py runs, and those that run
# only when they are asked for.
REPLICATION = {
    *("replicate", "gather_experiments", "measure_performance", "plot_replication"),
    *("find_subjects", "write_replication_report"),
    *("new_study", "reproduce"),
}
DATA = {"toy": "simulate_data", "real": "load_data"}
SITE = ("build_site", None)


def follow(rules, studies=DATA):
    """The jobs of these rules and of all that read what they make."""
    rules = set(rules)
    while more := {rule for rule, read in READS.items() if rule not in rules and read & rules}:
        rules |= more
    jobs = {(rule, study) for rule in rules - {"build_site", "data"} for study in studies}
    jobs |= {(DATA[study], study) for study in studies if "data" in rules}
    return jobs | {SITE}


def with_study(name, study):
    return {**CONFIG, "studies": {**CONFIG["studies"], name: study}}


def test_every_rule_is_in_the_map_above(imports):
    assert set(imports) == {*READS, *DATA.values(), *REPLICATION, "publish"}


def test_a_second_run_has_nothing_to_do(project):
    before = project.files("results", "site")
    run = project.snakemake()
    assert "Nothing to be done" in run.text
    assert project.planned() == set()
    assert project.files("results", "site") == before


def test_the_plan_asserted_on_is_that_of_a_dry_run(project):
    project.configure(with_study("toy", {"simulate": {**SIMULATE, "seed": 2}}))
    run = project.snakemake("--dry-run", "--quiet", "host")
    total = next(line for line in run.lines if line.startswith("total"))
    assert int(total.split()[1]) == len(project.planned()) + 1  # and the rule all


def test_a_seed_reruns_that_study_only(project):
    project.configure(with_study("toy", {"simulate": {**SIMULATE, "seed": 2}}))
    assert project.planned() == follow({"data"}, ["toy"])


def test_a_changed_table_reruns_that_study_only(project):
    project.edit("config/data/selfesteem.csv", "1,t1,4.005", "1,t1,4.006")
    assert project.planned() == follow({"data"}, ["real"])


def test_a_title_reruns_no_stage(project):
    project.configure(with_study("toy", {**CONFIG["studies"]["toy"], "title": "Toy"}))
    assert project.planned() == follow({"write_report"}, ["toy"])


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("study.qmd", follow({"write_report"})),
        ("study/design.qmd", follow({"write_report"})),
        ("page.css", follow({"write_report"})),
        ("page.js", follow({"write_report"})),
        ("live/start.js", follow({"write_report"})),
        ("index.qmd", {SITE}),
    ],
)
def test_prose_and_style_rerun_reports_and_site_only(project, file, expected):
    with (project.path / "reports" / file).open("a") as handle:
        handle.write("\n")
    assert project.planned() == expected


class TestLibrary:
    """Editing a module reruns the rules whose scripts import it, directly or not."""

    @pytest.fixture
    def using(self, imports, module):
        """The rules of studies and site whose scripts import a module."""
        rules = {rule for rule in imports if f"twolevel.{module}" in imports[rule]["with_lazy"]}
        return rules - REPLICATION

    @pytest.mark.parametrize(
        ("module", "first"),
        [
            ("model.criterion", {"fit_mixed", "check_mixed"}),
            ("figures.sources", {"plot_study"}),
            ("figures.registry", {"write_report"}),
            ("strata.sphericity", {"partition_errors", "check_mixed"}),
            ("experiments.simulation", {"simulate_data"}),
            ("pipeline.tables.survey", {"load_data"}),
            ("findings.headline", {"write_report"}),
            ("findings.remarks", {"write_report"}),
            ("findings.testimony", {"write_report"}),
            ("page.pandoc", {"render_report", "build_site"}),
            ("page.templates", {"write_report", "build_site"}),
        ],
    )
    def test_a_module_is_run_by_what_needs_it(self, using, first):
        assert using == first

    # Between them, of every rule.
    @pytest.mark.parametrize(
        "module",
        ["model.criterion", "experiments.simulation", "page.pandoc", "files.stage_files"],
    )
    def test_an_edited_module(self, project, using, module):
        assert using
        with (project.path / f"workflow/twolevel/{module.replace('.', '/')}.py").open("a") as file:
            file.write("\n# edited\n")
        expected = follow(using - set(DATA.values()))
        for study, rule in DATA.items():
            if rule in using:
                expected |= follow({"data"}, [study])
        assert project.planned() == expected

    def test_an_edited_figure_is_drawn_anew(self, project):
        """No import statement names the modules that draw."""
        with (project.path / "workflow/twolevel/figures/of_study/caterpillar.py").open("a") as file:
            file.write("\n# edited\n")
        assert project.planned() == follow({"plot_study"})

    def test_a_touched_file_plans_nothing(self, project):
        folders = ["workflow/twolevel", "reports", "config/data"]
        for path in (p for folder in folders for p in (project.path / folder).rglob("*.*")):
            os.utime(path)
        assert project.planned() == set()

    def test_the_modules_tracked_are_those_imported(self, imports):
        for name, found in imports.items():
            tracked = library_code(ROOT / f"workflow/scripts/{name}.py")
            assert set(tracked) == set(found["with_lazy"]), name

    def test_more_than_at_import_is_tracked_only_for_imports_inside_functions(self, imports):
        """Of a function, or of a module that a function imports."""
        text = "".join(path.read_text() for path in (ROOT / "workflow").rglob("*.py"))
        for found in imports.values():
            lazy = set(found["with_lazy"]) - set(found["eager"])
            for module in lazy:
                package, _, name = module.rpartition(".")
                named = rf"(from|import) ({module}|\.*{name}|{package} import .*{name})\b"
                by_others = "".join(
                    path.read_text()
                    for path in (ROOT / "workflow/twolevel").rglob("*.py")
                    if ".".join(path.relative_to(ROOT / "workflow").with_suffix("").parts) in lazy
                )
                inside = re.search(rf"^ +{named}", text, re.M)
                assert inside or re.search(rf"^{named}", by_others, re.M), module

    @pytest.mark.parametrize(
        "line",
        [
            "import twolevel.numeric.tails",
            "from twolevel.numeric import tails",
            "from twolevel.numeric.tails import *",
            "def f():\n    import twolevel.numeric.tails as t",
            "if True:\n    async def f():\n        from twolevel.numeric import tails as t",
            "try:\n    f()\nexcept OSError:\n    import twolevel.numeric.tails",
            "match f():\n    case 1:\n        import twolevel.numeric.tails",
        ],
    )
    def test_every_way_to_import_is_seen(self, tmp_path, line):
        (tmp_path / "script.py").write_text(line)
        assert set(library_code(tmp_path / "script.py")) == {
            "twolevel",
            "twolevel.numeric",
            "twolevel.numeric.tails",
        }


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("observations.parquet", "data"),
        ("level1.json", "fit_subjects"),
        ("tables/anova.csv", "partition_errors"),
        ("figures/covariance.svg", "plot_study"),
        ("report/report.qmd", "write_report"),
        ("report.html", "render_report"),
    ],
)
def test_a_deleted_file_is_made_again(project, file, rule):
    (project.path / "results/toy" / file).unlink()
    assert project.planned() == follow({rule}, ["toy"])


def test_a_deleted_page_of_the_site_is_made_again(project):
    (project.path / "site/real.html").unlink()
    assert project.planned() == {SITE}


def test_what_is_made_again_is_the_same(project):
    before = project.files("results", "site")
    for file in ["results/real/hierarchical.json", "results/real/figures/distributions.svg"]:
        (project.path / file).unlink()
    project.snakemake()
    assert project.files("results", "site") == before
    assert project.planned() == set()


def test_an_added_study_reruns_no_other(project):
    project.configure(with_study("more", {"simulate": {**SIMULATE, "seed": 3}}))
    planned = project.planned()
    assert {study for _, study in planned} == {"more", None}
    assert planned == {(rule, "more") for rule in [*READS, "simulate_data"]} - {
        ("build_site", "more")
    } | {SITE}


def test_a_removed_study_leaves_the_index(project):
    assert "toy.html" in (project.path / "site/index.html").read_text()
    project.configure({**CONFIG, "studies": {"real": CONFIG["studies"]["real"]}})
    assert project.planned() == {SITE}
    project.snakemake()
    index = Path(project.path / "site/index.html").read_text()
    assert "toy.html" not in index
    assert "real.html" in index
    assert project.planned() == set()
