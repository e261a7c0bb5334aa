"""The cheapest designs against all designs, and what cannot be chosen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from closed_forms import fewest_subjects

import twolevel as tl
from twolevel.experiments.between_subjects import BetweenSubjects, Group
from twolevel.experiments.like_scenario import LikeScenario
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.cheapest_design import Costs, cheapest_designs, with_trials
from twolevel.experiments.sizing.laws import Laws
from twolevel.experiments.sizing.size_search import SizeSearch

THREE = Scenario(5, {"a": 0, "b": 0.5, "c": 1}, 5, 1.0, 1.0)
STRATA = Scenario(5, {"a": 0, "b": 1}, 0, 1.0, 2.0, replicates=2, strata={"condition": 0.6})


def cheapest(scenario, subject, trial, power, test="kenward-roger"):
    return cheapest_designs(scenario, Costs(subject, trial), [power], 1, test)


@pytest.mark.parametrize("costs", [(30.0, 0.5), (1.0, 5.0), (100.0, 0.1)])
@pytest.mark.parametrize("scenario", [STRATA, THREE])
def test_no_design_is_cheaper(costs, scenario):
    """Among all with up to 60 observations in a cell."""
    subject, trial = costs
    (found,) = cheapest(scenario, *costs, 0.8)
    J, prices = len(scenario.cells), []
    for R in range(1, 61):
        n = fewest_subjects(with_trials(scenario, R), 0.8)
        prices.append((n * (subject + trial * J * R), n, R))
    cost, n, R = min(prices)
    assert (found.subjects, found.replicates, found.cost) == (n, R, pytest.approx(cost)) or (
        found.replicates > 60 and found.cost <= cost
    )


def test_trials_cannot_make_up_for_subjects_that_differ():
    """Near the optimum of Cochran (1977), sqrt(subject sigma_w^2 / (J trial sigma_a^2))."""
    (found,) = cheapest(replace(STRATA, conditions={"a": 0, "b": 0.2}), 30, 0.5, 0.9)
    best = np.sqrt(30 * 2.0**2 / (2 * 0.5 * 0.6**2))
    assert found.replicates == pytest.approx(best, rel=0.15)
    assert cheapest(replace(STRATA, conditions={"a": 0, "b": 1e-5}), 30, 0.5, 0.8) == []


def test_each_term_of_groups_and_factors_has_its_cheapest_design():
    """Laws at two trials are those of each number of trials, one too."""
    factors = {"f": {"x": 0.0, "y": 0.4}, "g": {"u": 0.0, "v": 0.3}}
    groups = BetweenSubjects({"c": Group(1, 0.4), "d": Group(1)})
    scenario = Scenario(4, factors, 0, 1.0, 1.5, strata={"f": 0.3}, between=groups)
    found = {one.term: one for one in cheapest(scenario, 10, 0.5, 0.8)}
    assert list(found) == ["condition", "group", "g"]
    for term, one in found.items():
        prices = []
        for R in range(1, 26):
            n = Laws(with_trials(scenario, R)).terms[term].subjects_for(0.8, 0.95, R)
            prices.append((n * (10 + 2 * R), n, R))
        assert one.cost == min(prices)[0]
        assert (one.cost, one.subjects, one.replicates) in prices
        assert one.exact


def test_with_rows_missing_subjects_are_simulated():
    """At the number of trials that is cheapest for complete data."""
    scenario = replace(STRATA, missing=0.2, conditions={"a": 0, "b": 0.8})
    (complete,) = cheapest(replace(scenario, missing=0.0), 10, 3, 0.8)
    (found,) = cheapest(scenario, 10, 3, 0.8)
    assert (found.exact, found.replicates) == (False, complete.replicates)
    (size,) = SizeSearch(with_trials(scenario, found.replicates), 1, "kenward-roger").terms([0.8])
    assert found.subjects == size.subjects > complete.subjects
    assert found.cost == found.subjects * (10 + 3 * 2 * found.replicates)
    assert cheapest(scenario, 10, 3, 0.8, "anova") == []


def test_own_effects_of_one_observation_are_error():
    one = with_trials(STRATA, 1)
    assert (one.strata, one.replicates) == (None, 1)
    assert one.sigma_within == pytest.approx(np.hypot(2.0, 0.6))
    factors = {"f": {"x": 0, "y": 1}, "g": {"u": 0, "v": 1}}
    two = Scenario(5, factors, 0, 1.0, 2.0, replicates=2, strata={"f": 0.6, "g:f": 1.5})
    assert with_trials(two, 1).strata == {"f": 0.6}
    assert with_trials(two, 1).sigma_within == pytest.approx(2.5)


def test_a_studys_own_rows_leave_nothing_to_choose():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"s": np.repeat(np.arange(6), 3), "t": list("abc") * 6})
    table["y"] = rng.normal(size=18) + np.repeat(rng.normal(size=6), 3)
    fit = tl.fit_mixed("y ~ t", table, "s")
    with pytest.raises(tl.InputError, match="no trials to choose; leave out cost:"):
        cheapest(LikeScenario(fit, "treatment", "t", 12), 30, 0.5, 0.8)
