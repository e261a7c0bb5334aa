"""Subjects' own slopes: the analysis of covariance, its expectation, and tests on slopes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from reference_values import TESTS

import twolevel as tl
from twolevel.levels.checks.own_slopes import own_slopes


def lines(seed: int, subjects: int, size: int, missing: float = 0.0, own: float = 1.0):
    """Subjects observed at the same `size` values of x, less a share of the rows."""
    generator = np.random.default_rng(seed)
    x = np.sort(generator.normal(size=size)) * 3 + 100
    subject, at = np.indices((subjects, size)).reshape(2, -1)
    slope = 2 + own * generator.normal(size=subjects)
    data = pd.DataFrame(
        {
            "id": pd.Series(subject).map("s{}".format),
            "x": x[at],
            "group": np.where(subject % 3 == 0, "a", "b"),
            "age": generator.normal(40, 10, size=subjects)[subject],
            "z": generator.normal(size=subject.size),
            "y": slope[subject] * x[at] + generator.normal(size=subject.size),
        }
    )
    return data[generator.random(len(data)) >= missing].reset_index(drop=True)


# The group is a combination of subjects.
@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@examples(30)
@given(
    seed=st.integers(0, 2**32 - 1),
    subjects=st.integers(4, 9),
    size=st.integers(3, 6),
    missing=st.sampled_from([0.0, 0.3]),
    formula=st.sampled_from(["y ~ x", "y ~ center(x) * group + age", "y ~ 0 + x + z"]),
)
def test_the_test_is_that_of_the_analysis_of_covariance(seed, subjects, size, missing, formula):
    data = lines(seed, subjects, size, missing)
    try:
        fit = tl.fit_mixed(f"{formula} + (1 | id)", data)
    except tl.InputError:
        return
    found = own_slopes(fit, "x")
    data["x"] -= 100  # statsmodels loses digits to an offset
    more = {"y ~ x": "", "y ~ 0 + x + z": " + z"}.get(formula, " + x:C(group)")
    dense = smf.ols("y ~ C(id) * x" + more.replace(" + x:C(group)", ""), data).fit()
    table = sm.stats.anova_lm(smf.ols("y ~ C(id) + x" + more, data).fit(), dense)
    if found is None:
        assert table["df_diff"].iloc[1] < 1 or dense.df_resid < 1
        return
    assert (found.df_num, found.df_den) == (table["df_diff"].iloc[1], dense.df_resid)
    np.testing.assert_allclose(found.F, table["F"].iloc[1], rtol=1e-7)
    np.testing.assert_allclose(found.p, table["Pr(>F)"].iloc[1], rtol=1e-5)

    # k: the trace of Z'MZ, with dense matrices.
    of = pd.get_dummies(data["id"]).to_numpy(float)
    x = data["x"].to_numpy()
    further = {"y ~ x": [x], "y ~ 0 + x + z": [x, data["z"]]}
    columns = further.get(formula, [x, x * (data["group"] == "a")])
    X = np.column_stack([of, *columns])
    Z = of * x[:, None]
    left = Z - X @ np.linalg.lstsq(X, Z, rcond=None)[0]
    np.testing.assert_allclose(found.k, np.sum(Z * left) / found.df_num, rtol=1e-7)


@examples(20)
@given(st.integers(0, 2**32 - 1), st.integers(5, 9), st.integers(3, 6))
def test_tests_on_slopes_are_those_of_a_regression_of_the_slopes(seed, subjects, size):
    data = lines(seed, subjects, size)
    slopes = data.groupby("id", sort=False)[["x", "y"]].apply(lambda s: np.polyfit(s.x, s.y, 1)[0])
    between = data.drop_duplicates("id").set_index("id").assign(slope=slopes)
    found = own_slopes(tl.fit_mixed("y ~ x + (1 | id)", data), "x")
    mean, se = slopes.mean(), slopes.std() / np.sqrt(subjects)
    assert found.mean["estimate"] == pytest.approx(mean)
    assert found.mean["se"] == pytest.approx(se)
    low, high = smf.ols("slope ~ 1", between).fit().conf_int().to_numpy()[0]
    assert (found.mean["ci_low"], found.mean["ci_high"]) == pytest.approx((low, high))
    assert found.tests.loc["x", "F"] == pytest.approx((mean / se) ** 2)

    found = own_slopes(tl.fit_mixed("y ~ x * group + age + (1 | id)", data), "x")
    expected = smf.ols("slope ~ C(group, Sum)", between).fit()
    assert found.tests["F"].tolist() == pytest.approx(list(expected.tvalues**2))
    assert found.tests["p"].tolist() == pytest.approx(list(expected.pvalues), rel=1e-5)
    assert found.tests.index.tolist() == ["x", "x:group"]
    assert found.mean["estimate"] == pytest.approx(expected.params["Intercept"])


def test_sleepstudy_has_the_values_of_r():
    """lm, t.test of the slopes, and lme4's model with random slopes, which is balanced here."""
    data = pd.read_csv(TESTS / "data/sleepstudy.csv")
    found = own_slopes(tl.fit_mixed("y ~ condition + (1 | subject)", data), "condition")
    assert (found.df_num, found.df_den, found.n_slopes) == (17, 144, 18)
    assert pytest.approx(5.41782, abs=5e-6) == found.F
    assert found.p == pytest.approx(3.2719e-09, rel=2e-5)
    assert found.variance == pytest.approx(35.07166, abs=5e-6)
    assert found.k == pytest.approx(82.5)
    assert found.tests.loc["condition"].tolist()[:3] == pytest.approx([45.853, 1, 17], abs=5e-4)
    ends = found.mean["ci_low"], found.mean["ci_high"]
    assert ends == pytest.approx((7.205956, 13.728615), abs=5e-7)


def test_the_variance_is_estimated_without_bias():
    """400 data sets; 6 standard errors, a false alarm once in 10^8 runs."""
    found = []
    for seed in range(400):
        data = lines(1, 6, 4).assign(y=lines(seed, 6, 4, own=0.7)["y"])
        data["x"] = lines(seed, 6, 4)["x"]
        found.append(own_slopes(tl.fit_mixed("y ~ x + (1 | id)", data[seed % 5 :]), "x").variance)
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - 0.7**2) < 6 * error


def test_where_slopes_are_unequally_precise_there_is_no_test_on_them():
    data = lines(1, 6, 5)
    for table, formula in ((data[1:], "y ~ x"), (data, "y ~ x + z")):
        found = own_slopes(tl.fit_mixed(f"{formula} + (1 | id)", table), "x")
        assert found.F > 0
        assert found.tests is None
        assert found.mean is None


def test_where_the_effect_is_no_line_there_is_nothing():
    data = lines(1, 6, 5)
    for formula in ("y ~ x + I((x - 100) ** 2)", "y ~ log(x)", "y ~ C(x)", "y ~ x + x:z"):
        assert own_slopes(tl.fit_mixed(f"{formula} + (1 | id)", data), "x") is None, formula
    # Two observations of a subject leave nothing besides its own line.
    short = data[data["x"].isin(sorted(data["x"].unique())[:2])]
    assert own_slopes(tl.fit_mixed("y ~ x + (1 | id)", short), "x") is None


def test_marginal_slopes_are_the_coefficients():
    data = lines(1, 6, 5)
    fit = tl.fit_mixed("y ~ x * group + age", data, "id")
    expected = fit.coef_table()
    within = fit.slopes("x", by="group")
    pd.testing.assert_series_equal(within.loc["a"], expected.loc["x"], check_names=False, rtol=1e-6)
    rise = expected.loc[["x", "x:group[T.b]"], "estimate"].sum()
    assert within.loc["b", "estimate"] == pytest.approx(rise)
    assert fit.slopes("x")["estimate"].iloc[0] == pytest.approx(within["estimate"].mean())
    assert fit.slopes("group") is None
    assert tl.fit_mixed("y ~ log(x)", data, "id").slopes("x") is None


def test_a_model_with_own_slopes_needs_no_test_of_them():
    data = lines(1, 12, 5)
    for formula in ("y ~ x + (1 + x | id)", "y ~ x"):
        assert own_slopes(tl.fit_mixed(formula, data, "id"), "x") is None
