"""The laws of tests and intervals against the general linear model, R, and data sets."""

from dataclasses import replace

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twolevel.experiments.between_subjects import BetweenSubjects, Group
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.exact_test import contrasts, exact_test
from twolevel.experiments.sizing.laws import Laws

effects = st.floats(-1, 1).map(lambda value: round(value, 2))


@st.composite
def mixed_designs(draw):
    """Groups of a factor within subjects, who have their own effects of it where there are trials.

    With the means (G, C) of the cells.
    """
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=3))
    C, trials = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    means = np.array([[draw(effects) for _ in range(C)] for _ in sizes])
    own = draw(st.sampled_from([0.0, 0.7])) if trials > 1 else 0.0
    groups = {
        f"g{k}": Group(size, 0.0, {f"c{j}": float(m) for j, m in enumerate(row)})
        for k, (size, row) in enumerate(zip(sizes, means, strict=True))
    }
    scenario = Scenario(
        *(2 * sum(sizes), {f"c{j}": 0.0 for j in range(C)}, 5.0, draw(st.sampled_from([0, 1.3]))),
        *(0.8, trials),
        strata={"condition": own} if own else None,
        between=BetweenSubjects(groups),
    )
    return scenario, means


@given(mixed_designs(), st.integers(2, 9), st.integers(2, 5))
@examples(40)
def test_powers_are_those_of_the_general_linear_model(design, times, trials):
    """Of each term, for any number of subjects, and of trials where laws were made with two."""
    scenario, means = design
    R = scenario.replicates if scenario.replicates == 1 else trials
    sizes = times * np.array([group.size for group in scenario.between.groups.values()])
    G, C = means.shape
    own = (scenario.strata or {}).get("condition", 0.0) ** 2
    covariance = scenario.sigma_between**2 * np.ones((C, C))
    covariance += (own + scenario.sigma_within**2 / R) * np.eye(C)
    every, all_cells = np.full((1, G), 1 / G), np.full((C, 1), C**-0.5)
    hypotheses = {
        "condition": (every, contrasts(C)),
        "group": (contrasts(G).T, all_cells),
        "group:condition": (contrasts(G).T, contrasts(C)),
    }
    for term, law in Laws(scenario).terms.items():
        L, H = hypotheses[term]
        # Without own effects, observations of a cell are error, too.
        extra = 0 if own or term == "group" else sizes.sum() * C * (R - 1)
        df = (sizes.sum() - G) * H.shape[1] + extra
        known = exact_test(means, sizes, covariance, L, H, df)
        found = law.test(int(sizes.sum()), R)
        assert (found.df_num, found.df_den) == (known.df_num, known.df_den)
        assert found.noncentrality == pytest.approx(known.noncentrality, rel=1e-9, abs=1e-12)
        assert law.power(int(sizes.sum()), R, 0.95) == pytest.approx(known.power(), abs=1e-6)


@given(mixed_designs(), st.integers(2, 9))
@examples(30)
def test_more_subjects_and_trials_and_a_laxer_level_never_harm(design, times):
    scenario, _ = design
    n = times * scenario.unit_of_subjects
    for law in Laws(replace(scenario, replicates=max(2, scenario.replicates))).terms.values():
        power = law.power(n, 2, 0.95)
        assert law.power(2 * n, 2, 0.95) >= power - 1e-9
        assert law.power(n, 3, 0.95) >= power - 1e-9
        assert law.power(n, 2, 0.9) >= power - 1e-9
        assert law.is_nothing or 0.05 <= power <= 1


def test_published_powers_of_mixed_designs():
    """Superpower's 2b*2w example (Lakens & Caldwell 2021), n = 23 in a group, r = 0.5: 91.25 %."""
    groups = {"a": Group(1, 0, {"x": -0.25, "y": 0.25}), "b": Group(1, 0, {"x": 0.25, "y": -0.25})}
    sd = 0.5**0.5
    scenario = Scenario(4, {"x": 0, "y": 0}, 0, sd, sd, between=BetweenSubjects(groups))
    laws = Laws(scenario).terms
    assert 100 * laws["group:condition"].power(46, 1, 0.95) == pytest.approx(91.25, abs=0.0051)
    assert laws["condition"].is_nothing


LINE = {"x": [0, 1, 3]}


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        (Scenario(9, {"a": 0, "b": 1, "c": 3}, 0, 1.0, 1.5), "condition"),
        (
            Scenario(9, {"a": 0, "b": 1}, 0, 1.0, 1.5, replicates=3, strata={"condition": 0.5}),
            "condition",
        ),
        (Scenario(9, LINE, 0, 1.0, 1.5, slope=1.0, random={"x": 0.5}), "x"),
        (Scenario(9, LINE, 0, 1.0, 1.5, slope=1.0), "x"),
        (
            Scenario(
                9,
                {"a": 0, "b": 1},
                *(0, 1.0, 1.5),
                between=BetweenSubjects({"u": Group(1), "v": Group(2, 0.5)}),
            ),
            "group",
        ),
    ],
)
def test_the_expected_width_is_the_mean_of_widths(scenario, name):
    """Of 20,000 draws of the mean square that a difference, or the slope, is judged by."""
    law = Laws(scenario).contrasts[name][0]
    own = scenario.sigma_within**2
    if name == "group":
        square, df = (1 / 3 + 1 / 6) * (1.0 + own / 2), 7
    elif scenario.strata:
        square, df = 2 / 9 * (0.25 + own / 3), 8
    elif scenario.random:
        square, df = (0.25 + own / np.var([0, 1, 3]) / 3) / 9, 8
    elif name == "x":
        square, df = own / np.var([0, 1, 3]) / 27, 17
    else:
        square, df = 2 * own / 9, 16
    squares = square * stats.chi2(df).rvs(20_000, random_state=1) / df
    widths = 2 * stats.t(df).isf(0.025) * np.sqrt(squares)
    found = law.width(9, scenario.replicates, 0.95)
    assert found == pytest.approx(widths.mean(), abs=5 * widths.std() / np.sqrt(20_000))


@given(st.floats(0.1, 3))
@examples(20)
def test_the_fewest_subjects_of_a_width_have_it(width):
    (law,) = Laws(Scenario(2, {"a": 0, "b": 1}, 5, 1, 1)).contrasts["condition"]
    n = law.subjects_for_width(width, 0.95, 1)
    assert law.width(n, 1, 0.95) <= width
    assert n == 2 or law.width(n - 1, 1, 0.95) > width


def test_groups_have_at_least_two_subjects_each():
    groups = {"u": Group(1), "v": Group(2, 50.0)}
    scenario = Scenario(6, {"a": 0, "b": 1}, 0, 1, 1, between=BetweenSubjects(groups))
    assert Laws(scenario).terms["group"].subjects_for(0.8, 0.95, 1) == 6
