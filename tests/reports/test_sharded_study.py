"""A study whose table is read in parts: the same numbers, and a page that says so."""

import json

import numpy as np
import pytest
from test_study_report import ALONE, MIXED, STUDIES, Page, build, real

from twolevel.design import shards
from twolevel.pipeline.tables import observations, stored

BOTH = {name: STUDIES[name] for name in ("split_plot", "unbalanced", "mean")} | {
    "numeric": real("sleepstudy.csv", f"y ~ condition{ALONE}", unit="ms"),
    "replicates": real("replicates.csv", f"y ~ condition{ALONE}"),
    "slopes": real("sleepstudy.csv", "y ~ condition", unit="ms"),
    "strata": real("replicates.csv", "y ~ condition"),
}
# Of the sample: the rest is the same whatever is held in memory.
OF_SAMPLE = {"diagnostics", "following", "covariance", "influence", "witnesses"}


@pytest.fixture
def in_parts(monkeypatch):
    """Called, it has all tables that are read from then on read in parts."""

    def begin():
        monkeypatch.setattr(stored, "IN_MEMORY", 20)
        monkeypatch.setattr(stored, "PART", 7)
        monkeypatch.setattr(observations, "IN_MEMORY", 1)

    return begin


@pytest.fixture(params=BOTH)
def both(request, tmp_path, in_parts):
    """The folders of a study built whole, and in parts."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    build(request.param, whole, BOTH[request.param])
    in_parts()
    build(request.param, parts, BOTH[request.param])
    return whole, parts


def agree(one, other, place=""):
    """Equal up to rounding, whatever the depth."""
    assert type(one) is type(other), place
    if place.rpartition(".")[2].startswith(("bootstrap_", "percentile_", "bca_")):
        # Drawn along axes that rounding may turn where several are equally good.
        np.testing.assert_allclose(one, other, rtol=0.1, atol=0.2, err_msg=place)
    elif isinstance(one, dict):
        # Cells are averaged, and differences standardised, of a table in memory only.
        assert {key for key in one if not key.startswith(("d_z", "d_av"))} == other.keys(), place
        for key in other:
            agree(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), place
        for k, (a, b) in enumerate(zip(one, other, strict=True)):
            agree(a, b, f"{place}[{k}]")
    elif isinstance(one, float):
        # p values of large statistics multiply their rounding.
        rtol = 1e-9 if place.endswith((".p", "].p")) else 1e-12
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-11, err_msg=place)
    else:
        assert one == other, place


def test_numbers_are_those_of_the_whole_table(both):
    for name in ("design", "level1", "hierarchical", "mixed", "checks", "anova", "comparison"):
        one, other = (json.loads((folder / f"{name}.json").read_text()) for folder in both)
        for key in OF_SAMPLE | {"sampled"}:
            one.pop(key, None), other.pop(key, None)
        agree(one, other, name)
    for table in {*MIXED, "subjects", "anova", "comparison"} - {"influence"}:
        one, other = ((folder / "tables" / f"{table}.csv").read_text() for folder in both)
        assert len(one.splitlines()) == len(other.splitlines())


def test_the_page_says_what_rests_on_the_sample(both):
    whole, parts = (Page((folder / "report.html").read_text()) for folder in both)
    assert "read in parts" in parts.text
    assert "read in parts" not in whole.text


def test_what_a_table_in_parts_pools_is_tested_as_in_memory(tmp_path, in_parts):
    in_parts()
    build("numeric", tmp_path, BOTH["numeric"])
    text = " ".join(Page((tmp_path / "report.html").read_text()).text.split())
    assert "Errors are pooled here: each subject’s data support its own slope of condition" in text
    assert "A model with it gives other tests: condition, F(1, 17) = 45.85" in text
    assert json.loads((tmp_path / "mixed.json").read_text())["random"] == "(1 | subject)"


def test_few_rows_of_many_can_be_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "IN_MEMORY", 20)
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 60)
    build("split_plot", tmp_path)
    design = json.loads((tmp_path / "design.json").read_text())
    assert design["n_observations"] == 135
    assert 40 < design["sampled"]["n_observations"] < 90
