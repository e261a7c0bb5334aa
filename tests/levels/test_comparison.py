"""The three methods side by side."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from random_designs import single
from reference_values import load

import twolevel as tl
from twolevel.levels.comparison import compare_fits
from twolevel.strata.anova import NotPartitioned

DATA = Path(__file__).parents[1] / "data"


def case(name):
    return pd.read_csv(DATA / "cases" / f"{name}.csv")


def compared(formula, data, subject, condition, random=""):
    level1 = tl.fit_subjects(formula, data, subject, condition)
    fit = tl.fit_mixed(formula + random, data, subject)
    effects = fit.condition_effects(condition).rename_axis("condition").reset_index()
    try:
        anova = tl.partition_errors(formula, data, subject).summary()
        for key in ("table", "strata"):
            anova[key] = anova[key].reset_index().to_dict("records")
    except NotPartitioned:
        anova = None
    return compare_fits(
        {"condition_effects": level1.condition_effects.to_dict("records")},
        tl.fit_hierarchical(level1).summary(),
        {
            **fit.summary(),
            "anova": fit.anova().reset_index().to_dict("records"),
            "varcorr": fit.varcorr.to_dict("records"),
            "condition_effects": effects.to_dict("records"),
        },
        anova,
    )


@examples(60)
@given(data=single)
def test_balanced_methods_agree_exactly_when_not_on_the_boundary(data):
    comparison = compared("y ~ time", data, "id", "time")
    anova = tl.partition_errors("y ~ time", data, "id").strata["ms"]
    assert comparison.boundary == (anova["id"] <= anova["id:time"])
    assert comparison.agree == (not comparison.boundary)
    assert not comparison.unbalanced


def test_boundary_differs_by_known_amounts():
    comparison = compared("y ~ condition", load("selfesteem").data, "subject", "condition")
    assert comparison.boundary
    assert not comparison.agree
    row = comparison.table.loc["F[condition]"]
    assert row["mixed"] == pytest.approx(65.2610188531104)
    assert row["anova"] == pytest.approx(55.4690270449622)
    assert row["difference"] == pytest.approx(1 - 55.4690270449622 / 65.2610188531104)
    assert comparison.table.loc["sigma_between", "difference"] == 0


def test_strata_that_the_model_has_no_variance_for():
    data = case("two_within")
    comparison = compared("rt ~ flanker * block", data, "subj", "flanker", " + (1 | subj)")
    assert comparison.pooled == ["subj:flanker", "subj:block"]
    assert not comparison.unequal
    assert not comparison.tests["agree"].any()
    row = comparison.tests.loc["flanker"]
    assert row["stratum"] == "subj:flanker"
    np.testing.assert_allclose(
        row[["F_mixed", "df_den_mixed", "F_anova", "df_den_anova"]].astype(float),
        [2.197, 35, 51.36, 14],
        rtol=1e-3,
    )
    trials = compared(
        "rt ~ mood * flanker", case("trials_two_within"), "subj", "mood", " + (1 | subj)"
    )
    assert trials.unequal
    assert trials.pooled == ["subj:mood", "subj:flanker", "subj:mood:flanker"]


def test_a_variance_at_0_is_told_from_a_stratum_without_one():
    """afex has F(2, 14) = 51.36 for flanker, whose variance in the model is 0."""
    comparison = compared("rt ~ flanker * block", case("two_within"), "subj", "flanker")
    assert comparison.pooled == []
    assert comparison.boundary
    assert comparison.tests["agree"].tolist() == [False, True, False]
    np.testing.assert_allclose(
        comparison.tests["F_mixed"], [50.237407, 0.340052, 0.818952], rtol=2e-6
    )
    np.testing.assert_allclose(
        comparison.tests["F_anova"], [51.357405, 0.340052, 0.801473], rtol=2e-6
    )
    np.testing.assert_allclose(comparison.tests["df_den_mixed"], comparison.tests["df_den_anova"])


@pytest.mark.parametrize("name", ["selfesteem2", "obk"])
def test_a_model_with_a_variance_for_each_stratum_has_the_anovas_tests(name):
    data = pd.read_csv(DATA / f"{name}.csv")
    if name == "obk":
        formula, (a, b) = "value ~ treatment * phase * C(hour)", ("phase", "hour")
    else:
        formula, (a, b) = "score ~ treatment * time", ("treatment", "time")
    random = f" + (1 | id) + (1 | id:{a}) + (1 | id:{b})"
    comparison = compared(formula, data, "id", a, random)
    assert comparison.pooled == []
    assert not comparison.boundary
    tests = comparison.tests
    for key in ("F", "df_den", "p"):
        np.testing.assert_allclose(tests[f"{key}_mixed"], tests[f"{key}_anova"], rtol=1e-6)
    sigmas = comparison.table.loc[["sigma_between", f"sigma[id:{a}]", f"sigma[id:{b}]"]]
    np.testing.assert_allclose(sigmas["mixed"], sigmas["anova"], rtol=1e-6)


def test_unbalanced_has_no_anova():
    comparison = compared("y ~ condition", load("ergostool_missing").data, "subject", "condition")
    assert comparison.unbalanced
    assert not comparison.agree
    assert comparison.table["anova"].isna().all()
    assert np.isnan(comparison.table.loc["F[condition]", "difference"])
    assert comparison.summary()["largest_difference"] > 1e-3
