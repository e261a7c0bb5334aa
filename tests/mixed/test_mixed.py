"""The mixed model against exact values, lme4, and a dense likelihood written out in full."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given
from random_designs import balanced, formulas, unbalanced
from reference_values import EXACT, NAMES, exact, load

import twolevel as tl

METHODS = ["REML", "ML"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", EXACT)
def test_exact_values(name, method):
    reference = load(name)
    true = exact(reference, method)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject", method=method)
    np.testing.assert_allclose(fit.params, true["beta_treatment"], rtol=1e-10)
    np.testing.assert_allclose(fit.bse, true["se"], rtol=1e-10)
    np.testing.assert_allclose(fit.sigma_within, true["sigma_w"], rtol=1e-10)
    np.testing.assert_allclose(fit.llf, true["logLik"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(fit.icc, true["icc"], rtol=1e-10)
    if true["lambda_"] == 0:
        assert fit.boundary
        assert fit.sigma_between == 0.0
        assert (fit.random_effects["random_effect"] == 0).all()
    else:
        assert not fit.boundary
        np.testing.assert_allclose(fit.sigma_between, true["sigma_b"], rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NAMES)
def test_lme4(name, method):
    reference = load(name)
    lme4 = reference.values["lme4"][method.lower()]
    fit = tl.fit_mixed(reference.formula, reference.data, "subject", method=method)
    order = reference.terms(lme4["coef_order"])
    # lme4's own optimum is good to 1e-7 in sigma_b and to about 1e-5 in what depends on it.
    scale = np.ptp(reference.data["y"])
    np.testing.assert_allclose(fit.params[order], list(lme4["fixef"].values()), rtol=1e-9)
    np.testing.assert_allclose(fit.bse[order], list(lme4["se"].values()), rtol=1e-6)
    np.testing.assert_allclose(
        fit.cov_params.loc[order, order], lme4["vcov"], atol=1e-6 * np.max(lme4["vcov"])
    )
    np.testing.assert_allclose(
        [fit.llf, fit.aic, fit.bic], [lme4["logLik"], lme4["AIC"], lme4["BIC"]], rtol=0, atol=1e-8
    )
    ranef = fit.random_effects["random_effect"]
    np.testing.assert_allclose(ranef, pd.Series(lme4["ranef"])[ranef.index], atol=1e-7 * scale)
    np.testing.assert_allclose(
        fit.random_effects["se"] ** 2, lme4["ranef_condvar"], rtol=1e-6, atol=1e-12
    )
    assert fit.boundary == lme4["singular"]
    assert fit.random == "(1 | subject)"
    np.testing.assert_allclose(fit.theta, lme4["theta"], rtol=1e-6, atol=1e-6)
    assert list(fit.varcorr["grp"]) == ["subject", "Residual"]
    np.testing.assert_allclose(
        fit.varcorr["sdcor"], [lme4["sigma_b"], lme4["sigma_w"]], rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(fit.varcorr["vcov"], fit.varcorr["sdcor"] ** 2, rtol=1e-12)
    assert fit.n_parameters == lme4["df"]


def dense(data, X, fit, method):
    """Log-likelihood, GLS and BLUPs from the (N, N) covariance, by their definitions."""
    Z = pd.get_dummies(data["id"])[fit.random_effects.index].to_numpy(dtype=float)
    V = fit.sigma_between**2 * Z @ Z.T + fit.sigma_within**2 * np.eye(len(data))
    Vi = np.linalg.inv(V)
    information = X.T @ Vi @ X
    beta = np.linalg.solve(information, X.T @ Vi @ data["y"])
    r = data["y"] - X @ beta
    logs = np.linalg.slogdet(V)[1] + r @ Vi @ r
    if method == "ML":
        llf = -0.5 * (len(data) * np.log(2 * np.pi) + logs)
    else:
        logs += np.linalg.slogdet(information)[1]
        llf = -0.5 * ((len(data) - X.shape[1]) * np.log(2 * np.pi) + logs)
    return llf, beta, np.linalg.inv(information), fit.sigma_between**2 * Z.T @ Vi @ r


@examples(60)
@given(data=balanced | unbalanced, formula=formulas)
def test_equals_the_dense_model(data, formula):
    for method in METHODS:
        fit = tl.fit_mixed(formula, data, "id", method=method)
        X = fit.design.X
        llf, beta, cov, blup = dense(data, X, fit, method)
        np.testing.assert_allclose(fit.llf, llf, rtol=1e-9)
        np.testing.assert_allclose(fit.params, beta, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(fit.cov_params, cov, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(fit.random_effects["random_effect"], blup, atol=1e-7)
        np.testing.assert_allclose(fit.fittedvalues + fit.resid, data["y"], rtol=1e-12)


@examples(60)
@given(data=balanced | unbalanced, formula=formulas)
def test_no_other_lambda_is_better(data, formula):
    from twolevel.design.moments import grouped_moments, working_moments
    from twolevel.model.criterion import profile

    for method in METHODS:
        fit = tl.fit_mixed(formula, data, "id", method=method)
        design = fit.design
        subjects, _ = working_moments(design.cells, design.response, design.subject_rows)
        moments = grouped_moments(subjects)
        best = profile(moments, fit.lambda_, method).deviance
        for lambda_ in [0.0, *np.exp(np.arange(-20, 20, 0.37)), fit.lambda_ * 1.001]:
            assert best <= profile(moments, lambda_, method).deviance + 2e-9


@examples(40)
@given(data=unbalanced)
def test_derivatives_are_those_of_the_criterion(data):
    from twolevel.design.moments import grouped_moments, working_moments
    from twolevel.model.criterion import profile

    design = tl.fit_mixed("y ~ time", data, "id").design
    subjects, _ = working_moments(design.cells, design.response, design.subject_rows)
    moments = grouped_moments(subjects)
    for method in METHODS:
        for lambda_ in (0.1, 1.0, 7.0):
            h = 1e-5 * lambda_
            low, at, high = (profile(moments, lambda_ + k * h, method) for k in (-1, 0, 1))
            scale = 1 + abs(at.slope)
            assert abs((high.deviance - low.deviance) / (2 * h) - at.slope) < 1e-5 * scale
            assert abs((high.slope - low.slope) / (2 * h) - at.curvature) < 1e-4 * (
                1 + abs(at.curvature)
            )


@examples(30)
@given(data=unbalanced)
def test_units_and_order_do_not_matter(data):
    fit = tl.fit_mixed("y ~ time", data, "id")
    assume(fit.boundary or fit.lambda_ > 1e-3)
    shuffled = data.sample(frac=1, random_state=1)
    moved = tl.fit_mixed("y ~ time", shuffled.assign(y=1e6 + 100 * shuffled["y"]), "id")
    np.testing.assert_allclose(moved.sigma_within, 100 * fit.sigma_within, rtol=1e-8)
    np.testing.assert_allclose(moved.sigma_between, 100 * fit.sigma_between, rtol=1e-6)
    np.testing.assert_allclose(moved.bse, 100 * fit.bse, rtol=1e-7)
    np.testing.assert_allclose(
        moved.params.iloc[1:], 100 * fit.params.iloc[1:], rtol=1e-5, atol=1e-5
    )


@examples(30)
@given(data=balanced | unbalanced)
def test_coding_changes_no_mean_and_no_test(data):
    treatment = tl.fit_mixed("y ~ time * group", data, "id")
    coded = tl.fit_mixed("y ~ C(time, contr.sum) * C(group, contr.helmert)", data, "id")
    np.testing.assert_allclose(
        treatment.means("time")[["estimate", "se"]],
        coded.means("time")[["estimate", "se"]],
        rtol=1e-6,
    )
    np.testing.assert_allclose(treatment.anova()["F"], coded.anova()["F"], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(treatment.grand_mean["se"], coded.grand_mean["se"], rtol=1e-6)


# performance 0.10.2, r2_nakagawa of the REML fit: marginal, conditional.
@pytest.mark.parametrize(
    ("name", "formula", "expected"),
    [
        ("ergostool_missing", "y ~ condition", (0.350240957529, 0.701786569959)),
        ("ergostool_missing", "y ~ 0 + condition", (0.350240957529, 0.701786569959)),
        ("anxiety_group", "y ~ group * condition", (0.337253251059, 0.977012928672)),
        ("dyestuff", "y ~ 1", (0.0, 0.418487414893)),
    ],
)
def test_r_squared(name, formula, expected):
    fit = tl.fit_mixed(formula, load(name).data, "subject")
    table = fit.r2()["r2"]
    np.testing.assert_allclose(table[["marginal", "conditional"]], expected, rtol=1e-7)
    fixed = fit.design.X @ fit.params
    share = fixed.var(ddof=1) / (fixed.var(ddof=1) + fit.sigma_between**2 + fit.sigma_within**2)
    np.testing.assert_allclose(table["marginal"], share, rtol=1e-9, atol=1e-15)


@examples(30)
@given(data=balanced | unbalanced)
def test_design_effect_is_what_clustering_does_to_a_plain_mean(data):
    fit = tl.fit_mixed("y ~ time + (1 | id)", data)
    N = fit.nobs
    same = fit.design.codes[:, None] == fit.design.codes
    V = fit.sigma_between**2 * same + fit.sigma_within**2 * np.eye(N)
    independent = (fit.sigma_between**2 + fit.sigma_within**2) / N
    assert fit.design_effect == pytest.approx(V.sum() / N**2 / independent)


def test_numbers_in_c_are_a_factor():
    reference = load("sleepstudy")
    days = reference.data.assign(days=reference.data["condition"].astype(int))
    numeric, text = (
        tl.fit_mixed(formula, days, "subject") for formula in ("y ~ C(days)", "y ~ condition")
    )
    assert numeric.llf == pytest.approx(text.llf, abs=1e-9)
    np.testing.assert_allclose(numeric.means("days"), text.means("condition"), rtol=1e-9)
    np.testing.assert_allclose(numeric.anova()["F"], text.anova()["F"], rtol=1e-9)
    np.testing.assert_allclose(numeric.grand_mean["se"], text.grand_mean["se"], rtol=1e-9)
    ours = tl.partition_errors("y ~ C(days)", days, "subject").table["F"]
    np.testing.assert_allclose(ours, numeric.anova()["F"], rtol=1e-9)
    with pytest.raises(tl.InputError, match="both as a number and"):
        tl.fit_mixed("y ~ C(days) + days", days, "subject")


def test_method_and_df_are_named():
    reference = load("selfesteem")
    with pytest.raises(ValueError, match="expected 'REML' or 'ML'"):
        tl.fit_mixed(reference.formula, reference.data, "subject", method="reml")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    with pytest.raises(ValueError, match="expected 'kenward-roger'"):
        fit.coef_table(df="residual")
    with pytest.raises(ValueError, match="expected 'kenward-roger'"):
        fit.anova(df="residual")
    ml = tl.fit_mixed(reference.formula, reference.data, "subject", method="ML")
    with pytest.raises(ValueError, match="defined for REML"):
        ml.coef_table(df="kenward-roger")
