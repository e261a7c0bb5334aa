"""Studies that are like fitted ones: their rows, their truth, and how many of their subjects."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.experiments.like_scenario import LikeScenario
from twolevel.experiments.performance import block_sums, performance, with_theory
from twolevel.experiments.planned.resampled_study import resampled_study
from twolevel.experiments.run import replicate_block

DATA = Path(__file__).parents[1] / "data"
STUDIES = {
    "anxiety": ("y ~ condition * group", "subject", "condition"),
    "sleepstudy": ("y ~ condition", "subject", "condition"),
    "selfesteem2": ("score ~ treatment * time", "id", "treatment"),
    "groups_missing": ("y ~ time * group + age", "id", "time"),
}


def fitted(name):
    formula, subject, condition = STUDIES[name]
    return tl.fit_mixed(formula, pd.read_csv(DATA / f"{name}.csv"), subject), condition


@pytest.mark.parametrize("name", STUDIES)
def test_with_its_own_subjects_it_is_the_fit(name):
    fit, condition = fitted(name)
    study = resampled_study(fit, len(fit.design.subjects), "treatment", condition)
    X = study.design.cells.spread(study.design.cells.X)
    assert study.design.nobs == fit.nobs
    np.testing.assert_allclose(
        np.sort(study.mean + X @ study.beta), np.sort(fit.fixed_part), rtol=1e-9
    )
    assert str(study.random.part) == fit.random
    truth = study.truth
    np.testing.assert_allclose(truth["grand_mean"], fit.grand_mean["estimate"], rtol=1e-9)
    np.testing.assert_allclose(truth["within_variance"], fit.sigma_within**2)
    sds = fit.varcorr[fit.varcorr["var2"].isna()]["vcov"]
    found = [truth[n] for n, each in study.parameters.items() if each.is_deviation]
    np.testing.assert_allclose(found, sds[:-1], rtol=1e-8)
    effects = [value for n, value in truth.items() if n.startswith("alpha[") or n == "slope"]
    if fit.design.is_factor(condition):
        expected = fit.condition_effects(condition)["estimate"]
    else:
        expected = fit.slopes(condition)["estimate"]
    np.testing.assert_allclose(effects, expected, rtol=1e-8, atol=1e-10)


@examples(30)
@given(st.integers(6, 120))
def test_groups_keep_their_proportions(subjects):
    fit, condition = fitted("anxiety")
    study = resampled_study(fit, subjects, "treatment", condition)
    first = study.design.data.iloc[study.design.first_rows]
    counts = first["group"].value_counts()
    assert counts.sum() == subjects
    assert (np.abs(counts - subjects / 3) < 1).all()


def test_a_share_of_an_effect_is_taken_of_it_alone():
    fit, condition = fitted("anxiety")
    whole = LikeScenario(fit, "treatment", condition, 45)
    none = LikeScenario(
        fit, "treatment", condition, 45, shares={"condition": 0.0, "condition:group": 0.5}
    )
    time, both, group = (
        [study.study.terms[term] @ study.study.beta for study in (whole, none)]
        for term in ("condition", "condition:group", "group")
    )
    np.testing.assert_allclose(time[1], 0, atol=1e-10)
    np.testing.assert_allclose(both[1], both[0] / 2, atol=1e-10)
    np.testing.assert_allclose(group[1], group[0], atol=1e-10)


@pytest.mark.parametrize("name", ["anxiety", "selfesteem2"])
def test_experiments_meet_what_is_known(name):
    fit, condition = fitted(name)
    where = LikeScenario(
        fit, "treatment", condition, 14, shares={"condition": 0.3, "treatment": 0.8}
    )
    experiments = replicate_block(where, 0, 1_500, 5, "kenward-roger")
    found = with_theory(performance(block_sums(where, experiments, "kenward-roger")), where)
    known = found[found["theory"].notna()]
    assert len(known) == 2 * (1 + len(where.estimands)) + 2 * len(where.tested)
    assert (np.abs(known["value"] - known["theory"]) < 6 * known["mcse"] + 1e-3).all()


def test_what_is_nested_in_something_else_is_refused():
    data = pd.read_csv(DATA / "selfesteem2.csv")
    fit = tl.fit_mixed("score ~ time + (1 | id) + (1 | id:treatment)", data)
    with pytest.raises(tl.InputError, match='"treatment" is no variable of the fixed part'):
        resampled_study(fit, 12, "treatment", "time")
