"""Marginal means and contrasts against emmeans."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from random_designs import balanced, unbalanced
from reference_values import NAMES, load

import twolevel as tl


def fitted(name):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    by = "group" if "group" in reference.formula else None  # as R was asked
    return reference, fit, by


@pytest.mark.parametrize("df", ["asymptotic", "satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("name", [n for n in NAMES if "dyestuff" not in n])  # no conditions
def test_emmeans(name, df):
    reference, fit, by = fitted(name)
    emmeans = reference.values["lme4"][f"emmeans_{df}"]
    low, high = ("asymp.LCL", "asymp.UCL") if df == "asymptotic" else ("lower.CL", "upper.CL")

    means = fit.means("condition", df, by=by)
    if by:
        assert [tuple(level) for level in means.index] == [
            (row["group"], row["condition"]) for row in emmeans["means"]
        ]
    column = {"estimate": "emmean", "se": "SE", "ci_low": low, "ci_high": high}
    for ours, theirs in column.items():
        found = [row[theirs] for row in emmeans["means"]]
        np.testing.assert_allclose(means[ours], found, rtol=1e-6)

    none = fit.contrasts("condition", df, adjust="none", by=by)
    for ours, theirs in {
        "estimate": "estimate",
        "se": "SE",
        "ci_low": low,
        "ci_high": high,
    }.items():
        found = [row[theirs] for row in emmeans["pairs_none"]]
        np.testing.assert_allclose(none[ours], found, rtol=1e-6, atol=1e-8)
    holm = fit.contrasts("condition", df, by=by)
    found = [row["p.value"] for row in emmeans["pairs_holm"]]
    np.testing.assert_allclose(holm["p"], found, rtol=1e-4, atol=1e-300)


# emmeans 1.8.4, ergostool_missing, Kenward-Roger: summary(pairs(e, adjust = ...), infer = TRUE).
# Holm's p values come with Bonferroni's intervals there too.
TUKEY = [
    (-5.180164772, -1.307504674, 0.00089795915),
    (-3.69023822, 0.05237687653, 0.058299452),
    (-2.277848459, 1.464766637, 0.92434609),
    (-0.5114259974, 3.3612341, 0.19651671),
    (0.900963763, 4.773623861, 0.0031910531),
    (-0.4589177878, 3.283697308, 0.17787423),
]
BONFERRONI = [
    (-5.274767677, -1.212901769, 0.0010278093),
    (-3.785026362, 0.1471650187, 0.079973789),
    (-2.372636602, 1.559554779, 1),
    (-0.6060289022, 3.455837005, 0.311869),
    (0.8063608581, 4.868226766, 0.0037611114),
    (-0.5537059299, 3.378485451, 0.27896416),
]


def test_adjusted_intervals():
    _, fit, _ = fitted("ergostool_missing")
    columns = ["ci_low", "ci_high", "p"]
    for adjust, expected in (("tukey", TUKEY), ("bonferroni", BONFERRONI)):
        table = fit.contrasts("condition", adjust=adjust)[columns]
        np.testing.assert_allclose(table, expected, rtol=1e-6)
    holm = fit.contrasts("condition")[["ci_low", "ci_high"]]
    np.testing.assert_allclose(holm, np.array(BONFERRONI)[:, :2], rtol=1e-6)


@examples(25)
@given(data=balanced | unbalanced)
def test_intervals_and_p_values_say_the_same(data):
    """Tukey's and Bonferroni's p is below 0.05 exactly where their interval excludes 0."""
    fit = tl.fit_mixed("y ~ time * group", data, "id")
    for adjust in ("tukey", "bonferroni", "none"):
        for table in (
            fit.contrasts("time", adjust=adjust),
            fit.contrasts("time", adjust=adjust, by="group"),
        ):
            excludes = (table["ci_low"] > 0) | (table["ci_high"] < 0)
            near = (table["p"] - 0.05).abs() < 1e-6
            assert (excludes == (table["p"] < 0.05))[~near].all()
    # Two means are one comparison: nothing to adjust for.
    one = [fit.contrasts("group", adjust=adjust) for adjust in ("holm", "tukey", "none")]
    np.testing.assert_allclose(one[0], one[2])
    np.testing.assert_allclose(one[1], one[2])


@examples(15)
@given(data=balanced | unbalanced)
def test_means_of_one_factor_average_those_within_the_other(data):
    fit = tl.fit_mixed("y ~ time * group", data, "id")
    within = fit.means("time", by="group")["estimate"]
    averaged = within.groupby(level="time", sort=False, observed=False).mean()
    np.testing.assert_allclose(averaged, fit.means("time")["estimate"], rtol=1e-9)
    other = within.groupby(level="group", sort=False).mean()
    np.testing.assert_allclose(other, fit.means("group")["estimate"], rtol=1e-9)
    swapped = fit.means("group", by="time")["estimate"].swaplevel().loc[within.index]
    np.testing.assert_allclose(swapped, within, rtol=1e-9)


def test_marginal_slopes_are_the_coefficients():
    generator, (subject, at) = np.random.default_rng(1), np.indices((6, 5)).reshape(2, -1)
    data = pd.DataFrame(
        {
            "id": subject,
            "x": 100 + 3 * np.sort(generator.normal(size=5))[at],
            "group": np.where(subject % 3 == 0, "a", "b"),
            "age": generator.normal(40, 10, size=6)[subject],
            "y": generator.normal(size=subject.size),
        }
    )
    fit = tl.fit_mixed("y ~ x * group + age + (1 | id)", data)
    expected = fit.coef_table()
    within = fit.slopes("x", by="group")
    pd.testing.assert_series_equal(within.loc["a"], expected.loc["x"], check_names=False, rtol=1e-6)
    rise = expected.loc[["x", "x:group[T.b]"], "estimate"].sum()
    assert within.loc["b", "estimate"] == pytest.approx(rise)
    assert fit.slopes("x")["estimate"].iloc[0] == pytest.approx(within["estimate"].mean())
    assert fit.slopes("group") is None
    assert tl.fit_mixed("y ~ log(x) + (1 | id)", data).slopes("x") is None


def test_what_is_asked_for_is_named():
    _, fit, _ = fitted("anxiety_group")
    with pytest.raises(ValueError, match="expected a variable of the formula"):
        fit.means("sex")
    with pytest.raises(ValueError, match="expected 'holm', 'tukey', 'bonferroni' or 'none'"):
        fit.contrasts("condition", adjust="scheffe")


def test_contrasts_within_groups_stand_in_the_order_of_the_groups():
    data = load("anxiety_group").data
    order = ["grp3", "grp1", "grp2"]
    data = data.assign(group=data["group"].cat.set_categories(order))
    fit = tl.fit_mixed("y ~ group * condition", data, "subject")
    contrasts = fit.contrasts("condition", by="group")
    assert list(contrasts.index.get_level_values("group").unique()) == order
