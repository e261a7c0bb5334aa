"""Sums over subjects by power series: those of all subjects where a series reaches."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.model.effects import nearby_sets
from twolevel.model.effects.effect_criterion import contracted
from twolevel.model.effects.expansion import Expansion

FORMULAS = ["y ~ x + (1 + x | id)", "y ~ x + (x || id)", "y ~ x + (0 + x | id)"]


def own_times(seed: int, subjects: int, spread: float) -> pd.DataFrame:
    """Subjects at times of their own, with slopes of their own that differ so much."""
    generator = np.random.default_rng(seed)
    who = np.repeat(np.arange(subjects), 4)
    x = generator.uniform(0, 3, len(who))
    own = spread * generator.normal(size=(2, subjects))
    y = own[0][who] + (1 + 0.5 * own[1][who]) * x + generator.normal(size=len(who))
    return pd.DataFrame({"id": who, "x": x, "y": y})


@examples(20)
@given(
    seed=st.integers(0, 999),
    formula=st.sampled_from(FORMULAS),
    spread=st.sampled_from([0.0, 1.0, 5.0]),
    near=st.floats(0.001, 0.03),
)
def test_a_series_gives_the_sums_and_their_derivatives(seed, formula, spread, near):
    found = tl.fit_mixed(formula, own_times(seed, 30, spread)).estimates
    likelihood, own = found.likelihood, found.best.own[:, None]
    layout, sums, C = likelihood.layout, likelihood.sums, likelihood.directions
    series = Expansion.at(sums, C, layout, layout.psi(own)[:, 0])
    generator = np.random.default_rng(seed)
    psi = layout.psi(own * (1 + near * generator.normal(size=(len(own), 40))))
    psi = psi[:, series.reaches(psi)]
    expected, ours = contracted(sums, C, psi, True), series.contracted(psi, True)
    for name, exact in vars(expected).items():
        apart = np.abs(getattr(ours, name) - exact).reshape(len(exact), -1).max(axis=1)
        sizes = np.abs(exact).reshape(len(exact), -1).max(axis=1)
        tolerance = np.where(np.arange(len(exact)) <= len(psi), 1e-12, 1e-7)  # the last only steer
        assert (apart <= tolerance * sizes + 1e-13).all(), name


def test_what_no_series_reaches_is_said():
    found = tl.fit_mixed(FORMULAS[0], own_times(1, 30, 1.0)).estimates
    layout, psi = found.likelihood.layout, found.likelihood.layout.psi(found.best.own)
    series = Expansion.at(found.likelihood.sums, found.likelihood.directions, layout, psi)
    far = np.stack([psi, 1.02 * psi, 1.5 * psi, 0.0 * psi], axis=1)
    assert series.reaches(far).tolist() == [True, True, False, False]


@pytest.mark.parametrize("spread", [1.0, 0.0])
@pytest.mark.parametrize("formula", FORMULAS[:2])
def test_deletions_by_series_are_those_without(monkeypatch, formula, spread):
    """Also of a boundary fit, where a search looks at several places."""
    data = own_times(3, 120, spread)
    data.loc[data["id"] == 5, "y"] *= 8  # far from all others
    by_series = tl.fit_mixed(formula, data).without_subject
    monkeypatch.setattr("twolevel.model.effects.deleted_effects.MANY", 1_000)
    directly = tl.fit_mixed(formula, data).without_subject
    pd.testing.assert_frame_equal(by_series, directly, rtol=5e-10, atol=1e-9)
    assert nearby_sets.MANY <= 120
