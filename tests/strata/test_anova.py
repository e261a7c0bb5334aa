"""The partitioned ANOVA against R's aov, afex and car, NIST, and statsmodels' AnovaRM."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given
from random_designs import balanced, single, unbalanced
from reference_values import NAMES, load, nist
from statsmodels.stats.anova import AnovaRM

import twolevel as tl
from twolevel.strata.anova import NotPartitioned

AFEX = [name for name in NAMES if load(name).values.get("afex")]


def by_term(rows: list[dict], table: pd.DataFrame) -> dict[str, dict]:
    """R's rows under formulaic's names; the factors of an interaction may come in either order."""
    names = {frozenset(term.split(":")): term for term in table.index}
    found = {frozenset(row["row"].strip().split(":")): row for row in rows}
    return {names[key]: row for key, row in found.items() if key in names}


@pytest.mark.parametrize("name", AFEX)
def test_afex(name):
    reference = load(name)
    anova = tl.partition_errors(reference.formula, reference.data, "subject")
    afex = reference.values["afex"]
    rows = by_term(afex["univariate"], anova.table)
    assert set(rows) == set(anova.table.index)
    for term, row in rows.items():
        ours = anova.table.loc[term]
        np.testing.assert_allclose(ours["ss"], row["Sum Sq"], rtol=1e-10)
        np.testing.assert_allclose(ours["F"], row["F value"], rtol=1e-10)
        np.testing.assert_allclose(ours["p"], row["Pr(>F)"], rtol=1e-9)
        assert (ours["df_num"], ours["df_den"]) == (row["num Df"], row["den Df"])


@pytest.mark.parametrize("name", AFEX)
def test_what_afex_prints(name):
    """Greenhouse and Geisser's degrees of freedom, and partial eta squared."""
    reference = load(name)
    anova = tl.partition_errors(reference.formula, reference.data, "subject")
    for term, row in by_term(reference.values["afex"]["anova_table"], anova.table).items():
        assert anova.table.loc[term, "partial_eta2"] == pytest.approx(row["pes"], rel=1e-9)
        assert anova.table.loc[term, "generalised_eta2"] == pytest.approx(row["ges"], rel=1e-9)
        if term in anova.sphericity.index:
            corrected = anova.sphericity.loc[term, ["df_num_gg", "df_den_gg", "F"]]
            expected = [row["num Df"], row["den Df"], row["F"]]
            np.testing.assert_allclose(corrected, expected, rtol=1e-6)


@pytest.mark.parametrize("name", AFEX)
def test_aov_error_strata(name):
    reference = load(name)
    anova = tl.partition_errors(reference.formula, reference.data, "subject")
    strata = reference.values["aov_error"]
    for ours in ("subject", "subject:condition"):
        residual = next(
            row for row in strata[f"Error: {ours}"] if row["row"].strip() == "Residuals"
        )
        np.testing.assert_allclose(anova.strata.loc[ours, "ss"], residual["Sum Sq"], rtol=1e-10)
        assert anova.strata.loc[ours, "df"] == residual["Df"]


@pytest.mark.parametrize("name", AFEX)
def test_sphericity(name):
    reference = load(name)
    found = tl.partition_errors(reference.formula, reference.data, "subject").sphericity
    afex = reference.values["afex"]
    for column, theirs in [("mauchly_w", "Test statistic"), ("mauchly_p", "p-value")]:
        np.testing.assert_allclose(found[column], afex["sphericity"][0][theirs], rtol=1e-6)
    for term, row in by_term(afex["hf_gg"], found).items():
        theirs = [row["GG eps"], row["HF eps"], row["Pr(>F[GG])"], row["Pr(>F[HF])"]]
        ours = found.loc[term, ["gg_epsilon", "hf_epsilon", "p_gg", "p_hf"]].astype(float)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


# Digits of F that double precision can hold (see shared values in tests/reference).
@pytest.mark.parametrize(
    ("name", "digits"), [("SiRstv", 13.0), ("SmLs01", 15.0), ("SmLs04", 10.4), ("SmLs07", 4.4)]
)
def test_nist(name, digits):
    data, certified = nist(name)
    strata = tl.partition_errors("y ~ 1", data, "treatment").strata["ms"]
    F = strata["treatment"] / strata["within"]
    assert -np.log10(max(abs(F / certified["F"] - 1), 1e-16)) >= digits
    fit = tl.fit_mixed("y ~ 1", data, "treatment")
    per_treatment = len(data) / data["treatment"].nunique()
    assert (
        -np.log10(max(abs((1 + per_treatment * fit.lambda_) / certified["F"] - 1), 1e-16)) >= digits
    )
    np.testing.assert_allclose(fit.sigma_within, np.sqrt(strata["within"]), rtol=1e-12)
    np.testing.assert_allclose(
        fit.sigma_between**2, (strata["treatment"] - strata["within"]) / per_treatment, rtol=1e-9
    )


@examples(40)
@given(data=balanced)
def test_statsmodels_anova_rm(data):
    cells = data.groupby(["id", "time"], observed=True, as_index=False)["y"].mean()
    assume(len(cells) == len(data))
    witness = AnovaRM(cells, "y", "id", within=["time"]).fit().anova_table
    ours = tl.partition_errors("y ~ time", data, "id").table.loc["time"]
    # An F near 0 is a difference of nearly equal sums in both programs.
    np.testing.assert_allclose(ours["F"], witness.loc["time", "F Value"], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(ours["p"], witness.loc["time", "Pr > F"], rtol=1e-6, atol=1e-12)


@examples(60)
@given(data=single)
def test_interior_balanced_fit_has_the_anovas_numbers(data):
    anova = tl.partition_errors("y ~ time * group", data, "id")
    fit = tl.fit_mixed("y ~ time * group", data, "id")
    assume(not fit.boundary)
    np.testing.assert_allclose(fit.sigma_within, anova.sigma_within, rtol=1e-9)
    np.testing.assert_allclose(fit.sigma_between, anova.sigma_between, rtol=1e-6)
    np.testing.assert_allclose(fit.anova()["F"], anova.table["F"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fit.grand_mean["estimate"], anova.grand_mean, rtol=1e-9)
    np.testing.assert_allclose(fit.grand_mean["se"], anova.grand_mean_se, rtol=1e-6)


@examples(40)
@given(data=balanced)
def test_sums_of_squares_add_up(data):
    anova = tl.partition_errors("y ~ time", data, "id")
    total = ((data["y"] - data["y"].mean()) ** 2).sum()
    parts = anova.ss_subject + anova.table["ss"].sum() + anova.strata["ss"].iloc[1:].sum()
    np.testing.assert_allclose(parts, total, rtol=1e-9)


@examples(40)
@given(data=balanced)
def test_subjects_have_the_sum_of_squares_of_their_means(data):
    anova = tl.partition_errors("y ~ time * group + age", data, "id")
    means = data.groupby("id", observed=True)["y"].mean()
    expected = anova.per_subject * ((means - means.mean()) ** 2).sum()
    np.testing.assert_allclose(anova.ss_subject, expected, rtol=1e-9, atol=1e-12)


def test_replicated_cells_are_corrected_as_their_means():
    """afex 1.2 gives for such data what it gives for the cells' means; squares count for rows."""
    means = load("anxiety_group").data
    spread = np.random.default_rng(1).normal(size=len(means))
    data = pd.concat([means.assign(y=means["y"] + spread), means.assign(y=means["y"] - spread)])
    ours, expected = (
        tl.partition_errors("y ~ condition * group", table, "subject") for table in (data, means)
    )
    pd.testing.assert_frame_equal(ours.sphericity, expected.sphericity, rtol=1e-8)
    halved = ours.table.assign(**ours.table[["ss", "ss_error"]] / 2)
    pd.testing.assert_frame_equal(halved, expected.table, rtol=1e-8)


@examples(20)
@given(data=unbalanced)
def test_unbalanced_is_refused_with_the_reason(data):
    assume(len(data.groupby(["id", "time"], observed=True)) > 0)
    counts = pd.crosstab(data["id"], data["time"])
    assume((counts == 0).to_numpy().any())
    with pytest.raises(NotPartitioned, match="an exact ANOVA needs"):
        tl.partition_errors("y ~ time", data, "id")


def test_two_conditions_are_spherical():
    data = load("anxiety").data
    two = data[data["condition"] != "t3"]
    row = tl.partition_errors("y ~ condition", two, "subject").sphericity.loc["condition"]
    assert np.isnan(row["mauchly_w"])
    assert row["gg_epsilon"] == pytest.approx(1)
    assert row["p_gg"] == row["p_hf"]
