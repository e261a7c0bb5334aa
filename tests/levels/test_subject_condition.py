"""Subjects' own effects of the condition: the ANOVA's interaction, and its expectation."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import table
from reference_values import load

import twolevel as tl
from twolevel.levels.checks.subject_condition import subject_condition

replicated = st.builds(
    table,
    seed=st.integers(0, 2**32 - 1),
    subjects=st.integers(4, 9),
    conditions=st.integers(2, 4),
    missing=st.sampled_from([0.0, 0.2]),
    ratio=st.sampled_from([0.0, 1.0]),
    replicates=st.integers(2, 3),
).filter(lambda data: data.groupby("time", observed=True)["id"].nunique().min() > 1)


# The group is a combination of subjects.
@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@examples(30)
@given(replicated, st.sampled_from(["y ~ time", "y ~ time * group + age"]))
def test_the_test_is_that_of_the_sequential_anova(data, formula):
    try:
        fit = tl.fit_mixed(f"{formula} + (1 | id)", data)
    except tl.InputError:
        return
    found = subject_condition(fit, "time")
    dense = smf.ols("y ~ C(id) * C(time)", data).fit()
    last = sm.stats.anova_lm(smf.ols("y ~ C(id) + C(time)", data).fit(), dense)
    if formula != "y ~ time":
        interaction = smf.ols("y ~ C(id) + C(time) * C(group)", data).fit()
        last = sm.stats.anova_lm(interaction, dense)
    if found is None:
        assert last["df_diff"].iloc[1] < 1 or dense.df_resid < 1
        return
    assert (found.df_num, found.df_den) == (last["df_diff"].iloc[1], dense.df_resid)
    np.testing.assert_allclose(found.F, last["F"].iloc[1], rtol=1e-8)
    np.testing.assert_allclose(found.p, last["Pr(>F)"].iloc[1], rtol=1e-6)

    # k: the trace of Z'MZ, with dense matrices.
    X = pd.get_dummies(data["id"]).to_numpy(float)
    time = pd.get_dummies(data["time"]).to_numpy(float)
    X = np.column_stack([X, time])
    if formula != "y ~ time":
        group = pd.get_dummies(data["group"]).to_numpy(float)
        X = np.column_stack([X, *(time * g[:, None] for g in group.T)])
    Z = pd.get_dummies(data["id"].astype(str) + data["time"].astype(str)).to_numpy(float)
    left = Z - X @ np.linalg.lstsq(X, Z, rcond=None)[0]
    np.testing.assert_allclose(found.per_cell, np.sum(Z * left) / found.df_num, rtol=1e-8)


def test_balanced_data_have_the_textbook_identity():
    data = table(seed=1, subjects=9, conditions=3, missing=0, ratio=1.0, replicates=4)
    found = subject_condition(tl.fit_mixed("y ~ time + (1 | id)", data), "time")
    cells = data.groupby(["id", "time"], observed=True)["y"].mean().unstack()
    left = cells.sub(cells.mean(axis=1), axis=0) - cells.mean() + cells.to_numpy().mean()
    np.testing.assert_allclose(found.ms_interaction, 4 * (left**2).to_numpy().sum() / 16)
    assert found.per_cell == pytest.approx(4)
    assert found.variance == pytest.approx((found.ms_interaction - found.ms_cells) / 4)
    means = cells.stack().rename("y").reset_index()
    expected = tl.fit_mixed("y ~ time + (1 | id)", means).anova()
    pd.testing.assert_frame_equal(found.tests, expected)


def test_the_variance_is_estimated_without_bias():
    """400 data sets; 6 standard errors, a false alarm once in 10^8 runs."""
    generator = np.random.default_rng(1)
    n, J, K, sigma = 6, 3, 2, 0.7
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(n), J * K), "time": np.tile(np.repeat(list("abc"), K), n)}
    )
    found = []
    for _ in range(400):
        own = sigma * generator.normal(size=(n, J, 1))
        y = generator.normal(size=(n, 1, 1)) + own + generator.normal(size=(n, J, K))
        fit = tl.fit_mixed("y ~ time + (1 | id)", frame.assign(y=y.ravel()))
        found.append(subject_condition(fit, "time").variance)
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - sigma**2) < 6 * error


@pytest.mark.parametrize(
    ("name", "condition"), [("ergostool", "condition"), ("dyestuff", None), ("sleepstudy", None)]
)
def test_where_the_design_cannot_tell_there_is_nothing(name, condition):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    assert subject_condition(fit, condition) is None


def test_variables_that_differ_within_a_cell_leave_it_open():
    data = table(seed=1, subjects=9, conditions=3, missing=0, ratio=1.0, replicates=2)
    data["item"] = np.tile(["x", "y"], len(data) // 2)
    assert subject_condition(tl.fit_mixed("y ~ time + item + (1 | id)", data), "time") is None
    data["trial"] = np.arange(len(data)) ** 2 % 17
    assert subject_condition(tl.fit_mixed("y ~ time + trial + (1 | id)", data), "time") is None


def test_a_model_with_own_effects_needs_no_test_of_them():
    data = table(1, 12, 3, 0.0, 1.0, replicates=2)
    fit = tl.fit_mixed("y ~ time + (1 | id) + (1 | id:time)", data)
    assert subject_condition(fit, "time") is None
