"""Pairs with an error of their own: emmeans of afex's multivariate model, and t tests."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from scipy import stats
from test_strata import afex, tables

import twolevel as tl
from twolevel.strata.anova import NotPartitioned
from twolevel.strata.own_error import own_error_contrasts, standardised_differences

ASKED = [
    (name, k)
    for name in ("three_within", "two_by_two", "replicates", "obk", "selfesteem2")
    for k in range(len(afex(name)[0]["pairs"]))
]


@pytest.mark.parametrize(("name", "k"), ASKED)
def test_emmeans_of_the_multivariate_model(name, k):
    values, data = afex(name)
    asked = values["pairs"][k]
    variable, by = asked["variable"], asked["by"] or None
    factors = {
        key: pd.Categorical(data[key], data[key].unique()) for key in {variable, by} - {None}
    }
    design = tl.fit_mixed(values["formula"], data.assign(**factors), "id").design
    columns = {"estimate": "estimate", "se": "SE", "df": "df", "t": "t.ratio", "p": "p.value"}
    columns |= {"ci_low": "lower.CL", "ci_high": "upper.CL"}
    expected = pd.DataFrame(asked["table"])
    keys = [by, "contrast"] if by else ["contrast"]
    expected["contrast"] = expected["contrast"].str.replace("[()]", "", regex=True)
    expected = expected.set_index(keys)
    found = own_error_contrasts(design, variable, "none", by)
    for index, row in found.iterrows():
        one, other = str(index[-1] if by else index).split(" - ")
        outer = (index[0],) if by else ()
        sign = 1.0 if (*outer, f"{one} - {other}")[-len(keys) :] in _keys(expected) else -1.0
        pair = f"{one} - {other}" if sign > 0 else f"{other} - {one}"
        theirs = expected.loc[(*outer, pair) if by else pair]
        np.testing.assert_allclose(row["estimate"], sign * theirs["estimate"], rtol=1e-7)
        for ours in ("se", "df", "p"):
            np.testing.assert_allclose(row[ours], theirs[columns[ours]], rtol=1e-6)
    holm = own_error_contrasts(design, variable, "holm", by)
    np.testing.assert_allclose(sorted(holm["p"]), sorted(expected["holm"]), rtol=1e-6)


def _keys(table: pd.DataFrame) -> list[tuple]:
    return [key if isinstance(key, tuple) else (key,) for key in table.index]


@examples(30)
@given(tables)
def test_within_one_group_each_pair_is_a_paired_t_test(data):
    formula = "y ~ a * b * c" if "c" in data else "y ~ a * b"
    design = tl.fit_mixed(formula, data, "id").design
    found = own_error_contrasts(design, "b", "none").join(standardised_differences(design, "b"))
    cells = data.groupby(["id", *(k for k in "abc" if k in data)])["y"].mean()
    means = cells.groupby(["id", "b"]).mean().unstack()
    for pair, row in found.iterrows():
        one, other = (means[level] for level in str(pair).split(" - "))
        t = stats.ttest_rel(one, other)
        np.testing.assert_allclose(row["t"], t.statistic, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(row["p"], t.pvalue, rtol=1e-6)
        ends = t.confidence_interval()
        np.testing.assert_allclose(row[["ci_low", "ci_high"]], [ends.low, ends.high], rtol=1e-6)
        apart = one - other
        assert row["d_z"] == pytest.approx(apart.mean() / apart.std(), rel=1e-7)
        mean_sd = (one.std() + other.std()) / 2
        assert row["d_av"] == pytest.approx(apart.mean() / mean_sd, rel=1e-7)


def test_where_subjects_are_in_different_cells_it_is_refused():
    _, data = afex("two_within")
    design = tl.fit_mixed("rt ~ flanker * block", data[1:], "id").design
    with pytest.raises(NotPartitioned, match="contrast_error: pooled"):
        own_error_contrasts(design, "flanker")
    assert standardised_differences(design, "flanker") is None


def test_groups_have_no_differences_of_their_own():
    values, data = afex("obk")
    design = tl.fit_mixed(values["formula"], data, "id").design
    assert standardised_differences(design, "treatment") is None
    within = standardised_differences(design, "phase", by="treatment")
    assert list(within.index.names) == ["treatment", "contrast"]
