"""Other programs and ours: nobody's likelihood is higher, and each status is what it says."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from random_designs import balanced, formulas, unbalanced
from reference_values import NAMES, load

import twolevel as tl
from twolevel.levels.checks import witnesses
from twolevel.levels.checks.witnesses import call_witnesses


def called(formula, data, subject="subject", condition="condition"):
    fit = tl.fit_mixed(formula, data, subject)
    return fit, tabled(call_witnesses(formula, data, subject, fit, condition))


def tabled(found):
    """All that witnesses say, by method."""
    return pd.DataFrame(map(vars, found)).set_index("method")


@pytest.mark.parametrize("name", NAMES)
def test_reference_data(name):
    reference = load(name)
    _, table = called(reference.formula, reference.data, condition=reference.condition)
    asked = ["REML", "ML", "ANOVA"]
    missing = ["complete subjects"] if name == "ergostool_missing" else []
    assert list(table.index) == asked + missing
    lme4 = reference.values["lme4"]
    for method in ("REML", "ML"):
        row = table.loc[method]
        assert row["status"] in ("agrees", "lower")
        assert row["our_llf"] == pytest.approx(lme4[method.lower()]["logLik"], abs=1e-6)
        assert row["difference"] == row["llf"] - row["our_llf"]
        if row["status"] == "agrees":
            # The constants are the same, and sigma_w is flat in the likelihood.
            assert row["sigma_within"] == pytest.approx(lme4[method.lower()]["sigma_w"], rel=1e-3)


@examples(15)
@given(data=balanced | unbalanced, formula=formulas)
def test_our_likelihood_is_never_the_lower(data, formula):
    _, table = called(formula, data, "id", "time" if "time" in formula else None)
    asked = table.loc[["REML", "ML"]]
    assert set(asked["status"]) <= {"agrees", "lower", "refused"}
    found = asked[asked["status"] != "refused"]
    assert (found["difference"] < 1e-6).all()
    assert ((found["difference"] < -1e-5) <= (found["status"] == "lower")).all()


def drawn(**keys):
    given = {"subjects": 20, "grand_mean": 5, "sigma_within": 1, "seed": 3}
    return tl.simulate(**given | keys)


LINES = drawn(conditions={"x": [0, 1, 2, 5]}, slope=1, random={"intercept": 2, "x": 1})
FACTORS = {"a": {"1": 0, "2": 1}, "b": {"1": 0, "2": 1, "3": 2}}
CELLS = drawn(
    conditions=FACTORS,
    sigma_between=2,
    strata={"a": 1, "b": 1},
)


@pytest.mark.parametrize(
    ("formula", "data", "intercepts"),
    [
        ("response ~ x + (1 + x | subject)", LINES, True),
        ("response ~ x + (x || subject)", LINES, True),
        ("response ~ x + (0 + x | subject)", LINES, False),
        ("response ~ a * b + (1 | subject) + (1 | subject:a) + (1 | subject:b)", CELLS, True),
        ("response ~ a * b + (1 | subject / a)", CELLS, True),
        ("response ~ a * b + (0 + a | subject)", CELLS, False),
        ("response ~ a * b + (1 + a | subject) + (1 | subject:b)", CELLS.sample(frac=1), True),
        ("response ~ a * b + (1 | subject:b)", CELLS.iloc[7:], False),
    ],
)
def test_mixed_lm_is_asked_for_the_same_random_part(formula, data, intercepts):
    fit = tl.fit_mixed(formula, data)
    found = tabled(call_witnesses(formula, data, "subject", fit, None))
    assert list(found.loc[["REML", "ML"], "status"]) == ["agrees", "agrees"]
    likelihood, best = fit.estimates.likelihood, fit.estimates.best
    sigma = fit.estimates.unit * np.sqrt(best.rss / likelihood.degrees_of_freedom)
    expected = sigma * fit.theta[0] if intercepts else np.nan
    assert found.loc["REML", "sigma_between"] == pytest.approx(expected, rel=1e-3, nan_ok=True)


def test_a_random_part_that_mixed_lm_does_not_have_is_not_asked_for():
    formula = "response ~ x + (1 | subject) + (1 + x | subject:half)"
    data = drawn(
        conditions={"x": [0, 1, 2, 3, 4, 5]}, slope=1, random={"intercept": 1, "x": 1}, replicates=2
    )
    data["half"] = data["x"] > 2
    fit = tl.fit_mixed(formula, data)
    found = tabled(call_witnesses(formula, data, "subject", fit, None))
    assert list(found.loc[["REML", "ML"], "status"]) == ["other models", "other models"]


def test_a_higher_likelihood_would_be_said(monkeypatch):
    reference = load("anxiety")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    object.__setattr__(fit, "llf", fit.llf - 0.5)
    found = call_witnesses(reference.formula, reference.data, "subject", fit, "condition")
    assert found[0].status == "higher"


def test_what_a_witness_says_is_kept():
    reference = load("selfesteem")
    with np.errstate(all="ignore"):
        _, table = called(reference.formula, reference.data)
    assert "boundary" in table.loc["REML", "said"]  # statsmodels' own warning, and none of ours
    assert table.loc["ANOVA", "F"] == pytest.approx(55.469, rel=1e-4)


class TestAnovaRM:
    def test_agrees_on_complete_data(self):
        _, table = called("y ~ condition", load("anxiety").data)
        assert table.loc["ANOVA", "status"] == "agrees"
        assert table.loc["ANOVA", "F"] == pytest.approx(table.loc["ANOVA", "our_F"])

    def test_incomplete_data_are_refused(self):
        data = load("anxiety").data.iloc[1:]
        _, table = called("y ~ condition", data)
        assert table.loc["ANOVA", "status"] == "refused"
        assert "unbalanced" in table.loc["ANOVA", "said"]

    def test_incomplete_data_with_equal_counts_are_taken_for_complete(self):
        fit, table = called("y ~ condition", load("ergostool_missing").data)
        row = table.loc["ANOVA"]
        assert row["status"] == "taken for complete"
        assert row["our_F"] == pytest.approx(fit.anova()["F"].iloc[0])

    def test_replicates_are_averaged(self):
        data = load("anxiety").data
        more = data.assign(y=data["y"] + np.random.default_rng(1).normal(size=len(data)))
        _, table = called("y ~ condition", pd.concat([data, more]))
        assert table.loc["ANOVA", "status"] == "agrees"
        assert table.loc["ANOVA", "averaged"]
        cells = pd.concat([data, more]).groupby(["subject", "condition"], observed=True)
        means = cells["y"].mean().reset_index()
        expected = tl.partition_errors("y ~ condition", means, "subject").table["F"].iloc[0]
        assert table.loc["ANOVA", "F"] == pytest.approx(expected)

    @pytest.mark.parametrize("replicates", [1, 2])
    @pytest.mark.parametrize("bars", ["", " + (1 | subject) + (1 | subject:a)"])
    def test_each_of_several_factors_has_an_error_of_its_own(self, replicates, bars):
        keys = {"conditions": FACTORS, "sigma_between": 2, "strata": {"a": 1, "b": 1}}
        data = drawn(replicates=replicates, **keys)
        _, table = called(f"response ~ a * b{bars}", data, condition="a")
        row = table.loc["ANOVA"]
        assert (row["status"], row["averaged"]) == ("agrees", replicates > 1)
        expected = tl.partition_errors("response ~ a * b", data, "subject").table
        assert [test["variables"] for test in row["tests"]] == [["a"], ["b"], ["a", "b"]]
        for column in ("F", "df_num", "df_den", "p"):
            found = [test[column] for test in row["tests"]]
            np.testing.assert_allclose(found, expected[column], rtol=1e-6)
        assert row["F"] == row["tests"][0]["F"]

    def test_another_f_is_said(self, monkeypatch):
        data, partition = load("anxiety").data, witnesses.partition_errors

        def other(*args):
            found = partition(*args)
            found.table["F"] *= 1 + 1e-5
            return found

        monkeypatch.setattr(witnesses, "partition_errors", other)
        _, table = called("y ~ condition", data)
        assert table.loc["ANOVA", "status"] == "differs"

    @pytest.mark.parametrize(
        ("formula", "condition"),
        [("y ~ condition * group", "condition"), ("y ~ group", None), ("y ~ 1", None)],
    )
    def test_other_models_are_not_asked_for(self, formula, condition):
        _, table = called(formula, load("anxiety_group").data, condition=condition)
        assert table.loc["ANOVA", "status"] == "other models"
        assert np.isnan(table.loc["ANOVA", "F"])

    def test_names_may_be_anything(self):
        data = load("anxiety").data.rename(columns={"y": "my `y`+", "condition": "a b"})
        data = data.rename(columns={"my `y`+": "my y"})
        _, table = called("`my y` ~ `a b`", data, condition="a b")
        assert table.loc["ANOVA", "status"] == "agrees"


class TestDropping:
    """pingouin 0.7.0 was asked once: F = 8.0 for these 3 subjects of 9."""

    def test_the_anova_of_what_others_keep(self):
        fit, table = called("y ~ condition", load("ergostool_missing").data)
        row = table.loc["complete subjects"]
        assert row["status"] == "drops"
        assert row["F"] == pytest.approx(8.0)
        assert row["our_F"] == fit.anova()["F"].iloc[0]
        assert row["left"] == {"n_subjects": 3, "n_observations": 12}

    def test_further_terms_and_replicates(self):
        data = load("anxiety_group").data
        kept = data[data["subject"] != data["subject"].iloc[0]]
        expected = tl.partition_errors("y ~ condition * group", kept, "subject").table
        some = pd.concat([data.iloc[1:], data.iloc[5:6]])
        _, table = called("y ~ condition * group", some)
        assert table.loc["complete subjects", "F"] == pytest.approx(expected.loc["condition", "F"])

    def test_no_one_may_be_left(self):
        data = load("anxiety").data
        rows = np.arange(len(data))
        data = data[rows % 3 != rows // 3 % 3]
        _, table = called("y ~ condition", data)
        assert np.isnan(table.loc["complete subjects", "F"])

    def test_complete_data_are_nobodys_business(self):
        _, table = called("y ~ condition", load("anxiety").data)
        assert "complete subjects" not in table.index


def test_a_refusal_is_testimony_and_no_error(monkeypatch):
    from statsmodels.regression.mixed_linear_model import MixedLM

    def refuse(*_, **__):
        raise np.linalg.LinAlgError("Singular\nmatrix")

    monkeypatch.setattr(MixedLM, "fit", refuse)
    _, table = called("y ~ condition", load("anxiety").data)
    assert list(table["status"]) == ["refused", "refused", "agrees"]
    assert table.loc["REML", "said"] == "LinAlgError: Singular matrix"


def test_large_studies_are_not_asked_about(monkeypatch):
    monkeypatch.setattr(witnesses, "MOST_SUBJECTS", 40)
    _, table = called("y ~ condition", load("anxiety").data)
    assert list(table["status"]) == ["not asked", "not asked", "agrees"]
    monkeypatch.setattr(witnesses, "MOST_CELLS", 100)
    _, table = called("y ~ condition", load("anxiety").data)
    assert list(table["status"]) == ["not asked"] * 3


def test_mixed_lm_is_not_asked_about_hundreds_of_coefficients(monkeypatch):
    """It would take over a minute, where all else takes seconds."""
    monkeypatch.setattr(witnesses, "MOST_IN_X", len(load("anxiety").data) * 3 - 1)
    _, table = called("y ~ condition", load("anxiety").data)
    assert list(table["status"]) == ["not asked", "not asked", "agrees"]


def test_effects_of_zero_agree():
    data = load("anxiety").data
    data = data.assign(
        y=data["y"] - data.groupby("condition", observed=True)["y"].transform("mean")
    )
    _, table = called("y ~ condition", data)
    assert table.loc["ANOVA", "status"] == "agrees"
