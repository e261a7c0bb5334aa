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


def numbers(model, name):
    return [getattr(part, name) for part in model.parts]


def test_subjects_are_drawn_as_the_model_has_them():
    model = drawn_again(study())
    assert numbers(model, "sd") == [2.0, 1.0]
    assert numbers(model, "centre") == [2.0, 0.0]
    assert numbers(model, "of") == [(0, 0, 0), (0, 1, 2)]
    assert (model.observations, model.shared, model.middle) == (3, True, None)


@given(
    st.lists(st.integers(-9, 9), min_size=3, max_size=8, unique=True),
    st.floats(0.1, 5),
    st.floats(0.1, 5),
    st.floats(-0.9, 0.9),
)
def test_of_lines_an_observation_varies_as_in_the_model(at, sd_intercept, sd_slope, correlation):
    """With Z Cov(b) Z' + sigma_w^2 I, though lines are drawn by their means and slopes."""
    between = sd_intercept * sd_slope * correlation
    covariance = np.array([[sd_intercept**2, between], [between, sd_slope**2]])
    model = drawn_again(lines(at, covariance))
    Z = np.column_stack([np.ones(len(at)), at])
    expected = Z @ covariance @ Z.T + np.eye(len(at))
    own = np.column_stack([np.ones(len(at)), model.parts[1].at])
    sds = np.array(numbers(model, "sd"))
    drawn = np.outer(sds[:2], sds[:2]) * [[1, model.correlation], [model.correlation, 1]]
    assert drawn[0, 1] == pytest.approx(model.covariance)
    found = own @ drawn @ own.T + sds[2] ** 2 * np.eye(len(at))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert model.parts[0].centre == pytest.approx(10 + 2 * np.mean(at))
    assert numbers(model, "size") == pytest.approx([len(at), np.var(at) * len(at), 1])


def with_effects(within, levels, rows, **changes):
    """A study whose subjects have effects of the levels of some factors, `within`, of their own."""
    rows_of = [
        variance(":".join(["sd", *names]), ":".join(["id", *names]), "(Intercept)", None, k + 1.0)
        for k, names in enumerate(within)
    ]
    found = study(
        random_terms=[{**example_summaries.TERM, "within": list(names)} for names in within],
        varcorr=[*rows_of, variance("sigma_within", "Residual", None, None, 0.25)],
        sigma_within=0.5,
        **changes,
    )
    variables = [
        {"name": name, "within": True, "levels": [f"{name}{k}" for k in range(count)]}
        for name, count in levels.items()
    ]
    described = {**example_summaries.DESIGN["descriptives"], "variables": variables}
    design = example_summaries.design(per_subject=[rows] * 2, descriptives=described)
    return replace(found, design=design)


CROSSED = [(), ("a",), ("b",), ("a", "b")]


@given(st.integers(2, 4), st.integers(2, 4), st.integers(1, 3), st.permutations(CROSSED))
def test_strata_are_orthogonal_and_their_sizes_those_of_their_mean_squares(a, b, rows, order):
    """E(MS) of a stratum is the trace of its projection with the implied covariance, by df."""
    within = order if rows > 1 else [names for names in order if names != ("a", "b")]
    model = drawn_again(with_effects(within, {"a": a, "b": b}, a * b * rows))
    columns = [np.eye(part.n_levels)[list(part.of)] for part in model.parts]
    covariance = sum(part.sd**2 * Z @ Z.T for part, Z in zip(model.parts, columns, strict=True))
    strata: list[np.ndarray] = []
    for part, Z in zip(model.parts, columns, strict=True):
        strata.append(Z @ np.linalg.pinv(Z) - sum(strata[v] for v in part.above))
    assert sum(strata) == pytest.approx(np.eye(model.observations), abs=1e-9)
    for k, P in enumerate(strata):
        assert np.abs(P @ P - P).max() < 1e-9
        expected = sum(part.size * part.sd**2 for _, part in model.makes_up(k))
        assert np.trace(P @ covariance) / np.trace(P) == pytest.approx(expected)


def test_each_term_is_tested_in_its_stratum_or_by_the_residuals():
    table = [
        example_summaries.term(name, 0.01) | {"stratum": stratum}
        for name, stratum in (("g", "id"), ("a", "id:a"), ("b", "id:b"), ("a:b", "id:a:b"))
    ]
    for row in table:
        row |= dict.fromkeys(
            f"{size}_eta2{end}"
            for size in ("partial", "generalised")
            for end in ("", "_low", "_high")
        )
        row |= {"df_den": 20, "ss": 1.0, "ss_error": 1.0}
    found = with_effects([("a",), ()], {"a": 2, "b": 3}, 6, partitioned={"table": table})
    assert numbers(drawn_again(found), "tests") == [("g",), ("a",), ("b", "a:b")]


def test_formulas_and_names_are_html():
    odd = '<b>&"'
    model = drawn_again(with_effects([(), (odd,)], {odd: 2}, 6))
    assert model.parts[1].symbol == "<var>S<sub>i,&lt;b&gt;&amp;&quot;</sub></var>"
    assert model.parts[0].times == "6<var>σ<sub>b</sub></var>²"
    assert model.parts[2].times == "<var>σ<sub>w</sub></var>²"
    assert numbers(model, "last") == ["mean", f"effects of {odd}", "residuals"]


def test_spreads_that_could_not_be_seen_beside_one_another_have_scales_of_their_own():
    assert drawn_again(study(sigma_within=0.5)).one_scale
    near = drawn_again(with_effects([()], {}, 3))
    assert near.one_scale
    assert [part["scale"] for part in near.numbers["parts"]] == [1.0, 1.0]
    far = replace(near, parts=tuple(replace(part, sd=part.sd**10) for part in near.parts))
    assert not far.one_scale
    assert [part["scale"] for part in far.numbers["parts"]] == numbers(far, "sd")
    # What does not vary has no scale to be shown on but that of others.
    still = replace(near, parts=(replace(near.parts[0], sd=0.0), near.parts[1]))
    assert [part["scale"] for part in still.numbers["parts"]] == [0.5, 0.5]


def test_other_kinds_are_left_out():
    nested = [example_summaries.TERM, {**example_summaries.TERM, "within": ["time"]}]
    assert drawn_again(lines([0, 1, 2], np.eye(2), [*nested, LINES])) is None
    factor = {**LINES, "effects": ["(Intercept)", "time[T.b]"]}
    assert drawn_again(lines([0, 1, 2], np.eye(2), [factor])) is None
    assert drawn_again(study(sigma_within=0.0)) is None
    # Two observations determine a line, and four cells of which each has its own effect, all.
    assert drawn_again(lines([0, 1], np.eye(2))) is None
    assert drawn_again(with_effects(CROSSED, {"a": 2, "b": 2}, 4)) is None
    # Errors of a and b are not orthogonal without one of subjects.
    assert drawn_again(with_effects([("a",), ("b",)], {"a": 2, "b": 2}, 4)) is None
    # Levels that the formula does not name, and rows that are no whole number of them.
    assert drawn_again(with_effects([(), ("c",)], {"a": 2}, 4)) is None
    assert drawn_again(with_effects([(), ("a",)], {"a": 2}, 5)) is None


@pytest.mark.parametrize(("most", "drawn"), [(1, False), (2, True), (MOST_OBSERVATIONS + 1, False)])
def test_without_a_condition_subjects_have_so_many_observations(most, drawn):
    design = example_summaries.design(
        columns={"subject": "id", "response": "y"}, per_subject=[1, most], conditions=["all"]
    )
    model = drawn_again(replace(study(), design=design))
    assert (model is not None) == drawn
    if model:
        assert (model.observations, model.shared) == (most, False)


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
