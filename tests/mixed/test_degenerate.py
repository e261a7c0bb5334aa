"""Data and formulas that no random-intercept model can be fitted to, refused with the reason."""

import numpy as np
import pandas as pd
import pytest

import twolevel as tl

GOOD = pd.DataFrame(
    {
        "id": np.repeat(list("abcd"), 3),
        "time": list("xyz") * 4,
        "age": np.repeat([30.0, 40.0, 50.0, 70.0], 3),
        "y": [1.0, 2.5, 3.0, 2.0, 2.2, 4.0, 0.0, 1.0, 2.5, 3.0, 3.5, 6.0],
    }
)
NO_SPREAD = GOOD.assign(y=GOOD["y"] - GOOD.groupby("id")["y"].transform("mean"))
ALL_SPREAD = GOOD.assign(y=1e-5 * GOOD["y"] + np.repeat([1, 5, 2, 9], 3))


@pytest.mark.parametrize(
    ("formula", "data", "message"),
    [
        ("y ~ time", GOOD[GOOD["id"] == "a"], "one subject only"),
        ("y ~ time", GOOD.iloc[[0, 4, 8, 11]], "every subject has one observation"),
        ("y ~ time", GOOD.assign(y=3.0), r"the response is 3\.0 in every row"),
        ("y ~ time", GOOD.iloc[:0], "the table has no rows"),
        ("y ~ log(time)", GOOD, "Unable to evaluate factor `log.time.`.*columns of numbers"),
        ("y ~ C(time, contr.treatment('t'))", GOOD, "'t'.* is not among the provided levels"),
        ("y ~ bs(age, df=2)", GOOD, "`df` must be greater than 3"),
        ("y ~ time", GOOD.assign(y=["1"] * 12), "the response holds .* values, expected numbers"),
        ("y ~ time", GOOD.assign(y=GOOD["y"].where(GOOD["y"] > 0)), "1 missing values.* row 7"),
        ("y ~ time", GOOD.assign(y=GOOD["y"].replace(6.0, np.inf)), "infinite values"),
        ("y ~ time + dose", GOOD, "column 'dose' is not in the table"),
        ("y ~ time + age + centred", GOOD.assign(centred=GOOD["age"] - 40), "cannot tell centred"),
        # numpy's own warning about log(0) comes first
        ("y ~ log(age)", GOOD.assign(age=GOOD["age"] - 30), r"log\(age\) .* is not finite"),
        ("y ~ y", GOOD, "also on the right of ~"),
        ("y ~ time * id", GOOD, "12 coefficients and 12 observations leave nothing"),
        ("y ~ time + id", GOOD, "fixed effects leave no differences between subjects"),
        ("y ~ 1", GOOD.assign(y=np.repeat([1.0, 2.0, 4.0, 8.0], 3)), "within subjects are all 0"),
        (
            "y ~ time",
            GOOD.assign(y=3e-7 * GOOD["y"] + np.repeat([1, 5, 2, 9], 3)),
            "within subjects are all 0",
        ),
        (
            "y ~ time",
            GOOD.assign(y=np.repeat([1.0, 2.0, 4.0, 8.0], 3) + np.tile([0.0, 1.0, 5.0], 4)),
            "residuals within subjects are all 0",
        ),
        ("y ~ age", GOOD.assign(y=0.1 * GOOD["age"] + 0.7), "explain the response to its last dig"),
        (
            "y ~ time",
            GOOD.assign(y=np.tile([0.1, 1.0, 0.3], 4)),
            "explain the response to its last",
        ),
        (
            "y ~ time",
            GOOD.assign(y=np.tile([1.0, 2.0, 4.0], 4)),
            "explain the response to its last",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_refused(formula, data, message):
    with pytest.raises(tl.InputError, match=message):
        tl.fit_mixed(formula, data, "id")


def test_no_degrees_of_freedom_for_the_residual():
    data = GOOD[GOOD["time"] != "z"].iloc[[0, 1, 2, 4, 6]]
    with pytest.raises(tl.InputError, match="degrees of freedom for sigma_within"):
        tl.fit_subjects("y ~ time", data.assign(time=list("xyxzy")), "id")


def test_unused_levels_are_no_columns():
    ordered = GOOD.assign(time=pd.Categorical(GOOD["time"], list("zyxw"), ordered=True))
    fit = tl.fit_mixed("y ~ time", ordered, "id")
    assert list(fit.params.index) == ["Intercept", "time[T.y]", "time[T.x]"]


@pytest.mark.parametrize("kind", [str, "category", lambda s: s.map(ord)])
def test_subjects_may_be_text_categories_or_numbers(kind):
    ids = kind(GOOD["id"]) if callable(kind) and kind is not str else GOOD["id"].astype(kind)
    fit = tl.fit_mixed("y ~ time", GOOD.assign(id=ids), "id")
    assert fit.llf == tl.fit_mixed("y ~ time", GOOD, "id").llf


def test_large_offsets_lose_no_digits_beyond_the_datas_own():
    """At an offset of 1e9 the data hold 7 digits after the point, and so do the estimates."""
    fit = tl.fit_mixed("y ~ time + age", GOOD, "id")
    moved = tl.fit_mixed(
        "y ~ time + age", GOOD.assign(y=GOOD["y"] + 1e9, age=GOOD["age"] + 1e6), "id"
    )
    assert moved.sigma_within == pytest.approx(fit.sigma_within, rel=1e-6)
    assert moved.sigma_between == pytest.approx(fit.sigma_between, rel=1e-5)
    assert moved.params["age"] == pytest.approx(fit.params["age"], rel=1e-5)


@pytest.mark.parametrize("random", ["(1 | id)", "(1 + clock | id)"])
def test_a_covariate_with_a_large_offset_is_not_constant(random):
    seconds = np.tile([0.0, 700.0, 1500.0], 4) + np.repeat([0.0, 90.0, 400.0, 2000.0], 3)
    near, far = (
        tl.fit_mixed(f"y ~ clock + {random}", GOOD.assign(clock=seconds + start))
        for start in (0, 1.7e9)
    )
    assert far.params["clock"] == pytest.approx(near.params["clock"], rel=1e-6)
    assert far.bse["clock"] == pytest.approx(near.bse["clock"], rel=1e-6)
    if random == "(1 | id)":  # with slopes it is the spread at the origin of the clock
        assert far.sigma_between == pytest.approx(near.sigma_between, rel=1e-6)
    assert far.anova().loc["clock", "F"] == pytest.approx(near.anova().loc["clock", "F"], rel=1e-5)


def test_strong_fixed_effects_lose_no_digits():
    strong = GOOD.assign(y=GOOD["y"] + GOOD["time"].map({"x": 0.0, "y": 1e8, "z": -3e8}))
    assert tl.fit_mixed("y ~ time", strong, "id").sigma_within == pytest.approx(
        tl.fit_mixed("y ~ time", GOOD, "id").sigma_within, rel=1e-6
    )


@pytest.mark.parametrize(
    ("kind", "formula", "data", "icc"),
    [
        ("lambda 0", "y ~ time", NO_SPREAD, 0),
        ("lambda 6e11", "y ~ time", ALL_SPREAD, 1),
        ("lambda 6e11", "y ~ 0 + time", ALL_SPREAD, 1),
        ("two subjects", "y ~ time", GOOD[GOOD["id"].isin(["a", "b"])], None),
        ("subjects with one row", "y ~ 1", GOOD.iloc[[0, 1, 3, 6, 9]], None),
        (
            "a condition of one subject",
            "y ~ time",
            GOOD.assign(time=["w", *"yz", *"xyz" * 3]),
            None,
        ),
    ],
)
def test_everything_is_finite_at_the_edge(kind, formula, data, icc):
    """Every inference has an answer: finite, or NaN for what the design cannot say."""
    fit = tl.fit_mixed(formula, data, "id")
    if icc is not None:
        assert fit.icc == pytest.approx(icc, abs=1e-9)
    for df in ("kenward-roger", "satterthwaite", "asymptotic"):
        assert np.isfinite(fit.coef_table(df).drop(columns="df")).all(axis=None)
        assert (fit.anova(df).drop(columns="df_den") >= 0).all(axis=None)
    intervals = fit.profile()
    assert np.isfinite(intervals).all(axis=None)
    assert (intervals["ci_low"] <= intervals["estimate"]).all()
    assert (intervals["estimate"] <= intervals["ci_high"]).all()
    assert fit.r2()["r2"].between(0, 1).all()
    assert fit.influence().notna().any(axis=None) or kind in (
        "two subjects",
        "subjects with one row",
    )


def test_the_constant_may_hide_in_the_columns():
    """`0 + time` spans the intercept's model, and is as exact at a large lambda."""
    hidden, plain = (tl.fit_mixed(f"y ~ {start}time", ALL_SPREAD, "id") for start in ("0 + ", ""))
    assert hidden.sigma_within == pytest.approx(plain.sigma_within, rel=1e-9)
    assert hidden.sigma_between == pytest.approx(plain.sigma_between, rel=1e-9)
    np.testing.assert_allclose(hidden.means("time"), plain.means("time"), rtol=1e-9)
    sigmas = ["sigma_between", "sigma_within", "icc"]
    np.testing.assert_allclose(hidden.profile().loc[sigmas], plain.profile().loc[sigmas], rtol=1e-9)


def test_a_constant_that_columns_add_up_to_with_weights():
    """a / 3 + b / 2 is 1 in every row: the working columns have the formula's determinant."""
    data = GOOD.assign(a=3.0 * (GOOD["time"] == "x"), b=2.0 * (GOOD["time"] != "x"))
    fit = tl.fit_mixed("y ~ 0 + a + b", data, "id")
    X, y = data[["a", "b"]].to_numpy(), data["y"].to_numpy()
    same = data["id"].to_numpy()[:, None] == data["id"].to_numpy()
    V = fit.sigma_between**2 * same + fit.sigma_within**2 * np.eye(len(y))
    r = y - X @ fit.params.to_numpy()
    gram = X.T @ np.linalg.solve(V, X)
    deviance = np.linalg.slogdet(V)[1] + np.linalg.slogdet(gram)[1] + r @ np.linalg.solve(V, r)
    expected = -0.5 * (deviance + (len(y) - 2) * np.log(2 * np.pi))
    assert fit.llf == pytest.approx(expected, rel=1e-12)
