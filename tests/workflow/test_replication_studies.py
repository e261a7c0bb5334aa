"""Replication studies in a run: only what is missing is computed, however it is cut into jobs."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from projects import AGAIN, PLAN, REPLICATED, SIMULATE, Project, replication_config

from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.run import replicate
from twolevel.experiments.scenario import Scenario


@pytest.fixture
def project(replicated, tmp_path) -> Project:
    return replicated[0].copy(tmp_path / "project")


def slices(project, name="plan"):
    folder = project.path / f"results/{name}/experiments"
    return {str(path.relative_to(folder)): path for path in folder.rglob("*-*[0-9].parquet")}


def planned_slices(project):
    text = project.snakemake("--summary").out
    return {
        re.search(r"experiments/(\S+)\.parquet", line)[1]
        for line in text.splitlines()
        if "\treplicate" in line and "update pending" in line and ".experiments." not in line
    }


def measures(project, name="plan"):
    return pd.read_parquet(project.path / f"results/{name}/measures.parquet")


def test_a_run_makes_pages_measures_and_figures(replicated):
    project, said = replicated
    assert said.lines[-1] == "Open site/index.html"
    index = (project.path / "site/index.html").read_text()
    for name in ("plan", "again"):
        assert f"{name}.html" in index
        assert (project.path / f"site/{name}.html").stat().st_size > 50_000
        assert len(list((project.path / f"results/{name}/figures").glob("*.svg"))) == 5
    assert len(slices(project)) == 1, "a job runs many blocks of many points"
    assert project.planned() == set()


def test_measures_are_those_of_the_librarys_own_experiments(replicated):
    table = measures(replicated[0])
    points = table[["subjects", "sigma_between", "missing"]].drop_duplicates()
    assert len(points) == 8
    fixed = {"conditions": PLAN["conditions"], "grand_mean": 5, "sigma_within": 1}
    for n, sigma, missing in points.itertuples(index=False):
        where = Scenario(subjects=int(n), sigma_between=sigma, missing=missing, **fixed)
        found = replicate(where, 60, seed=3)
        here = table[
            (table["subjects"] == n)
            & (table["sigma_between"] == sigma)
            & (table["missing"] == missing)
        ]
        value = here.set_index(["quantity", "method", "measure"])["value"]
        error = found["grand_mean"] - 5.5
        assert value["grand_mean", "", "bias"] == pytest.approx(error.mean(), rel=1e-9)
        power = found["p"].dropna() < 0.05
        assert value["condition", "kenward-roger", "power"] == pytest.approx(power.mean())
        assert value["failed", "", "rate"] == pytest.approx(found["failed"].mean())


def test_experiments_are_kept_on_request_only(replicated):
    path = replicated[0].path
    assert not list((path / "results/plan").rglob("*experiments.parquet"))
    table = pd.read_parquet(path / "results/again/experiments.parquet")
    assert len(table) == 2 * 40
    assert table.groupby("subjects")["experiment"].apply(list).tolist() == [list(range(40))] * 2
    estimate = json.loads((path / "results/toy/mixed.json").read_text())
    caution = json.loads((path / "results/again/subjects.json").read_text())["caution"]
    assert caution["F"] == estimate["anova"][0]["F"]
    where = Scenario(
        subjects=8,
        conditions={
            row["condition"]: caution["share"]
            * (row["estimate"] - estimate["grand_mean"]["estimate"])
            for row in estimate["means"]
        },
        grand_mean=estimate["grand_mean"]["estimate"],
        sigma_between=estimate["sigma_between"],
        sigma_within=estimate["sigma_within"],
    )
    found = replicate(where, 40)
    here = table[table["subjects"] == 8]
    np.testing.assert_allclose(here["grand_mean"], found["grand_mean"], rtol=1e-9)
    np.testing.assert_allclose(here["p"], found["p"], rtol=1e-6)


def test_a_changed_study_reruns_what_is_like_it(project):
    project.configure(
        {
            **REPLICATED,
            "studies": {"toy": {"simulate": {**SIMULATE, "seed": 2}}},
        }
    )
    planned = project.planned()
    assert ("replicate_and_keep", "again") in planned
    assert not any(study == "plan" for _, study in planned)


def test_a_new_value_computes_the_new_points_only(project):
    before = {name: path.read_bytes() for name, path in slices(project).items()}
    project.configure(replication_config(plan={**PLAN, "subjects": [4, 6, 9]}, again=AGAIN))
    assert planned_slices(project) == {
        "subjects=9/sigma_between=0_1.5/missing=0_0.2/replicates=same/0-60"
    }
    project.snakemake()
    after = slices(project)
    assert {name: after[name].read_bytes() for name in before} == before
    assert set(measures(project)["subjects"]) == {4, 6, 9}
    assert project.planned() == set()


def test_more_experiments_compute_the_missing_blocks_only(project):
    """From one block to two and a part of a third, and then whole; as if asked for at once."""
    plan = {**PLAN, "subjects": 4, "sigma_between": 1.5, "missing": 0.0}
    grid = "subjects=4/sigma_between=1.5/missing=0/replicates=same"
    for experiments, new in (
        (BLOCK, f"0-{BLOCK}"),
        (2 * BLOCK + 7, f"{BLOCK}-{2 * BLOCK + 7}"),
        (3 * BLOCK, f"{2 * BLOCK}-{3 * BLOCK}"),
    ):
        project.configure(replication_config(plan={**plan, "experiments": experiments}))
        assert planned_slices(project) == {f"{grid}/{new}"}
        project.snakemake("results/plan/measures.parquet")
        assert set(measures(project)["n"]) == {experiments}
    in_parts = (project.path / "results/plan/measures.parquet").read_bytes()
    for path in slices(project).values():
        path.unlink()
    project.snakemake("results/plan/measures.parquet")
    assert f"{grid}/0-{3 * BLOCK}.parquet" in slices(project)
    assert (project.path / "results/plan/measures.parquet").read_bytes() == in_parts


def test_fewer_experiments_or_points_use_what_is_there(project):
    project.configure(replication_config(plan={**PLAN, "subjects": 6}, again=AGAIN))
    assert planned_slices(project) == set()
    project.snakemake("results/plan/measures.parquet")
    assert set(measures(project)["subjects"]) == {6}


def test_another_parameter_computes_all_again(project):
    project.configure(replication_config(plan={**PLAN, "sigma_within": 2}, again=AGAIN))
    assert planned_slices(project) == {
        "subjects=4_6/sigma_between=0_1.5/missing=0_0.2/replicates=same/0-60"
    }


@pytest.mark.parametrize("key", ["title", "unit"])
def test_words_rerun_the_report_only(project, key):
    project.configure(replication_config(plan={**PLAN, key: "x"}, again=AGAIN))
    rules = {rule for rule, study in project.planned() if study == "plan"}
    assert rules == {"write_replication_report", "render_replication_report"}


def test_same_bytes_whatever_the_cores_and_the_folder(replicated, ran_once):
    whole = REPLICATED
    there = ran_once(
        "replicated-same", lambda p: p.configure(whole), "--cores", "1", folder="a longer name"
    )[0]
    here, there = (project.files("results", "site") for project in (replicated[0], there))
    assert set(here) == set(there)
    assert [name for name in here if here[name] != there[name]] == []


def test_what_is_no_design_to_replicate_is_refused_in_a_line(fresh):
    fresh.configure(
        {
            "studies": {
                "real": {
                    "data": "config/data/selfesteem.csv",
                    "formula": "score ~ time",
                    "subject": "id",
                }
            },
            "replications": {"plan": {"like": "reel", "subjects": 5}},
        }
    )
    said = fresh.snakemake("--dry-run", ok=False).text
    assert 'replications.plan.like: found "reel", which is no study (did you mean "real"?)' in said
    assert "Traceback" not in said
