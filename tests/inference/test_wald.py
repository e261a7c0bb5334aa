"""Small-sample tests against lmerTest and pbkrtest, and against dense algebra."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from random_designs import balanced, formulas, table, unbalanced
from reference_values import NAMES, load
from scipy import stats

import twolevel as tl
from twolevel.inference import type3
from twolevel.inference.means import mean_rows


def fitted(name):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    return reference, fit, reference.values["lme4"]


@pytest.mark.parametrize("name", NAMES)
def test_kenward_roger_covariance(name):
    reference, fit, lme4 = fitted(name)
    order = reference.terms(lme4["reml"]["coef_order"])
    ours = pd.DataFrame(
        fit.covariance("kenward-roger").to_numpy(), fit.params.index, fit.params.index
    )
    np.testing.assert_allclose(
        ours.loc[order, order], lme4["kr_vcov"], rtol=1e-6, atol=1e-7 * np.max(lme4["kr_vcov"])
    )


@pytest.mark.parametrize(
    ("df", "key", "df_tolerance"),
    [("kenward-roger", "kr", 1e-5), ("satterthwaite", "satterthwaite", 1e-4)],
)
@pytest.mark.parametrize("name", NAMES)
def test_coefficients(name, df, key, df_tolerance):
    reference, fit, lme4 = fitted(name)
    table = fit.coef_table(df)
    for row in lme4[f"{key}_coef"]:
        (term,) = reference.terms(row["row"])
        ours = table.loc[term]
        np.testing.assert_allclose(ours["df"], row["df"], rtol=df_tolerance)
        np.testing.assert_allclose(ours["se"], row["Std. Error"], rtol=1e-6)
        np.testing.assert_allclose(ours["t"], row["t value"], rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(ours["p"], row["Pr(>|t|)"], rtol=1e-3)


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
@pytest.mark.parametrize("name", NAMES)
def test_type_3_tests(name, df):
    _, fit, lme4 = fitted(name)
    table = fit.anova(df)
    names = {frozenset(term.split(":")): term for term in table.index}
    key = "kr_anova3" if df == "kenward-roger" else "satterthwaite_anova3"
    for row in lme4[key]:
        ours = table.loc[names[frozenset(row["row"].split(":"))]]
        np.testing.assert_allclose(ours["F"], row["F value"], rtol=1e-6)
        assert ours["df_num"] == row["NumDF"]
        np.testing.assert_allclose(
            ours["df_den"], row["DenDF"], rtol=1e-5 if df == "kenward-roger" else 1e-4
        )
        np.testing.assert_allclose(ours["p"], row["Pr(>F)"], rtol=1e-3)


def dense_kenward_roger(fit, data):
    """Kenward & Roger's quantities from the (N, N) matrices, by their definitions."""
    X = fit.design.X
    Z = pd.get_dummies(data["id"]).to_numpy(dtype=float)
    G = [Z @ Z.T, np.eye(len(X))]
    V = fit.sigma_between**2 * G[0] + fit.sigma_within**2 * G[1]
    Vi = np.linalg.inv(V)
    phi = np.linalg.inv(X.T @ Vi @ X)
    P = [-X.T @ Vi @ g @ Vi @ X for g in G]
    Q = [[X.T @ Vi @ g @ Vi @ h @ Vi @ X for h in G] for g in G]
    information = np.array(
        [
            [
                np.trace(Vi @ G[r] @ Vi @ G[s])
                - 2 * np.trace(phi @ Q[r][s])
                + np.trace(phi @ P[r] @ phi @ P[s])
                for s in range(2)
            ]
            for r in range(2)
        ]
    )
    W = 2 * np.linalg.inv(information)
    middle = sum(W[r, s] * (Q[r][s] - P[r] @ phi @ P[s]) for r in range(2) for s in range(2))
    return phi + 2 * phi @ middle @ phi


@examples(40)
@given(data=balanced | unbalanced, formula=formulas)
def test_grouped_moments_give_the_dense_covariance(data, formula):
    fit = tl.fit_mixed(formula, data, "id")
    dense = dense_kenward_roger(fit, data)
    ours = fit.covariance("kenward-roger").to_numpy()
    np.testing.assert_allclose(ours, dense, rtol=1e-6, atol=1e-8 * np.abs(dense).max())


@examples(40)
@given(data=balanced)
def test_balanced_within_tests_are_exact(data):
    """Under balance, and inside the boundary, Kenward-Roger's F is the ANOVA's, df and all."""
    fit = tl.fit_mixed("y ~ time * group", data, "id")
    exact = tl.partition_errors("y ~ time * group", data, "id").table
    if fit.boundary:
        return
    for df in ("kenward-roger", "satterthwaite"):
        ours = fit.anova(df)
        np.testing.assert_allclose(ours["F"], exact["F"], rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(ours["df_den"], exact["df_den"], rtol=1e-5)


@examples(30)
@given(data=unbalanced)
def test_an_f_with_one_numerator_df_is_t_squared(data):
    fit = tl.fit_mixed("y ~ time + age", data, "id")
    for df in ("kenward-roger", "satterthwaite", "asymptotic"):
        t, F = fit.coef_table(df).loc["age"], fit.anova(df).loc["age"]
        np.testing.assert_allclose(t["t"] ** 2, F["F"], rtol=1e-6)
        np.testing.assert_allclose(t["p"], F["p"], rtol=1e-5, atol=1e-12)
        reference = stats.norm if df == "asymptotic" else stats.t(t["df"])
        np.testing.assert_allclose(t["p"], 2 * reference.sf(abs(t["t"])), rtol=1e-7)
        np.testing.assert_allclose(
            t["ci_high"] - t["estimate"], reference.ppf(0.975) * t["se"], rtol=1e-7
        )


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite", "asymptotic"])
def test_an_effect_that_the_coding_fixes_at_0_has_no_test(df):
    """The middle of three equally spaced times lies on the line, whatever its slope."""
    generator = np.random.default_rng(3)
    data = pd.DataFrame({"id": np.repeat(list("abcdef"), 3), "time": [1.0, 2.0, 3.0] * 6})
    data["y"] = data["time"] + generator.normal(size=18) + np.repeat(generator.normal(size=6), 3)
    effects = tl.fit_mixed("y ~ time", data, "id").condition_effects("time", df)
    assert effects.loc[2.0, "se"] == pytest.approx(0, abs=1e-12)
    assert effects.loc[2.0, ["df", "t", "p"]].isna().all()
    assert effects.loc[[1.0, 3.0], "p"].notna().all()


# lmerTest 3.1-3, anova(lmer(y ~ 0 + time + (1 | id))) of table(5, 12, 3, 0.3, 0.0, 2): F and df.
WITHOUT_INTERCEPT = {
    ("REML", "satterthwaite"): (1179.9239, 22.317944),
    ("REML", "kenward-roger"): (1132.0350, 27.897436),
    ("ML", "satterthwaite"): (1298.1960, 24.583031),
}


@pytest.mark.parametrize(("method", "df"), WITHOUT_INTERCEPT)
@pytest.mark.parametrize("first", ["t0", "t2"])
def test_means_that_are_all_0(method, df, first):
    """Whatever column the constant hides in."""
    data = table(5, 12, 3, 0.3, 0.0, 2)
    data = pd.concat([data[data["time"] == first], data[data["time"] != first]])
    found = tl.fit_mixed("y ~ 0 + time + (1 | id)", data, method=method).anova(df).loc["time"]
    expected = WITHOUT_INTERCEPT[method, df]
    np.testing.assert_allclose([found["F"], found["df_den"]], expected, rtol=1e-7)


@examples(40)
@given(balanced | unbalanced, formulas.filter(lambda formula: "0 +" not in formula))
def test_an_offset_of_the_response_changes_no_test_and_no_share(data, formula):
    fit = tl.fit_mixed(formula, data, "id")
    moved = tl.fit_mixed(formula, data.assign(y=data["y"] + 1e6), "id")
    # An offset of 10^6 is itself rounded to 10^-10.
    pd.testing.assert_frame_equal(moved.anova(), fit.anova(), rtol=1e-6, atol=1e-8)
    pd.testing.assert_frame_equal(moved.r2(), fit.r2(), rtol=1e-7, atol=1e-8)


@examples(20)
@given(balanced | unbalanced)
def test_nor_does_it_change_a_share_where_the_constant_hides(data):
    moved = data.assign(y=data["y"] + 1e6)
    own, plain = (tl.fit_mixed(f, moved, "id").r2() for f in ("y ~ 0 + time", "y ~ time"))
    pd.testing.assert_frame_equal(own, plain, rtol=1e-7, atol=1e-8)


def test_without_an_intercept_there_is_no_partition():
    from twolevel.strata.anova import NotPartitioned

    reference = load("anxiety_grp3")
    with pytest.raises(NotPartitioned, match="has no intercept"):
        tl.partition_errors("y ~ 0 + condition", reference.data, "subject")


@pytest.mark.parametrize("formula", ["y ~ poly(day, 2) + group", "y ~ poly(day, 2) * group"])
def test_a_function_with_several_columns_is_one_term(formula):
    """Its F is that of its columns together, in sum-to-zero coding."""
    reference = load("sleepstudy")
    data = reference.data.assign(
        day=reference.data["condition"].astype(float),
        group=np.where(reference.data["subject"].astype(int) % 2, "a", "b"),
    )
    fit = tl.fit_mixed(formula, data, "subject")
    coded = tl.fit_mixed(formula.replace("group", "C(group, contr.sum)"), data, "subject")
    for df in ("kenward-roger", "satterthwaite", "asymptotic"):
        table = fit.anova(df)
        assert table.loc["poly(day, 2)", "df_num"] == 2
        columns = [
            k
            for k, name in enumerate(coded.params.index)
            if name.startswith("poly") and "group" not in name
        ]
        L = np.eye(len(coded.params))[columns]
        expected = coded.estimates.test(L, df)
        np.testing.assert_allclose(table.loc["poly(day, 2)", "F"], expected["F"], rtol=1e-6)


def test_center_is_about_the_mean_of_all_rows():
    """Also where subjects of one age were seen under the same conditions, and repeat a row."""
    reference = load("anxiety_group")
    subject = reference.data["subject"].astype("category").cat.codes
    data = reference.data.assign(age=20.0 + subject // 3 * 5 % 21).iloc[2:]
    data = data.assign(centred=data["age"] - data["age"].mean())
    expected = tl.fit_mixed("y ~ group + condition * centred", data, "subject").anova()
    found = tl.fit_mixed("y ~ group + condition * center(age)", data, "subject").anova()
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ group + condition * age", {"condition": ["age"]}),
        ("y ~ group * age + condition", {"group": ["age"]}),
        ("y ~ group + condition * center(age)", {}),
        ("y ~ group * condition + age", {}),
        ("y ~ condition * poly(age, 2)", {"condition": ["poly(age, 2)"]}),
        ("y ~ age:condition + group", {}),
        ("y ~ 1", {}),
    ],
)
def test_which_tests_hold_where_numbers_are_0(formula, expected):
    """Where none is named, a factor's test is that of the equality of its marginal means."""
    reference = load("anxiety_group")
    subject = reference.data["subject"].astype("category").cat.codes
    data = reference.data.assign(age=20.0 + subject * 7 % 23)
    fit = tl.fit_mixed(formula, data, "subject")
    assert type3.held_at_zero(fit.design) == expected
    for factor in {"group", "condition"} & set(fit.design.terms):
        _, L = mean_rows(fit.design, factor)
        F = fit.estimates.test(L[1:] - L[0], "kenward-roger")["F"]
        at_means = np.isclose(F, fit.anova().loc[factor, "F"], rtol=1e-6)
        assert at_means == (factor not in expected)
