"""Neither the origin, nor the unit, nor the type of a column changes anything but its own numbers.

Values are multiples of 2^-10, which stay exact when 1e12 is added and when they are multiplied with
a power of two; what is compared is then the same number, computed in two coordinates.
"""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import balanced, unbalanced

import twolevel as tl
from twolevel.strata.anova import NotPartitioned
from twolevel.text.errors import InputError

shifts = st.sampled_from([0, 17, -(10**6), 3 * 10**6, 10**9, 10**12])
powers = st.sampled_from([-498, -60, -1, 0, 5, 200, 498])  # of two: 1e-150 to 1e150
REL = 2e-7  # of numbers at which an iteration stops when a step is below 1e-8


def exact(data: pd.DataFrame) -> pd.DataFrame:
    """The table with responses and covariates of few binary digits, one of them within subjects."""
    generator = np.random.default_rng(len(data))
    within = generator.normal(size=len(data))
    numbers = {"y": data["y"], "age": data["age"], "x": within}
    return data.assign(**{k: np.round(1024 * v) / 1024 for k, v in numbers.items()})


def moved(data: pd.DataFrame, column: str, shift: int, power: int) -> pd.DataFrame:
    return data.assign(**{column: (data[column] + shift) * 2.0**power})


def same(ours, theirs, scale=1.0, atol=0.0):
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float) / scale
    size = np.nanmax(np.abs(theirs), initial=0.0)
    np.testing.assert_allclose(ours, theirs, rtol=REL, atol=max(atol, REL * size))


def fitted(formula: str, data: pd.DataFrame):
    try:
        return tl.fit_mixed(formula, data, "id")
    except InputError:
        return None


@examples(12)
@given(data=balanced | unbalanced, shift=shifts, power=powers)
def test_a_covariates_origin_and_unit_change_its_own_coefficient_alone(data, shift, power):
    data, unit = exact(data), 2.0**power
    for column, formula in (
        ("age", "y ~ time * group + age + (1 | id)"),
        ("x", "y ~ time + x + (1 | id)"),
    ):
        one, other = fitted(formula, data), fitted(formula, moved(data, column, shift, power))
        assert (one is None) == (other is None)
        if one is None:
            continue
        same(other.variances, one.variances)
        same(
            other.coef_table().loc[column, ["df", "t", "p"]],
            one.coef_table().loc[column, ["df", "t", "p"]],
        )
        same([other.params[column] * unit], [one.params[column]])
        rest = one.params.index.drop(["Intercept", column])
        same(other.coef_table().loc[rest], one.coef_table().loc[rest])
        for df in ("kenward-roger", "satterthwaite"):
            same(other.anova(df), one.anova(df))
        same(other.means("time"), one.means("time"))
        same(
            other.contrasts("time")[["estimate", "se", "df"]],
            one.contrasts("time")[["estimate", "se", "df"]],
        )
        same(other.slopes(column)[["estimate", "se"]], one.slopes(column)[["estimate", "se"]], unit)
        same(other.slopes(column)[["df", "t", "p"]], one.slopes(column)[["df", "t", "p"]])
        variances = ["sigma_between", "sigma_within", "icc"]
        same(
            other.profile(parameters=[*variances, *rest]),
            one.profile(parameters=[*variances, *rest]),
        )
        same(other.profile(parameters=[column]), one.profile(parameters=[column]), unit)
        same(other.influence()["cooks_distance"], one.influence()["cooks_distance"], atol=1e-6)
        same(other.r2(), one.r2())
        assert other.llf == pytest.approx(one.llf - power * np.log(2), abs=1e-6)


@examples(12)
@given(data=balanced | unbalanced, shift=shifts, power=powers)
def test_a_line_in_each_level_has_the_same_slopes_and_means(data, shift, power):
    data, unit = exact(data), 2.0**power
    one, other = (
        fitted("y ~ time * x + (1 | id)", data),
        fitted("y ~ time * x + (1 | id)", moved(data, "x", shift, power)),
    )
    assert (one is None) == (other is None)
    if one is None:
        return
    same(other.means("time"), one.means("time"))
    same(
        other.slopes("x", by="time")[["estimate", "se"]],
        one.slopes("x", by="time")[["estimate", "se"]],
        unit,
    )
    same(other.anova().loc["time:x"], one.anova().loc["time:x"])


@examples(12)
@given(data=balanced | unbalanced, shift=shifts, power=powers)
def test_the_responses_origin_and_unit(data, shift, power):
    data, unit = exact(data), 2.0**power
    formula = "y ~ time * group + age + (1 | id)"
    one, other = fitted(formula, data), fitted(formula, moved(data, "y", shift, power))
    assert (one is None) == (other is None)
    if one is None:
        return
    sigmas = ["sigma_between", "sigma_within"]
    same(other.variances[sigmas] / unit, one.variances[sigmas])
    slopes = one.params.index.drop("Intercept")
    columns = ["estimate", "se", "ci_low", "ci_high"]
    same(other.coef_table().loc[slopes, columns] / unit, one.coef_table().loc[slopes, columns])
    same(
        other.coef_table().loc[slopes, ["df", "t", "p"]],
        one.coef_table().loc[slopes, ["df", "t", "p"]],
    )
    for df in ("kenward-roger", "satterthwaite"):
        same(other.anova(df), one.anova(df))
    same(other.contrasts("time")[columns] / unit, one.contrasts("time")[columns])
    assert other.grand_mean["estimate"] / unit == pytest.approx(
        one.grand_mean["estimate"] + shift, rel=1e-12, abs=1e-9
    )
    names = [*sigmas, *slopes]
    same(other.profile(parameters=names) / unit, one.profile(parameters=names))
    same(other.influence()["cooks_distance"], one.influence()["cooks_distance"], atol=1e-6)
    same(other.random_effects["random_effect"] / unit, one.random_effects["random_effect"])
    same(other.test_between_variance(1000), one.test_between_variance(1000), atol=1e-6)


@examples(12)
@given(data=balanced | unbalanced, shift=shifts, power=powers, column=st.sampled_from(["y", "age"]))
def test_the_two_stage_fit(data, shift, power, column):
    data = exact(data)
    unit = 2.0**power if column == "y" else 1.0
    found = []
    for table in (data, moved(data, column, shift, power)):
        try:
            level1 = tl.fit_subjects("y ~ time * group + age + (1 | id)", table, "id", "time")
            found.append((level1, tl.fit_hierarchical(level1, "precision")))
        except InputError:
            found.append(None)
    assert (found[0] is None) == (found[1] is None)
    if found[0] is None:
        return
    (level1, one), (other1, other) = found
    same([other1.sigma_within / unit], [level1.sigma_within])
    # A difference of two variances has the accuracy of these.
    same(
        [other.raw_variance / unit**2, other.between_variance / unit**2],
        [one.raw_variance, one.between_variance],
    )
    same([other.grand_mean_se / unit], [one.grand_mean_se])
    same(
        other1.condition_effects[["estimate", "se"]] / unit,
        level1.condition_effects[["estimate", "se"]],
    )
    same(other1.residuals["residual"] / unit, level1.residuals["residual"])
    group = "group[T.b]"
    if group in one.params.index:
        same(other.params.loc[group] / unit, one.params.loc[group])


@examples(12)
@given(data=balanced, shift=shifts, power=powers, column=st.sampled_from(["y", "age"]))
def test_the_partitioned_errors(data, shift, power, column):
    data = exact(data)
    unit = 2.0**power if column == "y" else 1.0
    found = []
    for table in (data, moved(data, column, shift, power)):
        try:
            found.append(tl.partition_errors("y ~ time * group + age", table, "id"))
        except NotPartitioned:
            found.append(None)
    assert (found[0] is None) == (found[1] is None)
    if found[0] is None:
        return
    one, other = found
    same(
        other.table[["F", "df_num", "df_den", "p", "partial_eta2"]],
        one.table[["F", "df_num", "df_den", "p", "partial_eta2"]],
    )
    same(other.table["ss"] / unit**2, one.table["ss"])
    same(
        [other.sigma_within / unit, other.ss_subject / unit**2, other.grand_mean_se / unit],
        [one.sigma_within, one.ss_subject, one.grand_mean_se],
    )
    labels = ["stratum", "effect"]
    same(other.sphericity.drop(columns=labels), one.sphericity.drop(columns=labels))


@examples(10)
@given(shift=shifts, power=powers, missing=st.sampled_from([0.0, 0.2]))
def test_replicated_experiments(shift, power, missing):
    unit = 2.0**power

    def scenario(shift: float, unit: float) -> tl.Scenario:
        return tl.Scenario(
            subjects=6,
            conditions={"a": -unit, "b": 0.5 * unit, "c": 0.5 * unit},
            grand_mean=shift * unit,
            sigma_between=0.75 * unit,
            sigma_within=unit,
            missing=missing,
        )

    one = tl.replicate(scenario(0.0, 1.0), 50, 3)
    other = tl.replicate(scenario(float(shift), unit), 50, 3)
    if power == 0:  # the stream of random numbers depends on sigma_between
        tests = [
            name for name in one if name.startswith("rejected") or name in ("F", "df_den", "p")
        ]
        pd.testing.assert_frame_equal(other[tests], one[tests])
        pd.testing.assert_series_equal(other["within_variance"], one["within_variance"])
    assert np.isfinite(other["within_variance"] / unit**2).sum() == (~other["failed"]).sum()
    ratio = (other["within_variance"] / unit**2).mean()
    assert 0.7 < ratio < 1.3


@pytest.mark.parametrize(
    "kind", ["int8", "uint8", "int16", "int64", "float32", "Int8", "Float64", "object"]
)
def test_any_type_of_number_is_a_number(kind):
    """Products of small integers do not wrap, and objects that are numbers are no factors."""
    generator = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "id": np.repeat(np.arange(12), 3),
            "dose": generator.integers(0, 100, 36),
            "age": np.repeat(generator.integers(20, 90, 12), 3),
            "y": generator.normal(size=36),
        }
    )
    for formula in ("y ~ dose + I(dose**2)", "y ~ age * dose", "y ~ exp(I(dose / 50))"):
        expected = tl.fit_mixed(formula, data.astype({"dose": float, "age": float}), "id").params
        typed = tl.fit_mixed(formula, data.astype({"dose": kind, "age": kind}), "id").params
        np.testing.assert_allclose(typed, expected, rtol=1e-9)


def test_whole_numbers_beyond_the_digits_of_a_float():
    """Nanoseconds since 1970 are whole numbers that no float holds; their differences are exact."""
    generator = np.random.default_rng(6)
    seconds = generator.integers(0, 1000, 36)
    data = pd.DataFrame({"id": np.repeat(np.arange(12), 3), "y": generator.normal(size=36)})
    early = tl.fit_mixed("y ~ ts", data.assign(ts=seconds), "id").anova()
    now = data.assign(ts=1_709_251_200_000_000_000 + seconds)
    pd.testing.assert_frame_equal(tl.fit_mixed("y ~ ts", now, "id").anova(), early, rtol=1e-9)
