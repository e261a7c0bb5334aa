"""Simulated tables have the means and the covariance of what they are drawn from."""

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.experiments.population import Population
from twolevel.experiments.simulation import simulate, truth

SD = st.sampled_from([0.0, 0.3, 1.0, 2.5])
FACTORS = {"a": {"a1": 0, "a2": 1}, "b": {"b1": 0, "b2": -1, "b3": 2}}


@st.composite
def populations(draw):
    """Keys of `simulate`, and the covariance of two observations in cells (C, C) but for errors."""
    kind = draw(st.sampled_from(["intercept", "lines", "factors", "trials"]))
    between, within = draw(SD), draw(st.sampled_from([0.5, 2.0]))
    keys = {"grand_mean": 5.0, "sigma_within": within}
    if kind == "lines":
        x = np.array(draw(st.sampled_from([[0, 1, 2], [-1.5, 0, 2, 4]])))
        slope, r = draw(SD), draw(st.sampled_from([-1.0, -0.4, 0.0, 0.7]))
        keys |= {"conditions": {"day": x.tolist()}, "slope": 1.5}
        keys["random"] = {"intercept": between, "day": slope, "correlation": r}
        covariance = between**2 + slope**2 * np.outer(x, x)
        return keys, 1.5 * x, covariance + r * between * slope * np.add.outer(x, x)
    keys["sigma_between"] = between
    if kind == "factors":
        sds = draw(SD), draw(SD)
        keys |= {"conditions": FACTORS, "strata": dict(zip("ab", sds, strict=True))}
        first, second = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
        covariance = between**2 + sds[0] ** 2 * np.equal.outer(first, first)
        effects = np.array([0, 1])[first] + np.array([0, -1, 2])[second]
        return keys, effects, covariance + sds[1] ** 2 * np.equal.outer(second, second)
    keys["conditions"] = {"a": 0, "b": 1, "c": -1}
    covariance = np.full((3, 3), between**2)
    if kind == "trials":
        sd = draw(SD)
        keys |= {"replicates": 2, "strata": {"condition": sd}}
        covariance = covariance + sd**2 * np.eye(3)
    return keys, np.array([0, 1, -1]), covariance


@examples(40)
@given(populations(), st.integers(0, 1000))
def test_simulated_data_have_the_covariance_of_the_truth(population, seed):
    """Mean and covariance of 4,000 subjects, whitened: each entry a normal, 6 SDs of it at most."""
    keys, effects, covariance = population
    n, m = 4000, keys.get("replicates", 1)
    y = simulate(subjects=n, seed=seed, **keys)["response"].to_numpy().reshape(n, -1)
    V = np.kron(covariance, np.ones((m, m))) + keys["sigma_within"] ** 2 * np.eye(y.shape[1])
    white = np.linalg.solve(np.linalg.cholesky(V), (y - 5 - np.repeat(effects, m)).T)
    assert np.abs(white.mean(axis=1)).max() < 6 / np.sqrt(n)
    found = white @ white.T / n - np.eye(len(V))
    assert np.abs(found).max() < 6 * np.sqrt(2 / n)


def test_a_random_intercept_is_drawn_as_ever():
    """The stream: the subjects' shifts first, then the errors."""
    keys = {"conditions": {"a": 0, "b": 1}, "grand_mean": 5, "sigma_between": 2, "sigma_within": 3}
    found = simulate(subjects=4, seed=8, replicates=2, **keys)
    generator = np.random.default_rng(8)
    shift, errors = generator.standard_normal(4), generator.standard_normal((4, 2, 2))
    expected = 5 + (2 * shift)[:, None, None] + np.array([0.0, 1.0])[None, :, None] + 3 * errors
    np.testing.assert_array_equal(found["response"], expected.ravel())
    assert list(found.columns) == ["subject", "condition", "response"]


def test_effects_of_the_truth_sum_to_zero():
    keys = {"grand_mean": 80, "sigma_within": 1}
    found = truth(conditions=FACTORS, sigma_between=1, strata={"a": 2}, **keys)
    assert found["grand_mean"] == pytest.approx(80 + 0.5 + 1 / 3)
    assert found["condition_effects"] == {"a1": -0.5, "a2": 0.5}
    assert sum(found["other_effects"]["b"].values()) == pytest.approx(0)
    assert found["strata"] == {"a": 2}
    assert found["entered"] == {"grand_mean": 80, "effects": FACTORS}
    random = {"intercept": 3, "day": 1}
    found = truth(conditions={"day": [0, 2, 4]}, slope=0.5, random=random, **keys)
    assert found["grand_mean"] == 81
    assert found["condition_effects"] == {"0": -1, "2": 0, "4": 1}
    assert found["entered"] == {"grand_mean": 80, "effects": {}}
    assert (found["sigma_between"], found["slope"], found["random"]) == (3, 0.5, random)
    assert "strata" not in found


def test_tables_are_as_one_would_bring_them():
    data = simulate(
        subjects=2, conditions=FACTORS, grand_mean=5, sigma_between=1, sigma_within=1, seed=1
    )
    assert list(data.columns) == ["subject", "a", "b", "response"]
    assert data[["a", "b"]].drop_duplicates().shape == (6, 2)
    assert list(data["b"].cat.categories) == ["b1", "b2", "b3"]
    fit = tl.fit_mixed(Population(FACTORS, 1).formula, data, "subject")
    assert list(fit.anova().index) == ["a", "b", "a:b"]
    lines = {"conditions": {"day": [0, 1, 2]}, "slope": 1, "sigma_between": 1}
    days = simulate(subjects=2, grand_mean=5, sigma_within=1, seed=1, **lines)["day"]
    assert days.tolist() == [0, 1, 2, 0, 1, 2]
    assert days.dtype.kind == "i"


LINES = {"conditions": {"day": [0, 1, 2]}, "slope": 1}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "expected one of sigma_between and random"),
        ({**LINES, "sigma_between": 1, "random": {"intercept": 1, "day": 1}}, "expected one of"),
        ({"slope": 1, "sigma_between": 1}, "slope: a slope needs a condition that is a number"),
        ({"random": {"intercept": 1}}, "random: a slope needs a condition that is a number"),
        ({**LINES, "slope": None, "sigma_between": 1}, "slope: missing, but needed"),
        ({**LINES, "conditions": {"day": [0, 1]}, "sigma_between": 1}, "expected at least 3"),
        ({**LINES, "conditions": {"day": [0, 1, 1]}, "sigma_between": 1}, "at least 3, each once"),
        ({**LINES, "random": {"intercept": 1}}, "random: found intercept, expected intercept and"),
        ({**LINES, "random": {"intercept": 1, "day": 1, "r": 0}}, "found intercept, day, r,"),
        ({**LINES, "random": {"intercept": 1, "day": -1}}, "found a standard deviation below 0"),
        (
            {**LINES, "random": {"intercept": 1, "day": 1, "correlation": 1.1}},
            "correlation: found 1.1, expected a number from -1 to 1",
        ),
        ({**LINES, "sigma_between": 1, "strata": {"day": 1}}, "the factors are none, of a number"),
        ({"conditions": FACTORS, "sigma_between": 1, "strata": {"c": 1}}, 'strata: found "c"'),
        ({"conditions": FACTORS, "sigma_between": 1, "strata": {"a": -1}}, "a: found -1, expected"),
        (
            {"conditions": FACTORS, "sigma_between": 1, "strata": {"a:b": 1}},
            "strata: a:b has one observation of a subject in each cell",
        ),
        ({"sigma_between": 1, "strata": {"condition": 1}}, "strata: condition has one observation"),
        ({"conditions": {"a": {"a1": 1}}, "sigma_between": 1}, "a: found 1 level, expected"),
        ({"conditions": {"a b": {"c": 1, "d": 2}}, "sigma_between": 1}, 'found the variable "a b"'),
        ({"conditions": {"subject": {"c": 1, "d": 2}}, "sigma_between": 1}, 'variable "subject"'),
        (
            {"conditions": {"day": [0, 1, 2], "hour": [1, 2, 3]}, "slope": 1, "sigma_between": 1},
            "conditions: found day, hour, expected one number",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(keys, message):
    with pytest.raises(tl.InputError) as refusal:
        Population(**{"conditions": {"a": 0, "b": 1}, **keys})
    assert message in str(refusal.value)
