"""Level 1 and Level 2 against R's lm, and against statsmodels with one dummy per subject."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from examples import examples
from hypothesis import given
from random_designs import balanced, unbalanced
from reference_values import NAMES, load

import twolevel as tl

TWO_STAGE = [name for name in NAMES if load(name).values.get("two_stage_lm")]


@pytest.mark.parametrize("name", TWO_STAGE)
def test_lm(name):
    reference = load(name)
    lm = reference.values["two_stage_lm"]
    level1 = tl.fit_subjects(reference.formula, reference.data, "subject", reference.condition)
    rows = {row["row"]: row["Estimate"] for row in lm["level1"]}
    # R's coding makes mu_i the mean at the first condition; ours is the mean over conditions.
    effects = level1.condition_effects["estimate"]
    first = effects.iloc[0] if len(effects) else 0.0
    means = level1.subjects.set_index("subject")["subject_mean"]
    np.testing.assert_allclose(
        means + first, [rows[f"subject{s}"] for s in means.index], rtol=1e-10
    )
    np.testing.assert_allclose(level1.sigma_within, lm["sigma"], rtol=1e-10)
    assert level1.df_resid == lm["df"]
    np.testing.assert_allclose(
        level1.residuals["residual"], lm["residuals"], atol=1e-10 * np.ptp(reference.data["y"])
    )
    level2 = tl.fit_hierarchical(level1)
    np.testing.assert_allclose(level2.raw_variance, lm["level2"]["var"], rtol=1e-10)
    # lm takes the subject means for independent of one another; with empty cells they are not.
    independent = np.sqrt(level2.grand_mean_se**2 - level1.shared_cov[0, 0])
    np.testing.assert_allclose(independent, lm["level2"]["se"], rtol=1e-10)
    np.testing.assert_allclose(level2.grand_mean + first, lm["level2"]["estimate"], rtol=1e-10)


def with_dummies(data):
    """statsmodels' fit with a column for each subject, sum-to-zero conditions."""
    fit = smf.ols("y ~ 0 + C(id) + C(time, Sum)", data).fit()
    subjects = [f"C(id)[{name}]" for name in pd.unique(data["id"])]
    return fit, subjects


@examples(40)
@given(data=balanced | unbalanced)
def test_statsmodels_with_one_dummy_per_subject(data):
    fit, subjects = with_dummies(data)
    level1 = tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time")
    np.testing.assert_allclose(level1.subjects["subject_mean"], fit.params[subjects], rtol=1e-9)
    np.testing.assert_allclose(level1.subjects["se"], fit.bse[subjects], rtol=1e-7)
    np.testing.assert_allclose(level1.residuals["residual"], fit.resid, atol=1e-9)
    np.testing.assert_allclose(level1.residuals["fitted"], fit.fittedvalues, rtol=1e-9)
    effects = [name for name in fit.params.index if name.startswith("C(time")]
    np.testing.assert_allclose(
        level1.condition_effects["estimate"].iloc[:-1], fit.params[effects], atol=1e-9
    )
    np.testing.assert_allclose(
        level1.condition_effects["se"].iloc[:-1], fit.bse[effects], rtol=1e-7
    )
    assert abs(level1.condition_effects["estimate"].sum()) < 1e-9


@examples(40)
@given(data=balanced | unbalanced)
def test_correction_is_the_expected_sampling_variance(data):
    """E[raw variance] - sigma_b^2 = tr(M Cov) / df, with Cov from the dense fit."""
    fit, subjects = with_dummies(data)
    covariance = fit.cov_params().loc[subjects, subjects].to_numpy()
    n = len(subjects)
    level1 = tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time")
    centring = np.eye(n) - 1 / n
    np.testing.assert_allclose(
        level1.sampling_variance, np.trace(centring @ covariance) / (n - 1), rtol=1e-7
    )


@examples(60)
@given(data=balanced)
def test_balanced_two_stage_is_reml(data):
    level2 = tl.fit_hierarchical(tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time"))
    fit = tl.fit_mixed("y ~ time + (1 | id)", data)
    assert fit.boundary == level2.truncated
    np.testing.assert_allclose(level2.grand_mean, fit.grand_mean["estimate"], rtol=1e-9)
    if not fit.boundary:
        np.testing.assert_allclose(level2.sigma_between, fit.sigma_between, rtol=1e-7)
        np.testing.assert_allclose(level2.sigma_within, fit.sigma_within, rtol=1e-9)
        np.testing.assert_allclose(level2.grand_mean_se, fit.grand_mean["se"], rtol=1e-7)


@examples(40)
@given(data=unbalanced)
def test_level2_weighs_means_by_their_precision(data):
    level1 = tl.fit_subjects("y ~ time + group + (1 | id)", data, "id", "time")
    level2 = tl.fit_hierarchical(level1, weights="precision")
    subjects = level1.subjects.rename(columns={"group[T.b]": "b"})
    weights = 1 / (level2.between_variance + subjects["se"] ** 2)
    wls = smf.wls("subject_mean ~ b", subjects, weights=weights).fit()
    np.testing.assert_allclose(level2.params["estimate"], wls.params, rtol=1e-8)
    independent = np.sqrt(level2.params["se"] ** 2 - np.diag(level1.shared_cov))
    np.testing.assert_allclose(independent, wls.bse, rtol=1e-8)
    assert level2.raw_variance == tl.fit_hierarchical(level1).raw_variance


@examples(40)
@given(data=balanced)
def test_precise_means_alike_are_weighted_alike(data):
    level1 = tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time")
    level2 = tl.fit_hierarchical(level1, weights="precision")
    assert not level2.weighted
    assert level2.grand_mean_se == tl.fit_hierarchical(level1).grand_mean_se


@examples(40)
@given(data=balanced)
def test_level2_takes_what_differs_between_subjects(data):
    formula = "y ~ time * group + age + (1 | id)"
    level2 = tl.fit_hierarchical(tl.fit_subjects(formula, data, "id", "time"))
    fit = tl.fit_mixed(formula, data)
    assert list(level2.params.index) == ["Intercept", "group[T.b]", "age"]
    np.testing.assert_allclose(level2.params.loc["age", "estimate"], fit.params["age"], rtol=1e-6)
    if not fit.boundary:
        np.testing.assert_allclose(level2.sigma_between, fit.sigma_between, rtol=1e-6)
        np.testing.assert_allclose(level2.params.loc["age", "se"], fit.bse["age"], rtol=1e-6)


@examples(30)
@given(data=unbalanced)
def test_coding_does_not_matter(data):
    one, other = (
        tl.fit_subjects(formula, data, "id", "time").subjects["subject_mean"]
        for formula in ("y ~ time + (1 | id)", "y ~ 0 + time + (1 | id)")
    )
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_summary_survives_a_file(tmp_path):
    from twolevel.files.stage_files import write_json
    from twolevel.levels.subjects import SubjectFits

    reference = load("ergostool_missing")
    level1 = tl.fit_subjects(reference.formula, reference.data, "subject", "condition")
    write_json(tmp_path / "level1.json", level1.summary())
    again = SubjectFits.from_summary(
        json.loads((tmp_path / "level1.json").read_text("utf-8")), level1.subjects, level1.residuals
    )
    assert tl.fit_hierarchical(again).summary()["between_variance"] == (
        tl.fit_hierarchical(level1).between_variance
    )


@examples(40)
@given(data=balanced | unbalanced)
def test_standard_errors_hold_what_subject_means_share(data):
    """What is off the diagonal of the means' covariance, from the dense fit, seen by Level 2."""
    fit, subjects = with_dummies(data)
    level1 = tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time")
    covariance = fit.cov_params().loc[subjects, subjects].to_numpy()
    independent = np.diag(level1.sigma_within**2 / level1.subjects["n"])
    mean = np.full(len(subjects), 1 / len(subjects))
    scale = level1.sigma_within**2
    np.testing.assert_allclose(
        level1.shared_cov[0, 0], mean @ (covariance - independent) @ mean, atol=1e-9 * scale
    )


def test_the_standard_error_where_one_condition_is_seen_more_often():
    """Every subject twice under t1: the means lean on the effects, alike, and both methods know."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"id": np.repeat(np.arange(8), 4), "time": ["t1", "t1", "t2", "t3"] * 8})
    data["y"] = np.repeat(rng.normal(0, 2, 8), 4) + rng.normal(size=32)
    level2 = tl.fit_hierarchical(
        tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time"), "precision"
    )
    mixed = tl.fit_mixed("y ~ time + (1 | id)", data).grand_mean["se"]
    np.testing.assert_allclose(level2.grand_mean_se, mixed, rtol=1e-7)
