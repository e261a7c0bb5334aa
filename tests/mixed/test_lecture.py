"""The numbers printed in the lecture this project grew from.

PCHN63112 Mixed Models, notebooks 2 and 5 (anxiety, group 3), as printed there by R's lm, nlme, car
and emmeans; tolerances are half a unit of the last printed digit.
"""

import numpy as np
import pytest
from reference_values import load

import twolevel as tl


def printed(value: str):
    """A printed number, to be met within half of its last digit."""
    decimals = len(value.partition(".")[2])
    return pytest.approx(float(value), abs=0.5000001 * 10**-decimals)


@pytest.fixture(scope="module")
def data():
    return load("anxiety_grp3").data


@pytest.fixture(scope="module")
def fit(data):
    return tl.fit_mixed("y ~ condition", data, "subject")


def test_one_subject_is_saturated(data):
    observations = data.rename(columns={"y": "response"})
    one = tl.describe_design(observations).one_subject
    assert one.subject == "31"
    assert one.saturated
    assert one.df_condition == 0
    assert one.intercept == printed("13.1000")
    assert one.intercept_se == printed("0.8386")
    assert one.intercept_sd == printed("1.453")
    assert one.df_intercept == 2


def test_every_subject(data):
    level1 = tl.fit_subjects("y ~ condition", data, "subject", "condition")
    effects = level1.condition_effects.set_index("condition")["estimate"]
    at_t1 = level1.subjects.set_index("subject")["subject_mean"] + effects["t1"]
    for subject, mean in [("31", "14.9178"), ("36", "16.8178"), ("45", "19.0511")]:
        assert at_t1[subject] == printed(mean)
    assert effects["t2"] - effects["t1"] == printed("-2.0000")
    assert effects["t3"] - effects["t1"] == printed("-3.4533")
    assert level1.sigma_within == printed("0.3034")
    assert level1.df_resid == 28
    quartiles = np.quantile(level1.residuals["residual"], [0, 0.25, 0.5, 0.75, 1])
    for value, text in zip(
        quartiles, ["-0.43111", "-0.15111", "0.01556", "0.20222", "0.61556"], strict=True
    ):
        assert value == printed(text)


def test_mixed_model(fit):
    assert fit.sigma_between == printed("1.344507")
    assert fit.sigma_within == printed("0.3034458")
    assert fit.llf == printed("-42.21856")
    assert fit.aic == printed("94.43711")
    # nlme's BIC takes the log of N - p under REML, lme4's and ours of N.
    assert fit.bic + 5 * np.log(42 / 45) == printed("103.1255")
    table = fit.coef_table()  # balanced: Kenward-Roger changes no standard error
    for term, estimate, se, t in [
        ("Intercept", "17.013333", "0.3558818", "47.80614"),
        ("condition[T.t2]", "-2.000000", "0.1108027", "-18.05009"),
        ("condition[T.t3]", "-3.453333", "0.1108027", "-31.16650"),
    ]:
        assert table.loc[term, "estimate"] == printed(estimate)
        assert table.loc[term, "se"] == printed(se)
        assert table.loc[term, "t"] == printed(t)
    correlation = fit.cov_params.iloc[0, 1] / (fit.bse.iloc[0] * fit.bse.iloc[1])
    assert correlation == printed("-0.156")


def test_marginal_covariance(fit):
    from twolevel.levels.checks.implied_covariance import implied_covariance

    matrix = implied_covariance(fit, "condition").implied.to_numpy()
    assert matrix[0, 0] == printed("1.899778")
    assert matrix[0, 1] == printed("1.807698")


def test_wald_test_and_contrasts(fit):
    test = fit.anova().loc["condition"]
    assert test["F"] * test["df_num"] == printed("979.46")
    contrasts = fit.contrasts("condition", df="asymptotic")
    for name, estimate, se, z in [
        ("t1 - t2", "2.00", "0.111", "18.050"),
        ("t1 - t3", "3.45", "0.111", "31.166"),
        ("t2 - t3", "1.45", "0.111", "13.116"),
    ]:
        row = contrasts.loc[name]
        assert (row["estimate"], row["se"], row["t"]) == (
            printed(estimate),
            printed(se),
            printed(z),
        )
        assert row["p"] < 1e-4


def test_selfesteem_is_a_boundary_fit_with_two_f_values():
    data = load("selfesteem").data
    fit = tl.fit_mixed("y ~ condition", data, "subject")
    assert fit.boundary
    assert fit.anova().loc["condition", "F"] == printed("65.26")
    anova = tl.partition_errors("y ~ condition", data, "subject")
    assert anova.table.loc["condition", "F"] == printed("55.47")
    assert tl.fit_hierarchical(tl.fit_subjects("y ~ condition", data, "subject")).truncated


def test_simulation_of_ten_thousand_subjects():
    """Notebook 3: with n = 10,000 the moments are those of compound symmetry.

    Each bound is five standard errors of its estimate, a false alarm in about a million seeds.
    """
    data = tl.simulate(
        subjects=10_000,
        conditions={"t1": -2, "t2": 1, "t3": 3},
        grand_mean=5,
        sigma_between=3**0.5,
        sigma_within=2**0.5,
        seed=666,
    )
    wide = data.pivot(index="subject", columns="condition", values="response")
    np.testing.assert_allclose(wide.mean(), [3, 6, 8], atol=5 * (5 / 10_000) ** 0.5)
    covariance = np.cov(wide.T)
    implied = np.full((3, 3), 3.0) + 2 * np.eye(3)
    bound = 5 * np.sqrt((np.outer(np.diag(implied), np.diag(implied)) + implied**2) / 10_000)
    assert (np.abs(covariance - implied) < bound).all()
