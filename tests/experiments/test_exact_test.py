"""Exact powers against R, published examples, and the definition of the noncentrality."""

from dataclasses import replace

import numpy as np
import pytest
from closed_forms import fewest_subjects, power_of
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.exact_test import ExactTest, contrasts, exact_test, fewest
from twolevel.experiments.sizing.laws import Laws
from twolevel.experiments.theory import Sampling

one = np.ones((1, 1))


def alike(cells: int, r: float, sd: float = 1.0) -> np.ndarray:
    """A covariance with one variance and one correlation."""
    return sd**2 * (r * np.ones((cells, cells)) + (1 - r) * np.eye(cells))


def mean_of(cells: int) -> np.ndarray:
    return np.full((cells, 1), cells**-0.5)


# pf(qf(1 - alpha, df1, df2), df1, df2, ncp, lower.tail = FALSE) of R 4.2.2
@pytest.mark.parametrize(
    ("df_num", "df_den", "noncentrality", "alpha", "power"),
    [
        (2, 216, 9.81, 0.05, 0.801733242247),
        (1, 89, 8.1, 0.05, 0.803794296947),
        (2, 4, 3.0, 0.05, 0.176139273435),
        (5, 60, 20.0, 0.01, 0.792955726155),
        (3, 1200, 0.4, 0.1, 0.137227512312),
        (1, 10, 60.0, 0.001, 0.987584176932),
    ],
)
def test_the_power_is_that_of_r(df_num, df_den, noncentrality, alpha, power):
    found = ExactTest(df_num, df_den, noncentrality).power(1 - alpha)
    assert found == pytest.approx(power, abs=1e-9)


# Superpower's README (Lakens & Caldwell 2021): ANOVA_exact, in percent to two decimals, and the
# noncentrality to four, where it is printed of an exact data set.
@pytest.mark.parametrize(
    ("design", "means", "n", "covariance", "between", "within", "noncentrality", "power"),
    [
        ("2w", [[-0.25, 0.25]], 34, alike(2, 0.5), one, contrasts(2), 8.5, 80.78),
        ("2w", [[-0.25, 0.25]], 34, alike(2, 0.7), one, contrasts(2), 14.1667, 95.47),
        ("3b", [[24], [26.2], [26.6]], 50, [[6.4**2]], contrasts(3).T, one, 4.7852, 47.69),
        ("3b", [[24], [26.2], [26.6]], 134, [[6.4**2]], contrasts(3).T, one, 12.8242, 90.18),
        (
            *("2w*2b", [[-0.25, 0.25], [0.25, -0.25]], 23, alike(2, 0.5)),
            *(contrasts(2).T, contrasts(2), 11.5, 91.25),
        ),
        (
            *("2w*2b", [[-0.25, 0.25], [0.25, -0.25]], 23, alike(2, 0.7)),
            *(contrasts(2).T, contrasts(2), 19.1667, 98.98),
        ),
        (
            *("3b*3b, A", [[20]] * 8 + [[25]], 20, [[25.0]]),
            *(np.kron(contrasts(3).T, np.ones((1, 3)) / 3), one, 4.4444, 44.86),
        ),
        (
            *("3b*3b, A:B", [[20]] * 8 + [[25]], 20, [[25.0]]),
            *(np.kron(contrasts(3).T, contrasts(3).T), one, 8.8889, 64.34),
        ),
    ],
)
def test_superpowers_published_examples(
    design, means, n, covariance, between, within, noncentrality, power
):
    means = np.array(means, dtype=float)
    sizes = np.full(len(means), n)
    found = exact_test(means, sizes, np.array(covariance), between, within)
    assert found.noncentrality == pytest.approx(noncentrality, abs=5.1e-5), design
    assert 100 * found.power() == pytest.approx(power, abs=0.0051), design


def test_superpowers_example_of_three_conditions_from_f():
    """3w with f = 0.25, n = 20 and r = 0.8: 96.9 %."""
    effects = np.array([[-0.3061862, 0, 0.3061862]])
    found = exact_test(effects, np.array([20]), alike(3, 0.8), one, contrasts(3))
    assert 100 * found.power() == pytest.approx(96.9, abs=0.05)


def test_powers_of_r_for_groups_and_for_pairs():
    """power.anova.test(groups = 4, n = 12, ...) and power.t.test(type = "paired", strict = TRUE).

    The latter has n = 62.87 for delta = 0.5, sd = 1, power = 0.9 and sig.level = 0.01.
    """
    groups = np.array([[0.0], [1], [2], [5]])
    found = exact_test(groups, np.full(4, 12), np.array([[9.0]]), contrasts(4).T, one)
    assert found.power() == pytest.approx(0.948695683149, abs=1e-9)
    pairs = exact_test(np.array([[0, 0.6]]), np.array([17]), alike(2, 0.6), one, contrasts(2))
    assert pairs.power() == pytest.approx(0.737951254078, abs=1e-9)
    scenario = Scenario(2, {"a": 0, "b": 0.5}, 0, 1, np.sqrt(0.5))
    assert fewest_subjects(scenario, 0.9, 0.99) == 63


@given(
    st.lists(st.integers(2, 5), min_size=2, max_size=3),
    st.integers(2, 4),
    st.floats(0, 0.9),
    st.integers(0, 2**32 - 1),
)
@examples(50)
def test_the_noncentrality_is_that_of_the_dense_hypothesis(sizes, C, r, seed):
    """Groups, conditions and their interaction, of unequal groups, by GLS on every row."""
    rng, G = np.random.default_rng(seed), len(sizes)
    means, V = rng.normal(size=(G, C)), alike(C, r, 1.3)
    X = np.repeat(np.eye(G), sizes, axis=0)
    precision = np.linalg.inv(np.kron(np.eye(sum(sizes)), V))
    X = np.kron(X, np.eye(C))
    cov = np.linalg.inv(X.T @ precision @ X)
    equal = np.full((1, G), 1 / G)
    for L, H in (
        (contrasts(G).T, mean_of(C)),
        (equal, contrasts(C)),
        (contrasts(G).T, contrasts(C)),
    ):
        rows = np.kron(L, H.T)
        hypothesis = rows @ means.ravel()
        expected = hypothesis @ np.linalg.solve(rows @ cov @ rows.T, hypothesis)
        found = exact_test(means, np.array(sizes), V, L, H)
        assert found.noncentrality == pytest.approx(expected, rel=1e-9)
        assert found.df_num == len(L) * H.shape[1]
        assert found.df_den == (sum(sizes) - G) * H.shape[1]


def test_no_law_is_claimed_where_contrasts_differ_in_variance():
    uneven = np.diag([1.0, 1.0, 2.0])
    assert exact_test(np.ones((1, 3)), np.array([9]), uneven, one, contrasts(3)) is None
    assert exact_test(np.ones((1, 3)), np.array([9]), uneven, one, mean_of(3)) is not None


@given(
    st.integers(1, 6),
    st.floats(2, 500),
    st.floats(0, 60),
    st.floats(0.001, 0.3),
    st.floats(1.01, 3),
)
@examples(100)
def test_power_rises_with_the_effect_the_subjects_and_the_level(df, den, centre, alpha, more):
    power = ExactTest(df, den, centre).power(1 - alpha)
    assert alpha - 1e-9 <= power <= 1
    assert ExactTest(df, den, more * centre).power(1 - alpha) >= power - 1e-9
    assert ExactTest(df, more * den, more * centre).power(1 - alpha) >= power - 1e-9
    assert ExactTest(df, den, centre).power(1 - min(0.5, more * alpha)) >= power - 1e-9


@pytest.mark.parametrize("between", [0.0, 1.0, 1e9])
def test_how_much_subjects_differ_does_not_matter_to_conditions(between):
    drawn = Scenario(20, {"a": 0, "b": 0.5, "c": 1}, 0, between, 1)
    assert Sampling(drawn).power() == pytest.approx(0.78179689203, rel=1e-9)


def test_nothing_is_found_without_degrees_of_freedom():
    assert ExactTest(1, 0, 5.0).power() == 0


@given(st.integers(2, 5000), st.integers(2, 5000))
def test_the_fewest_are_found(least, most):
    found = fewest(lambda n: n >= least, most=most)
    assert found == (least if least <= most else None)


@given(st.floats(0.15, 1.5), st.sampled_from([0.05, 0.01]), st.sampled_from([0.8, 0.9]))
@examples(20)
def test_the_fewest_subjects_have_the_power_and_one_less_has_not(d, alpha, power):
    scenario = Scenario(2, {"a": 0, "b": d / 2, "c": d}, 5, 1, 1)
    n = Laws(scenario).terms["condition"].subjects_for(power, 1 - alpha, 1)
    assert power_of(replace(scenario, subjects=n), 1 - alpha) >= power
    assert n == 2 or power_of(replace(scenario, subjects=n - 1), 1 - alpha) < power
