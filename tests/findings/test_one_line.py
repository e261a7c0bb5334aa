"""The one line under which a part of a report is folded."""

from dataclasses import replace

import example_summaries
import pytest
from example_summaries import anova, checks, comparison, design, looks
from test_walk import study

from twolevel.findings.one_line import one_line

FIRST = {"subject": "7", "cooks_distance": 0.25}
TEST = {"term": "time", "low": 0.0001, "high": 0.003, "changed": []}


def left_out(refits=10, **test):
    return {"subjects": [FIRST], "not_estimable": 0, "refits": refits, "tests": [TEST | test]}


def test_no_single_subject_changes_a_conclusion_or_one_does():
    line = one_line(study(influence=left_out()))["influence"]
    assert line == (
        "No single subject changes a conclusion; Cook’s distance is at most 0.250, of subject 7."
    )
    line = one_line(study(influence=left_out(changed=["7", "9"])))["influence"]
    assert line.startswith("A conclusion rests on single subjects: without 7 and 9, one at a time")
    assert "the test of time falls on the other side of p = 0.05" in line
    both = left_out() | {"tests": [TEST | {"changed": ["7"]}] * 2}
    line = one_line(study(influence=both))["influence"]
    assert "at a time, the tests of time and time fall on" in line
    line = one_line(study(influence=left_out(refits=4)))["influence"]
    assert line.startswith("No single subject of the 4 that move the fixed effects most changes")
    line = one_line(study(influence=left_out(refits=0)))["influence"]
    assert line == "Cook’s distance is at most 0.250, of subject 7."


def look(p):
    return {"statistic": 0.5, "p": p, "expected": 0.0}


@pytest.mark.parametrize(
    ("spread", "conditions", "said"),
    [
        (0.014, 0.118, "Against the model’s assumptions: residuals do not spread equally."),
        (0.03, 0.118, "No clear sign against the model’s assumptions (smallest p = .060)."),
        (0.3, None, "No clear sign against the model’s assumptions (smallest p = .300)."),
    ],
)
def test_two_looks_at_the_residuals_spread_are_one_test(spread, conditions, said):
    found = {"spread": look(spread)} | ({"conditions": look(conditions)} if conditions else {})
    assert (
        one_line(replace(study(), checks=checks(diagnostics=looks(**found))))["assumptions"] == said
    )


def test_a_look_that_warns_is_in_the_line():
    diagnostics = looks(residual=look(0.001), random_effect=look(0.5), neighbours=look(0.01))
    line = one_line(replace(study(), checks=checks(diagnostics=diagnostics)))["assumptions"]
    assert line == (
        "Against the model’s assumptions: residuals are not normal and neighbouring residuals are "
        "alike."
    )
    few = checks(diagnostics=looks(residual=look(0.001)), response_values=[0.0, 1.0])
    line = one_line(replace(study(), checks=few))["assumptions"]
    assert line == "Against the model’s assumptions: the response takes few values."


def test_cells_are_counted():
    line = one_line(replace(study(), design=design(empty_cells=1, per_cell=[0, 1])))["cells"]
    assert line == "1 of 30 cells is empty, and no subject is dropped for that."
    line = one_line(replace(study(), design=design(per_cell=[1, 3])))["cells"]
    assert line == "Cells hold between 1 and 3 observations, each of which counts."


def test_lines_of_tests_have_their_p():
    lines = one_line(study())
    assert lines["subjects differ"] == (
        "Subjects differ: the exact test of $\\sigma_b = 0$ has p = .001."
    )
    weak = example_summaries.MIXED["between_variance"] | {"p": 0.4}
    line = one_line(study(between_variance=weak))["subjects differ"]
    assert line.startswith("Subjects do not clearly differ: ")
    assert lines["explained"] == (
        "The fixed effects account for 20 %, with the subjects for 80 % of the variance."
    )
    assert lines["likelihood"] == "$\\sigma_b$ has the 95 % interval 1.00 to 4.00."


@pytest.mark.parametrize(
    ("agree", "said"),
    [
        ([True, True], "Each term’s test is the same by the mixed model and by the ANOVA."),
        ([True, False], "Of 2 tests, 1 agrees between the mixed model and the ANOVA."),
        ([False, False], "The mixed model and the ANOVA differ in the test of time and time."),
    ],
)
def test_where_the_anova_tests_otherwise_is_in_the_line(agree, said):
    found = study()
    row = {"term": "time", "stratum": "id:time", "F_mixed": 9.0, "F_anova": 9.0, "df_num": 2}
    row |= {"df_den_mixed": 8.0, "df_den_anova": 8, "p_mixed": 0.01, "p_anova": 0.01}
    tests = [row | {"agree": each} for each in agree]
    assert one_line(replace(found, comparison=comparison(tests=tests)))["strata"] == said


def test_sphericity_in_a_line():
    row = {"term": "time", "stratum": "id:time", "effect": ["time"], "contrasts": 2, "F": 9.0}
    row |= {"mauchly_w": 0.9, "mauchly_p": 0.6}
    for label in ("gg", "hf"):
        row |= {f"{label}_epsilon": 0.9, f"p_{label}": 0.01}
        row |= {f"df_num_{label}": 1.8, f"df_den_{label}": 16.0}
    for changes, said in (
        ({}, "No clear evidence against sphericity (Mauchly’s test, p = .600)."),
        ({"mauchly_p": 0.001}, "Sphericity fails for time (smallest epsilon 0.900)."),
        ({"contrasts": 1}, "Sphericity holds: each effect within subjects has one degree of"),
    ):
        found = replace(study(), anova=anova(sphericity=[row | changes]))
        assert one_line(found)["sphericity"].startswith(said)
