"""The library used by hand: tables of any kind, fits that print, intervals, tests, predictions."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import balanced, bars, unbalanced, with_times
from reference_values import load

import twolevel as tl
from twolevel.text.errors import InputError


@pytest.fixture(scope="module")
def data():
    return load("anxiety_group").data


@pytest.fixture(scope="module")
def fit(data):
    return tl.fit_mixed("y ~ condition * group", data, "subject")


def test_tables_of_any_kind(data, fit):
    for table in (data.to_dict("list"), pa.Table.from_pandas(data.astype({"condition": str}))):
        found = tl.fit_mixed("y ~ condition * group", table, "subject")
        np.testing.assert_allclose(found.params, fit.params, rtol=1e-12)


def test_a_fit_keeps_its_data_when_the_table_is_changed_in_place(data):
    names, ages = list(data["condition"]), list(range(len(data)))
    columns = {"condition": pd.Categorical(names), "age": ages}
    table = pd.DataFrame({"y": list(data["y"]), "subject": list(data["subject"]), **columns})
    fit = tl.fit_mixed("y ~ condition + age", table, "subject")
    table.loc[1:, ["condition"]] = names[0]
    table.loc[1:, ["age"]] = 0
    assert list(fit.design.data["condition"]) == names
    assert list(fit.design.data["age"]) == ages


@examples(10)
@given(with_times, st.just("(1 | id)") | bars)
def test_the_other_method_gives_what_a_fit_to_the_table_does(data, random):
    fits = [tl.fit_mixed(f"y ~ a + x + {random}", data, "id", m) for m in ("REML", "ML")]
    for fit, other in (fits, fits[::-1]):
        found = fit.by(other.method)
        assert (found.method, found.llf) == (other.method, other.llf)
        pd.testing.assert_frame_equal(found.coef_table(), other.coef_table(), rtol=0, atol=0)
        pd.testing.assert_frame_equal(found.varcorr, other.varcorr, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (lambda d: [1, 2], "found a list"),
        (lambda d: None, "found a NoneType"),
        (lambda d: {"y": [1, 2], "condition": [1]}, "one value for each row"),
        (lambda d: pd.concat([d, d[["condition"]]], axis=1), "2 columns .* 'condition'"),
        (lambda d: d.drop(columns="condition"), "'condition' is not in the table"),
        (lambda d: d[:0], "no rows"),
    ],
)
def test_what_is_no_table_gives_one_line(data, table, words):
    for fit in (tl.fit_mixed, tl.fit_subjects, tl.partition_errors):
        with pytest.raises(InputError, match=words) as error:
            fit("y ~ condition", table(data), subject="subject")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("coding", ["foo", None, 3])
def test_an_unknown_coding_gives_one_line(data, coding):
    with pytest.raises(InputError, match="expected 'treatment', 'sum' or a mapping"):
        tl.fit_mixed("y ~ condition", data, "subject", coding=coding)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_a_fit_prints_what_a_statistician_expects(data, method):
    fit = tl.fit_mixed("y ~ condition * group", data, "subject", method=method)
    for text in (str(fit), repr(fit), str(fit.summary())):
        assert "y ~ condition * group" in text
        assert f"{'REML criterion' if method == 'REML' else 'Deviance'}: {-2 * fit.llf:.4f}" in text
        assert f"{fit.sigma_between:.6g}" in text
        assert f"{fit.params['condition[T.t2]']:.6g}" in text
    assert "condition:group" in str(fit.summary())
    assert fit.summary()["formula"] == "y ~ condition * group"
    assert np.isfinite(fit.grand_mean["estimate"])


def test_intervals_at_any_level(fit):
    wide, narrow = fit.conf_int(0.99), fit.conf_int(0.5)
    assert ((wide["ci_low"] < narrow["ci_low"]) & (narrow["ci_high"] < wide["ci_high"])).all()
    for ask in (fit.means, fit.contrasts, fit.condition_effects):
        wide, narrow = ask("condition", level=0.99), ask("condition", level=0.5)
        assert (wide["ci_high"] - wide["ci_low"] > narrow["ci_high"] - narrow["ci_low"]).all()
    pd.testing.assert_series_equal(fit.pvalues, fit.coef_table()["p"])


def test_own_contrasts(fit):
    names = list(fit.params.index)
    row = {"condition[T.t3]": 1, "condition[T.t2]": -1}
    one = fit.combinations({"t3 - t2": row}).loc["t3 - t2"]
    weights = [row.get(name, 0) for name in names]
    np.testing.assert_allclose(fit.combinations(weights).iloc[0], one)
    assert fit.test(weights)["F"] == pytest.approx(one["t"] ** 2)
    interaction = np.eye(len(names))[[k for k, name in enumerate(names) if ":" in name]]
    expected = fit.anova().loc["condition:group"]
    np.testing.assert_allclose(fit.test(interaction), expected, rtol=1e-9)
    frame = pd.DataFrame(interaction, columns=names)
    np.testing.assert_allclose(fit.test(frame), expected, rtol=1e-9)
    line = fit.contrasts("condition", weights={"linear": [-1, 0, 1]}, adjust="none")
    pair = fit.contrasts("condition", adjust="none").loc["t1 - t3"]
    assert line.loc["linear", "estimate"] == pytest.approx(-pair["estimate"])
    within = fit.contrasts("condition", by="group", weights={"linear": [-1, 0, 1]})
    assert list(within.index) == [(g, "linear") for g in ("grp1", "grp2", "grp3")]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda f: f.test([1, 2]), "found 2 weights"),
        (lambda f: f.test({"a": {"conditon[T.t2]": 1}}), "did you mean"),
        (lambda f: f.test(np.zeros((1, 9))), "linearly dependent, or one is 0"),
        (lambda f: f.test(np.ones((2, 9))), "linearly dependent"),
        (lambda f: f.contrasts("condition", weights={"a": [1, -1]}), "each of the 3 levels"),
        (lambda f: f.contrasts("condition", weights={}), "found none"),
        (lambda f: f.contrasts("condition", weights={"a": [1, 0, -1]}, adjust="tukey"), "tukey"),
        (lambda f: f.means("condition", at={"group": "grp9"}), "some of its levels"),
        (lambda f: f.means("condition", at={"gruop": "grp1"}), "expected a variable"),
    ],
)
def test_contrasts_that_cannot_be_had_say_why(fit, ask, words):
    with pytest.raises((InputError, ValueError), match=words):
        ask(fit)


def test_means_at_a_value(fit):
    by = fit.means("condition", by="group")
    np.testing.assert_allclose(fit.means("condition", at={"group": "grp2"}), by.loc["grp2"])


@examples(25)
@given(data=balanced | unbalanced)
def test_predictions(data):
    fit = tl.fit_mixed("y ~ time + age + (1 | id)", data)
    known = fit.predict(data)
    np.testing.assert_allclose(known["estimate"], fit.fittedvalues, rtol=1e-9)
    new, mean = fit.predict(data.drop(columns="id"), "new"), fit.predict(data, "mean")
    np.testing.assert_allclose(new["estimate"], fit.fixed_part, rtol=1e-9)
    np.testing.assert_allclose(mean["estimate"], fit.fixed_part, rtol=1e-9)
    assert (new["se"] >= known["se"] * (1 - 1e-9)).all()
    # The prediction variance by its definition, from the (N, N) covariance.
    X = fit.design.X
    same = fit.design.codes[:, None] == fit.design.codes
    V = fit.sigma_within**2 * np.eye(len(X)) + fit.sigma_between**2 * same
    Vi, G = np.linalg.inv(V), fit.sigma_between**2 * same
    hat = np.linalg.inv(X.T @ Vi @ X)
    away = X - G @ Vi @ X
    variance = np.diag(G - G @ Vi @ G + away @ hat @ away.T)
    np.testing.assert_allclose(known["se"] ** 2, variance, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject": "nobody"}, "has not seen the subject"),
        ({"condition": "t9"}, "level 't9'"),
        ({"condition": None}, "missing values"),
    ],
)
def test_predictions_that_cannot_be_had_say_why(data, fit, change, words):
    with pytest.raises(InputError, match=words):
        fit.predict(data.astype({"condition": object}).assign(**change))
    with pytest.raises(ValueError, match="'known', 'new' or 'mean'"):
        fit.predict(data, "old")


def test_simulated_responses_have_the_fits_variances(data, fit):
    drawn = np.stack([fit.simulate(seed) for seed in range(400)])
    np.testing.assert_array_equal(fit.simulate(3), fit.simulate(3))
    spread = drawn.var(axis=0, ddof=1).mean()
    assert spread == pytest.approx(fit.sigma_between**2 + fit.sigma_within**2, rel=0.1)
    np.testing.assert_allclose(drawn.mean(axis=0), fit.fixed_part, atol=0.5)
