"""The fewest subjects in simulation, against exact theory; cautious effects."""

from dataclasses import replace

import numpy as np
import pytest
from closed_forms import fewest_subjects, power_of
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twolevel.experiments.between_subjects import BetweenSubjects, Covariate, Group
from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.run import replicate_block
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.cautious_effect import SAFEGUARD, cautious_share
from twolevel.experiments.sizing.exact_test import MOST
from twolevel.experiments.sizing.laws import Laws
from twolevel.experiments.sizing.size_search import SizeFound, SizeSearch
from twolevel.experiments.theory import expected
from twolevel.text.confidence import LEVEL

THREE = Scenario(5, {"a": 0, "b": 0.5, "c": 1}, 5, 1.0, 1.0)


def search_sizes(scenario, powers, seed, test, level=LEVEL):
    return SizeSearch(scenario, seed, test, level).terms(powers)


def test_simulated_sizes_agree_with_exact_ones():
    """Wide enough for a failure once in 10^7 runs: power changes slowly over the interval."""
    for scenario in (THREE, replace(THREE, replicates=2, conditions={"a": 0, "b": 0.5})):
        for found in search_sizes(scenario, [0.8, 0.9], 3, "anova"):
            exact = fewest_subjects(scenario, found.power)
            assert found.exact == exact
            at = [power_of(replace(scenario, subjects=n)) for n in (found.low - 1, found.high)]
            error = 5.3 * np.sqrt(found.power * (1 - found.power) / BLOCK)
            assert found.low <= found.subjects <= found.high
            assert at[0] - error < found.power < at[1] + error
            assert abs(found.subjects - exact) <= 3
            assert found.experiments == BLOCK


def test_a_size_has_the_power_of_the_experiments_it_is_found_by():
    """Where cells are missing: in other experiments it has the power too, and fewer have not."""
    scenario = replace(THREE, missing=0.2)
    (found,) = search_sizes(scenario, [0.8], 1, "kenward-roger")
    error = 7.5 * np.sqrt(0.8 * 0.2 / BLOCK)  # two of them
    for n, sign in ((found.subjects, 1), (found.subjects - 4, -1)):
        table = replicate_block(replace(scenario, subjects=n), 0, BLOCK, 7, "kenward-roger")
        power = table["rejected[kenward-roger]"].mean()
        assert sign * (power - 0.8) > -error
    assert found.subjects > fewest_subjects(scenario, 0.8)
    assert found.exact is None


def test_own_slopes_are_searched_too():
    scenario = Scenario(5, {"x": [0, 1, 2]}, 0, 1.0, 1.0, slope=1.0, random={"x": 0.5})
    (found,) = search_sizes(scenario, [0.8], 1, "kenward-roger")
    assert found.low - 2 <= fewest_subjects(scenario, 0.8) <= found.high + 2
    assert found.exact == fewest_subjects(scenario, 0.8)


GROUPS = {"u": Group(size=1), "v": Group(size=2, conditions={"a": 0, "b": 1.0, "c": 1.5})}


def test_each_effect_of_a_design_has_its_own_number():
    """In multiples of what groups share; by theory that of the definition with as many subjects."""
    scenario = replace(THREE, subjects=6, between=BetweenSubjects(groups=GROUPS))
    found = {size.term: size for size in search_sizes(scenario, [0.8], 1, "kenward-roger")}
    assert set(found) == set(scenario.tested)
    for term, size in found.items():
        n = size.exact
        assert n % 3 == 0
        powers = [
            expected(replace(scenario, subjects=m))[term, "anova", "power"] for m in (n, n - 3)
        ]
        assert powers[1] < 0.8 <= powers[0]
        assert size.low - 6 <= n <= size.high + 6
        assert size.subjects % 3 == 0


def test_laws_are_those_of_any_number_of_subjects():
    """Of two factors within subjects with strata, whose errors differ."""
    factors = {"f": {"x": 0, "y": 1}, "g": {"u": 0, "v": 1, "w": 1}}
    scenario = Scenario(7, factors, 0, 1.0, 1.0, strata={"f": 0.5, "g": 0.2})
    laws = Laws(scenario).terms
    for n in (4, 9, 40):
        known = expected(replace(scenario, subjects=n))
        for term, law in laws.items():
            found = law.power(n, 1, LEVEL)
            assert found == pytest.approx(known[term, "anova", "power"], rel=1e-9)
    assert list(laws) == ["condition", "g", "f:g"]
    assert [size.term for size in search_sizes(scenario, [0.8], 1, "anova")] == ["condition", "g"]


def test_effects_that_are_not_there_are_not_searched_without_a_law_either():
    """Of groups where their number is 0: neither error alone, nor an effect."""
    groups = {"u": Group(), "v": Group(slope=0.6)}
    scenario = Scenario(
        6, {"x": [0, 1, 2, 5]}, 0, 1.0, 1.0, slope=0.2, between=BetweenSubjects(groups=groups)
    )
    assert not Laws(scenario).terms["group"].exact
    found = search_sizes(scenario, [0.5], 1, "kenward-roger")
    assert [size.term for size in found] == ["condition", "group:x"]


@pytest.mark.parametrize("adjust", ["none", "bonferroni", "tukey", "holm"])
def test_differences_have_numbers_of_their_own(adjust):
    """By Holm's method between those of none and of Bonferroni's; the others are exact."""
    scenario = replace(THREE, adjust=adjust)
    found = SizeSearch(scenario, 1, "kenward-roger").differences([0.8])
    assert [size.term for size in found] == scenario.differences == ["a - b", "a - c", "b - c"]
    for size, apart in zip(found, (0.5, 1.0, 0.5), strict=True):
        if adjust == "holm":
            fewest, most = (
                Laws(replace(THREE, adjust=how)).differences[size.term].subjects_for(0.8, 0.95, 1)
                for how in ("none", "bonferroni")
            )
            assert size.exact is None
            assert fewest - 3 <= size.subjects <= most + 3
        else:
            n = size.exact
            assert power_of_a_difference(apart, adjust, n - 1) < 0.8
            assert power_of_a_difference(apart, adjust, n) >= 0.8
            assert size.low - 3 <= n <= size.high + 3


def power_of_a_difference(apart, adjust, n):
    """Of two of three conditions, whose errors are 1: by the critical values of scipy."""
    df = (n - 1) * 2
    limit = {
        "none": lambda: stats.t(df).isf(0.025),
        "bonferroni": lambda: stats.t(df).isf(0.025 / 3),
        "tukey": lambda: stats.studentized_range(3, df).isf(0.05) / np.sqrt(2),
    }[adjust]()
    return stats.ncf(1, df, n * apart**2 / 2).sf(limit**2)


def test_differences_within_a_group_take_that_groups_subjects():
    """A third of them, and the error that all groups share; a slope's test in a group likewise."""
    scenario = replace(THREE, subjects=6, between=BetweenSubjects(groups=GROUPS), adjust="none")
    laws = Laws(scenario).differences
    assert list(laws)[:4] == [
        *("group: u - v", "group u: a - b", "group u: a - c", "group u: b - c"),
    ]
    df = (30 - 2) * 2
    for name, n, apart in (("group u: a - c", 10, 1.0), ("group v: a - c", 20, 1.5)):
        power = stats.ncf(1, df, n * apart**2 / 2).sf(stats.f(1, df).isf(0.05))
        assert laws[name].power(30, 1, 0.95) == pytest.approx(power, rel=1e-9)
    lines = {"u": Group(), "v": Group(slope=0.6)}
    scenario = Scenario(
        *(6, {"x": [0, 1, 2]}, 0, 1.0, 1.0),
        **{"slope": 0.2, "random": {"x": 0.5}, "adjust": "holm"},
        between=BetweenSubjects(groups=lines),
    )
    slopes = Laws(scenario).differences
    power = stats.ncf(1, 18, 10 * 0.6**2 / (0.25 + 0.5)).sf(stats.f(1, 18).isf(0.05))
    assert slopes["group v: slope"].power(20, 1, 0.95) == pytest.approx(power, rel=1e-9)


def test_a_covariate_means_the_same_for_any_number_of_subjects():
    """Two of them are not correlated: the power is that of each alone."""
    both = {"age": Covariate(2.0, 0.15), "skill": Covariate(1.0, 0.4)}
    scenario = replace(THREE, between=BetweenSubjects(covariates=both))
    laws = Laws(scenario).terms
    for n in (12, 50):
        known = expected(replace(scenario, subjects=n))
        for name, size in (("age", 0.3), ("skill", 0.4)):
            df, centre = n - 3, n * size**2 / (1 + 1 / 3)
            power = stats.ncf(1, df, centre).sf(stats.f(1, df).isf(0.05))
            assert laws[name].power(n, 1, 0.95) == pytest.approx(power, rel=1e-9)
            assert known[name, "anova", "power"] == pytest.approx(power, rel=1e-9)


def test_who_leaves_makes_numbers_simulated():
    scenario = replace(THREE, between=BetweenSubjects(dropout=0.3))
    (found,) = search_sizes(scenario, [0.8], 1, "kenward-roger")
    assert found.exact is None
    assert found.subjects > fewest_subjects(THREE, 0.8)


def test_a_stricter_level_and_a_smaller_effect_take_more():
    (usual,) = search_sizes(THREE, [0.8], 1, "kenward-roger")
    (strict,) = search_sizes(THREE, [0.8], 1, "kenward-roger", level=0.99)
    smaller = {name: effect / 2 for name, effect in THREE.conditions.items()}
    (small,) = search_sizes(replace(THREE, conditions=smaller), [0.8], 1, "kenward-roger")
    assert usual.subjects < strict.subjects < small.subjects


def test_what_cannot_be_found_is_said():
    tiny = replace(THREE, conditions={"a": 0, "b": 1e-4, "c": 0})
    (none,) = search_sizes(tiny, [0.8], 1, "anova")
    assert none == SizeFound("condition", 0.8, None, None, None, None, None)
    assert fewest_subjects(tiny, 0.8) is None
    (untested,) = search_sizes(replace(THREE, missing=0.1), [0.8], 1, "anova")
    assert (untested.subjects, untested.experiments) == (None, 0)
    assert MOST == 100_000


@given(st.floats(0.01, 200), st.integers(1, 6), st.floats(4, 300))
@examples(50)
def test_the_cautious_effect_would_have_given_a_smaller_f_with_the_safeguards_probability(
    F, df_num, df_den
):
    share = cautious_share(F, df_num, df_den)
    assert 0 <= share <= 1
    below = stats.ncf(df_num, df_den, max(share**2 * df_num * F, 1e-12)).cdf(F)
    if share == 0:
        assert stats.f(df_num, df_den).cdf(F) <= SAFEGUARD
    elif share < 1:
        assert below == pytest.approx(SAFEGUARD, abs=1e-6)


def test_a_cautious_effect_is_exceeded_as_often_as_is_said():
    """In 20,000 studies of a true noncentrality of 12; five standard errors."""
    F = stats.ncf(2, 30, 12.0).rvs(20_000, random_state=1)
    limit = stats.ncf(2, 30, 12.0).ppf(SAFEGUARD)
    # The cautious noncentrality is an increasing function of F, so that it exceeds 12 where F does
    # its own quantile: one F on either side shows where the function passes 12.
    for f, larger in ((limit * 0.999, False), (limit * 1.001, True)):
        assert (cautious_share(f, 2, 30) ** 2 * 2 * f > 12) == larger
    assert np.mean(limit < F) == pytest.approx(1 - SAFEGUARD, abs=5 * np.sqrt(0.16 / 20_000))
