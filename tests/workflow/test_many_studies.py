"""What a study among many costs before anything runs, and while others do."""

import json
import resource
import subprocess
import sys

from projects import SIMULATE

# Building the jobs of 1,000 studies is to take less than 30 s; other processes may be busy too.
SECONDS_PER_STUDY = 0.03
SLACK = 2


def dry_run(project, count):
    """Seconds of processor time that `snakemake -n` takes for so many studies."""
    (project.path / "table.csv").write_text("id,time,score\n1,a,1\n1,b,3\n2,a,2\n2,b,2\n")
    table = {"data": "table.csv", "formula": "score ~ time", "subject": "id"}
    kinds = [{"simulate": SIMULATE}, table]
    project.configure({"studies": {f"study{k}": kinds[k % 2] for k in range(count)}})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "all"]
    subprocess.run(command, cwd=project.path, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_another_study_costs_the_same_among_many(fresh):
    few, more = 5, 155
    each = (dry_run(fresh, more) - dry_run(fresh, few)) / (more - few)
    assert each < SLACK * SECONDS_PER_STUDY, f"{each:.3f} s for each study"


def test_the_scheduler_looks_for_jobs_only_when_one_has_ended(fresh):
    names = [f"study{k}" for k in range(6)]
    fresh.configure({"studies": {name: {"simulate": SIMULATE} for name in names}})
    targets = [f"results/{name}/truth.json" for name in names]
    run = fresh.snakemake("--cores", "1", "--verbose", *targets)
    assert run.text.count("Ready jobs:") == len(names)


def test_every_stage_has_the_random_part_that_the_formula_names(ran_once):
    """Days support slopes of subjects' own, which bars overrule in step 2 as in the model."""
    formula = "reaction ~ day + (1 | id)"
    study = {"data": "config/data/sleepstudy.csv", "formula": formula, "subject": "id"}
    targets = [f"results/sleep/{stage}.json" for stage in ("level1", "design")]
    project, _ = ran_once(
        "bars", lambda project: project.configure({"studies": {"sleep": study}}), *targets
    )
    level1, design = (json.loads((project.path / target).read_text("utf-8")) for target in targets)
    assert design["random_part"]["random"] == "(1 | id)"
    assert "own" not in level1
