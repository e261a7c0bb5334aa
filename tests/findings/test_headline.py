"""Claims of the headline, from summaries made by hand."""

from dataclasses import replace

import pytest

from twolevel.findings.headline import headline
from twolevel.findings.results import Results
from twolevel.text.markdown import Markdown

LOOKS = {"looks": {}}


def term(name, p, F=5.0, df=(2, 20.0)):
    return {"term": name, "F": F, "df_num": df[0], "df_den": df[1], "p": p}


def mean(level, estimate, key="condition"):
    return {key: level, "estimate": estimate}


def contrast(pair, estimate, p):
    return {"contrast": pair, "estimate": estimate, "p": p, "ci_low": 0.0, "ci_high": 1.0}


def study(anova=None, comparison=None, unit=None, checks=None, **mixed):
    """Three levels of `time` in ten subjects, with a clear effect; mixed changes its fit."""
    summary = {
        "formula": "score ~ time",
        "anova": [term("time", 0.001)],
        "terms": {"time": ["time"]},
        "held_at_zero": {},
        "slopes": [],
        "factors": [],
        "means": [mean("a", 1.0), mean("b", 2.0), mean("c", 3.0)],
        "contrasts": [
            contrast("a - b", -1.0, 0.2),
            contrast("a - c", -2.0, 0.001),
            contrast("b - c", -1.0, 0.2),
        ],
        "adjust": "holm",
        "level": 0.95,
        "boundary": False,
        "sigma_between": 2.0,
        "sigma_within": 1.0,
        "icc": 0.8,
        "between_variance": {"p": 0.001},
        "intervals": [
            {"parameter": "sigma_between", "profile_low": 1.0, "profile_high": 4.0},
            {"parameter": "icc", "profile_low": 0.5, "profile_high": 0.9},
        ],
        "grand_mean": {"estimate": 2.0, "se": 0.5},
    }
    met = {
        "subject_condition": None,
        "own_slopes": None,
        "response_values": None,
        "repeated_within": [],
        "unconnected": None,
        "diagnostics": LOOKS,
        "following": None,
        "level": 0.95,
    }
    design = {"conditions": ["a", "b", "c"], "balanced": True, "replicated": False}
    labels = {"subject": "id", "condition": "time", "response": "score"}
    comparison = comparison or {"agree": True, "most_apart": None}
    mixed, checks, anova = summary | mixed, met | (checks or {}), anova or {"available": True}
    return Results(
        design=design,
        level1={},
        two_stage={},
        mixed=mixed,
        checks=checks,
        anova=anova,
        comparison=comparison,
        truth=None,
        labels=labels,
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
    assert "Pairs that differ (Holm-adjusted p < 0.05): c above a;" in said(found, "pairs")


@pytest.mark.parametrize("p", [0.3, None])
def test_an_effect_that_is_not_clear_is_not_called_absent(p):
    found = study()
    found = replace(found, mixed=found.mixed | {"anova": [term("time", p)]})
    text = said(found, "time")
    assert text.startswith("**The data show no" if p else "**No overall test says whether")
    assert claims(found)["time"].clear is (False if p else None)


def test_subjects_that_differ_may_differ_or_not():
    assert claims(study())["subjects"].clear
    weak = study(between_variance={"p": 0.4})
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
    found = study(anova={"available": False}, comparison={"agree": False, "most_apart": None})
    assert said(found, "agreement").startswith("No exact ANOVA exists")
    assert claims(found)["agreement"].clear is False
    boundary = study(comparison={"agree": False, "most_apart": None})
    assert "agreement" not in claims(boundary)


def test_pooled_strata_are_a_caution_and_said_of_the_agreement():
    found = study(checks={"repeated_within": ["a", "b"]})
    assert said(found, "caution").startswith("**One error for all terms within subjects**")
    assert said(found, "agreement").endswith("all three pool what a partitioned ANOVA keeps apart.")


def test_names_from_the_table_stay_text():
    found = study()
    found = replace(found, labels=found.labels | {"response": "a*b_<i>"})
    assert r"a\*b\_\<i\>" in claims(found)["time"].said
