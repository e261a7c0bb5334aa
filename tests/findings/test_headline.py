"""Claims of the headline, from summaries made by hand."""

from dataclasses import replace

import example_summaries
import pytest
from example_summaries import MIXED, NO_TEST, POOLED, term

from twolevel.findings.headline import headline
from twolevel.findings.results import Results
from twolevel.text.markdown import Markdown


def study(partitioned=None, comparison=None, unit=None, checks=None, **mixed):
    """Three levels of `time` in ten subjects, with a clear effect; mixed changes its fit."""
    return Results(
        design=example_summaries.design(),
        level1=None,
        two_stage=None,
        mixed=example_summaries.mixed(**mixed),
        checks=example_summaries.checks(**(checks or {})),
        anova=example_summaries.anova(**(partitioned or {})),
        comparison=example_summaries.comparison(**(comparison or {})),
        truth=None,
        unit=unit,
    )


def claims(found):
    return {claim.of: claim for paragraph in headline(found, Markdown("")) for claim in paragraph}


def said(found, of):
    return claims(found)[of].said.replace("\\", "")


def test_a_clear_effect_its_means_and_its_pairs():
    found = study()
    assert said(found, "time").startswith("**Mean score differs between the levels of time** (")
    assert claims(found)["time"].clear
    assert claims(found)["time"].numbers["p"] == 0.001
    assert said(found, "means") == "The means are 1.000 (a), 2.000 (b) and 3.000 (c)."
    assert "Pairs that differ (Holm-adjusted p < .05): c above a;" in said(found, "pairs")


@pytest.mark.parametrize("p", [0.3, None])
def test_an_effect_that_is_not_clear_is_not_called_absent(p):
    found = study(anova=[term("time", p)])
    text = said(found, "time")
    assert text.startswith("**The data show no" if p else "**No overall test says whether")
    assert claims(found)["time"].clear is (False if p else None)


def test_subjects_that_differ_may_differ_or_not():
    assert claims(study())["subjects"].clear
    weak = study(between_variance=MIXED["between_variance"] | {"p": 0.4})
    assert said(weak, "subjects").startswith(
        "**The data do not clearly show that subjects differ**"
    )
    assert not claims(weak)["subjects"].clear
    none = study(boundary=True, sigma_between=0.0)
    assert "exactly 0 (95 % profile-likelihood interval up to 4.00)" in said(none, "subjects")
    assert "icc" not in claims(none)


def test_the_unit_stands_behind_each_number_of_it():
    assert "standard deviation of 2.00**\u00a0ms" in said(study(unit="ms"), "subjects")
    assert said(study(unit="ms"), "means").startswith("The means, in ms, are")


def test_methods_that_differ_are_not_said_to_agree():
    found = study(partitioned={"available": False}, comparison={"agree": False})
    assert said(found, "agreement").startswith("No exact ANOVA exists")
    assert claims(found)["agreement"].clear is False
    boundary = study(comparison={"agree": False})
    assert "agreement" not in claims(boundary)


def test_pooled_strata_are_a_caution():
    found = study(checks={"pooled": POOLED})
    assert said(found, "caution").startswith("**Errors are pooled here**")


@pytest.mark.parametrize("p", [0.01, 0.4])
def test_a_slope_that_another_model_tests_has_no_interval_of_this_one(p):
    slope = {"variable": "time", "term": "time", "estimate": 2.0, "se": 0.5} | NO_TEST
    slope |= {"t": 5.0**0.5, "p": 0.001, "ci_low": 1.0, "ci_high": 3.0}
    assert "(95 % interval 1.000 to 3.000; Kenw" in said(study(slopes=[slope]), "time")
    pooled = POOLED | {"tests": [term("time", p, F=2.0)]}
    found = study(slopes=[slope], checks={"pooled": pooled})
    rises = "**Mean score rises by 2.000 per unit of time** (with all"
    unclear = (
        "**The data show no clear change of mean score with time** (per unit, it rises by 2.000; "
    )
    assert said(found, "time").startswith(rises if p < 0.05 else f"{unclear}with all")
    assert claims(found)["time"].clear == (p < 0.05)


def test_names_from_the_table_stay_text():
    columns = {"subject": "id", "condition": "time", "response": "a*b_<i>"}
    found = study()
    found = replace(found, design=example_summaries.design(columns=columns))
    assert r"a\*b\_\<i\>" in claims(found)["time"].said


@pytest.mark.parametrize("averaged", [False, True])
def test_corrected_tests_are_of_the_means_of_cells_where_these_were_taken(averaged):
    """In a design of two factors levels hold several rows, and cells one."""
    row = {"term": "time", "stratum": "id:time", "effect": ["time"], "contrasts": 2, "F": 9.0}
    row |= {"mauchly_w": 0.9, "mauchly_p": 0.001}
    for label in ("gg", "hf"):
        row |= {f"{label}_epsilon": 0.6, f"p_{label}": 0.01}
        row |= {f"df_num_{label}": 1.2, f"df_den_{label}": 10.8}
    cells = {"n_rows": 60, "n_cells": 30, "fewest": 2, "most": 2, "per_cell": 2.0, "ss": 1.0}
    found = study({"sphericity": [row], "averaged": cells if averaged else None})
    found = replace(found, design=example_summaries.design(replicated=True))
    assert ("ANOVA of the means of cells" in said(found, "sphericity")) == averaged
