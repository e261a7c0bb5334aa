"""What the page draws other subjects from, and what it shows of each."""

from dataclasses import replace

import example_summaries
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_headline import study

from twolevel.findings.live.drawn_again import MOST_OBSERVATIONS, drawn_again
from twolevel.findings.live.each_subject import each_subject

LINES = {"formula": "1 + time", "within": [], "effects": ["(Intercept)", "time"]}


def variance(parameter, grp, var1, var2, vcov):
    sdcor = vcov**0.5 if vcov >= 0 else -0.5
    return dict(parameter=parameter, grp=grp, var1=var1, var2=var2, vcov=vcov, sdcor=sdcor)


def lines(at, covariance, terms=(LINES,)):
    """A study in which subjects have lines of their own over the numbers `at`."""
    rows = [
        variance("sigma_between", "id", "(Intercept)", None, covariance[0][0]),
        variance("sd_time|id", "id", "time", None, covariance[1][1]),
        variance("cor", "id", "(Intercept)", "time", covariance[0][1]),
        variance("sigma_within", "Residual", None, None, 1.0),
    ]
    means = [example_summaries.mean(value, 10.0 + 2 * value) for value in at]
    found = study(random_terms=list(terms), varcorr=rows, means=means)
    design = example_summaries.design(conditions=list(at), per_subject=[len(at)] * 2)
    return replace(found, design=design)


def test_subjects_are_drawn_as_the_model_has_them():
    model = drawn_again(study())
    assert (model["mean"], model["between"], model["within"]) == (2.0, 2.0, 1.0)
    assert (model["observations"], model["shared"], model["line"]) == (3, True, None)


@given(
    st.lists(st.integers(-9, 9), min_size=3, max_size=8, unique=True),
    st.floats(0.1, 5),
    st.floats(0.1, 5),
    st.floats(-0.9, 0.9),
)
def test_of_lines_their_value_at_the_middle_is_drawn(at, sd_intercept, sd_slope, correlation):
    between = sd_intercept * sd_slope * correlation
    covariance = np.array([[sd_intercept**2, between], [between, sd_slope**2]])
    model = drawn_again(lines(at, covariance))
    z = np.array([1.0, np.mean(at)])
    assert model["between"] ** 2 == pytest.approx(z @ covariance @ z, rel=1e-9, abs=1e-12)
    assert model["mean"] == pytest.approx(10 + 2 * np.mean(at))
    # With a mean, the line spans what a line in these numbers does.
    own = np.column_stack([np.ones(len(at)), model["line"]])
    assert own[:, 1] @ own[:, 1] == pytest.approx(1)
    assert np.linalg.matrix_rank(np.column_stack([own, at])) == 2
    assert own[:, 0] @ own[:, 1] == pytest.approx(0, abs=1e-12)


def test_other_kinds_are_left_out():
    strata = [*(example_summaries.TERM,), {**example_summaries.TERM, "within": ["time"]}]
    assert drawn_again(lines([0, 1, 2], np.eye(2), strata)) is None
    factor = {**LINES, "effects": ["(Intercept)", "time[T.b]"]}
    assert drawn_again(lines([0, 1, 2], np.eye(2), [factor])) is None
    assert drawn_again(study(sigma_within=0.0)) is None
    # Two observations determine a line.
    assert drawn_again(lines([0, 1], np.eye(2))) is None


@pytest.mark.parametrize(("most", "drawn"), [(1, False), (2, True), (MOST_OBSERVATIONS + 1, False)])
def test_without_a_condition_subjects_have_so_many_observations(most, drawn):
    design = example_summaries.design(
        columns={"subject": "id", "response": "y"}, per_subject=[1, most], conditions=["all"]
    )
    model = drawn_again(replace(study(), design=design))
    assert (model is not None) == drawn
    if model:
        assert (model["observations"], model["shared"]) == (most, False)


SUBJECTS = [{"subject": "a  b", "n": "3", "subject_mean": "7.5"}]
INFLUENCE = [{"subject": "a  b", "cooks_distance": "0.25"}]


def test_the_shrunken_mean_is_nearer_to_the_others():
    effects = [{"subject": "a  b", "deviation": "2.5", "random_effect": "2.0", "se": "0.4"}]
    table = each_subject(study(unit="ms"), SUBJECTS, effects, INFLUENCE)
    (row,) = table["rows"]
    assert dict(zip(["subject", *table["columns"]], row, strict=True)) == {
        "subject": "a b",
        "observations": "3",
        "own mean (ms)": "7.500",
        "shrunken mean (ms)": "7.000",
        "own deviation (ms)": "2.500",
        "predicted, BLUP (ms)": "2.000",
        "Cook’s distance": "0.250",
    }


def test_of_lines_each_effect_is_shown():
    effects = [
        {"grouping": "id", "level": "a  b", "effect": effect, "deviation": d, "random_effect": b}
        for effect, d, b in (("time", "", "0.5"), ("(Intercept)", "-2.5", "-2"))
    ]
    effects.append({**effects[0], "grouping": "id:time"})
    missing = [{"subject": "a  b", "cooks_distance": ""}]
    table = each_subject(lines([0, 1, 2], np.eye(2)), SUBJECTS, effects, missing)
    assert table["columns"][2:] == [
        "own deviation of intercept",
        "BLUP of intercept",
        "own deviation of slope of time",
        "BLUP of slope of time",
        "Cook’s distance",
    ]
    assert table["rows"] == [["a b", "3", "7.500", "−2.500", "−2.000", "–", "0.5000", "–"]]
