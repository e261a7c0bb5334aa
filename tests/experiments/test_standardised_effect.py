"""Effects in the words of planners: the size is the effects' own, whatever pattern and unit."""

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.laws import Laws
from twolevel.experiments.sizing.standardised_effect import (
    SIZES,
    EffectSize,
    sigma_between_of,
    sigma_within_of,
    sizes,
    spread,
    with_effect,
)
from twolevel.text.errors import InputError

shares = st.floats(0.01, 0.95)
weights = st.lists(st.integers(-9, 9), min_size=2, max_size=6).filter(lambda w: len(set(w)) > 1)
patterns = st.one_of(st.sampled_from(["linear", "one differs"]), weights)


@given(st.sampled_from(SIZES), shares, patterns, st.floats(0.01, 100))
@examples(200)
def test_the_effects_have_the_size_that_was_asked_for(name, size, pattern, sigma):
    levels = [f"c{k}" for k in range(len(pattern) if isinstance(pattern, list) else 4)]
    effects = EffectSize(**{name: size}, pattern=pattern).effects(levels, sigma)
    values = list(effects.values())
    assert list(effects) == levels
    assert sum(values) == pytest.approx(0, abs=1e-9 * sigma)
    assert sizes(values, sigma)[name] == pytest.approx(size, rel=1e-12)


@given(st.sampled_from(SIZES), shares, st.lists(st.integers(-50, 50), min_size=3, unique=True))
@examples(50)
def test_the_slope_has_the_size_that_was_asked_for(name, size, values):
    slope = EffectSize(**{name: size}).slope(values, 2.0)
    means = slope * (np.array(values) - np.mean(values))
    assert sizes(means.tolist(), 2.0)[name] == pytest.approx(size, rel=1e-12)


@given(shares, patterns)
@examples(50)
def test_d_f_and_eta_squared_of_one_effect_are_the_same_effect(f, pattern):
    levels = [f"c{k}" for k in range(len(pattern) if isinstance(pattern, list) else 5)]
    effects = EffectSize(f=f, pattern=pattern).effects(levels, 3.0)
    same = sizes(list(effects.values()), 3.0)
    for name in SIZES:
        other = EffectSize(**{name: same[name]}, pattern=pattern).effects(levels, 3.0)
        assert other == pytest.approx(effects, rel=1e-9, abs=1e-12)


def test_patterns_are_what_they_are_called():
    abc = ["a", "b", "c"]
    assert EffectSize(d=1).effects(abc, 1.0) == pytest.approx({"a": -0.5, "b": 0, "c": 0.5})
    differs = EffectSize(d=3, pattern="one differs").effects(abc, 1.0)
    assert differs == pytest.approx({"a": -1, "b": -1, "c": 2})
    named = EffectSize(d=2, pattern={"c": 0, "a": 1, "b": 1}).effects(abc, 1.0)
    assert named == pytest.approx({"a": 2 / 3, "b": 2 / 3, "c": -4 / 3})
    # Cohen (1988, sec. 8.2): with two means f is half of d.
    assert spread(list(EffectSize(d=0.5).effects(["a", "b"], 1.0).values())) == 0.25


def test_d_of_0_3_takes_109_subjects_of_three_conditions_and_90_of_two():
    for levels, expected in ((["a", "b", "c"], 109), (["a", "b"], 90)):
        between = sigma_between_of(0.5, None)
        within = sigma_within_of(between)
        drawn = with_effect(levels, EffectSize(d=0.3, pattern="linear"), np.hypot(between, within))
        scenario = Scenario(2, grand_mean=0, sigma_between=between, sigma_within=within, **drawn)
        assert Laws(scenario).terms["condition"].subjects_for(0.8, 0.95, 1) == expected


@given(st.floats(0, 0.99), st.floats(0.01, 100))
def test_the_icc_is_a_share_of_the_total_variance(icc, within):
    between = sigma_between_of(icc, within)
    assert between**2 / (between**2 + within**2) == pytest.approx(icc, abs=1e-12)
    between = sigma_between_of(icc, None)
    assert between**2 + sigma_within_of(between) ** 2 == pytest.approx(1)
    assert between**2 == pytest.approx(icc, abs=1e-12)


def test_effects_take_the_place_of_those_of_the_conditions():
    effect = EffectSize(d=1)
    assert with_effect({"a": 9.0, "b": 3.0}, effect, 2.0) == {"conditions": {"a": -1, "b": 1}}
    line = with_effect({"day": [0.0, 2.0, 4.0]}, effect, 2.0)
    assert line == {"conditions": {"day": [0.0, 2.0, 4.0]}, "slope": 0.5}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "effect: found no size, expected one of d, f, eta_squared"),
        ({"d": 1, "f": 1}, "effect: found d, f, expected one of"),
        ({"d": 0}, "effect: d: found 0, expected above 0"),
        ({"eta_squared": 1}, "expected a share above 0 and below 1"),
        ({"d": 1, "pattern": [0, 1]}, "found 2 weights, expected one of each condition, which are"),
        ({"d": 1, "pattern": [1, 1, 1]}, "weights that are all the same"),
        ({"d": 1, "pattern": {"a": 1, "b": 0, "x": 0}}, 'found weights of "a", "b", "x", expected'),
    ],
)
def test_what_is_no_effect_is_refused(keys, words):
    with pytest.raises(InputError, match=words):
        EffectSize(**keys).effects(["a", "b", "c"], 1.0)


def test_a_line_has_no_other_pattern():
    with pytest.raises(InputError, match="expected linear, which is what"):
        EffectSize(d=1, pattern="one differs").slope([0, 1, 2], 1.0)
    with pytest.raises(InputError, match="found the factors a, b, expected one"):
        with_effect({"a": {"1": 0, "2": 1}, "b": {"1": 0, "2": 1}}, EffectSize(d=1), 1.0)
