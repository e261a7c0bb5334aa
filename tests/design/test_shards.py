"""A table in parts gives the numbers of the whole, however it is cut."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from random_designs import balanced, bars, formulas, table, unbalanced, with_times

import twolevel as tl
from twolevel.design import cells, shards
from twolevel.design.shards import Shards
from twolevel.levels.checks.diagnostics import diagnose
from twolevel.levels.checks.implied_covariance import implied_covariance
from twolevel.levels.checks.pooled_errors import pooled_errors
from twolevel.levels.checks.redrawn import values_of
from twolevel.levels.hierarchical import fit_hierarchical

DIGITS = 1e-12


def cut(data, pieces, response="y"):
    """A table with a column id as shards, rows in the order given."""
    codes, subjects = pd.factorize(data["id"])
    table = data.assign(id=codes).reset_index(drop=True)
    texts = table.select_dtypes(["object", "string"]).columns
    table[texts] = table[texts].astype("category")
    ends = np.linspace(0, len(table), pieces + 1).round().astype(int)
    parts = [table.iloc[a:b] for a, b in pairwise(ends) if b > a]
    return Shards.of(lambda: iter(parts), "id", response, pd.Index(subjects), len(data))


def changed(data, offset, shuffle):
    """The table with an offset of the response, in an order in which subjects span parts or not."""
    data = data.assign(y=data["y"] + offset)
    return data.sample(frac=1, random_state=1) if shuffle else data


def cut_with_sample(data, pieces, rows):
    """The same as `cut`, with a sample of so many rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SAMPLE_ROWS", rows)
        return cut(data, pieces)


def fitted(formula, parts, method):
    """The fit of a table in parts, if its sample is not too small for the formula."""
    try:
        return tl.fit_mixed(formula, parts, "id", method)
    except tl.InputError as refusal:
        assume("leave nothing" not in str(refusal))
        raise


def close(found, expected, scale=0.0):
    np.testing.assert_allclose(found, expected, rtol=DIGITS, atol=DIGITS * scale)


@examples(30)
@given(
    balanced | unbalanced,
    formulas,
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([0.0, 1e6]),
    st.sampled_from([40, 10**6]),
)
# A sample whose covariate has another mean than all rows.
@example(table(0, 5, 5, 0.0, 0.0, 2), "y ~ time + age + (1 | id)", 1, False, 0.0, 40)
def test_numbers_are_those_of_the_whole_table(data, formula, pieces, shuffle, offset, sample):
    data = changed(data, offset, shuffle)
    parts = cut_with_sample(data, pieces, sample)
    # An offset of 10^6 is itself rounded to 10^-10.
    y = 1 + 2e-4 * np.abs(data["y"]).max()
    for method in ("REML", "ML"):
        whole = tl.fit_mixed(formula, data, "id", method)
        fit = fitted(formula, parts, method)
        assert fit.boundary == whole.boundary
        assert (fit.nobs, fit.n_parameters) == (whole.nobs, whole.n_parameters)
        close(fit.params, whole.params, y)
        close(fit.sigma_within, whole.sigma_within, y)
        close(fit.sigma_between, whole.sigma_between, y)
        close(fit.bse, whole.bse, y)
        close(fit.llf, whole.llf, 10 * y)
        close(fit.r2(), whole.r2(), y)
        pd.testing.assert_frame_equal(
            fit.random_effects, whole.random_effects, rtol=1e-10, atol=DIGITS * y
        )
        df = "kenward-roger" if method == "REML" else "satterthwaite"
        one, other = fit.anova(df), whole.anova(df)
        pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-10 * y)
        if "time" in formula:
            one, other = fit.means("time", df), whole.means("time", df)
            close(one["estimate"], other["estimate"], y)


@examples(40)
@given(
    with_times,
    st.none() | bars,
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([0.0, 1e6]),
    st.sampled_from([40, 10**6]),
    st.sampled_from(["REML", "ML"]),
)
def test_so_are_those_of_any_random_part(data, random, pieces, shuffle, offset, sample, method):
    data = changed(data, offset, shuffle)
    parts = cut_with_sample(data, pieces, sample)
    formula = " + ".join(filter(None, ["y ~ a + x", random]))
    whole = tl.fit_mixed(formula, data, "id", method)
    fit = fitted(formula, parts, method)
    y = 1 + 2e-4 * np.abs(data["y"]).max()
    if sample > len(data):
        assert fit.random == whole.random
    assume(fit.random == whole.random)
    assert fit.boundary == whole.boundary
    assert (fit.nobs, fit.n_parameters) == (whole.nobs, whole.n_parameters)
    close(fit.params, whole.params, y)
    close(fit.llf, whole.llf, 10 * y)
    close(fit.bse, whole.bse, 1e3 * y)
    close(fit.sigma_within, whole.sigma_within, 1e3 * y)
    close(fit.cov_random, whole.cov_random, 1e4 * y)
    close(fit.r2(), whole.r2(), 1e4 * y)
    close(fit.design_effect, whole.design_effect, 1e4 * y)
    pd.testing.assert_frame_equal(
        fit.random_effects, whole.random_effects, rtol=1e-8, atol=1e-8 * y
    )
    assert fit.nested_effects.keys() == whole.nested_effects.keys()
    for name, effects in fit.nested_effects.items():
        pd.testing.assert_frame_equal(
            effects.sort_index(), whole.nested_effects[name].sort_index(), rtol=1e-8, atol=1e-8 * y
        )
    one, other = fit.anova("satterthwaite"), whole.anova("satterthwaite")
    pd.testing.assert_frame_equal(one, other, rtol=1e-7, atol=1e-8 * y)
    everything = pd.Series(whole.resid, index=data["y"].to_numpy())
    close(fit.resid, everything[fit.design.response], 1e4 * y)


@examples(20)
@given(
    balanced | unbalanced,
    st.sampled_from(["y ~ time", "y ~ time * group", "y ~ time + age"]),
    st.integers(1, 4),
    st.booleans(),
)
def test_so_are_both_levels_and_the_anova(data, formula, pieces, shuffle):
    if shuffle:
        data = data.sample(frac=1, random_state=1)
    parts = cut(data, pieces)
    whole, found = (
        tl.fit_subjects(f"{formula} + (1 | id)", table, "id", "time", coding="sum")
        for table in (data, parts)
    )
    pd.testing.assert_frame_equal(found.subjects, whole.subjects, rtol=1e-10, atol=1e-11)
    pd.testing.assert_frame_equal(
        found.condition_effects, whole.condition_effects, rtol=1e-10, atol=1e-11
    )
    close(found.sampling_variance, whole.sampling_variance)
    if formula != "y ~ time + age":
        one, other = (tl.fit_hierarchical(f, "precision").summary() for f in (found, whole))
        close(one["grand_mean"]["se"], other["grand_mean"]["se"], 1)
    try:
        anova = tl.partition_errors(formula, data, "id")
    except tl.InputError as reason:
        with pytest.raises(type(reason)):
            tl.partition_errors(formula, parts, "id")
    else:
        table = tl.partition_errors(formula, parts, "id").table
        pd.testing.assert_frame_equal(table, anova.table, rtol=1e-9, atol=1e-10)
    names = {"id": "subject", "time": "condition", "y": "response"}
    renamed = Shards.of(
        lambda: (part.rename(columns=names) for part in parts.parts()),
        *("subject", "response"),
        parts.subjects,
        len(data),
    )
    one, other = (tl.describe_design(t) for t in (renamed, data.rename(columns=names)))
    assert one.summary()["patterns"].n_subjects.tolist() == (
        other.summary()["patterns"].n_subjects.tolist()
    )
    for key in ("per_cell", "per_condition", "seen_under", "complete", "single_subjects"):
        assert getattr(one, key) == getattr(other, key)


@pytest.mark.parametrize("random", [" + (1 | id)", ""])
def test_what_looks_at_rows_sees_the_sample(monkeypatch, random):
    data = table(seed=1, subjects=3000, conditions=3, missing=0.1, ratio=1.0, replicates=2)
    own = np.random.default_rng(2).normal(size=9000)
    data["y"] += own[data.groupby(["id", "time"], observed=True).ngroup()]
    whole = tl.fit_mixed(f"y ~ time * group{random}", data, "id")
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 6000)
    fit = tl.fit_mixed(f"y ~ time * group{random}", cut(data, 3), "id")
    assert fit.random == whole.random
    assert fit.random == ("(1 | id)" if random else "(1 | id) + (1 | id:time)")
    assert 4000 < len(fit.resid) < 7000
    at = fit.design.positions
    assert len(at) >= 1000
    everything = pd.Series(whole.resid, index=data["y"].to_numpy())
    np.testing.assert_allclose(fit.resid, everything[fit.design.response], atol=1e-9)
    left_out = fit.without_subject
    assert len(at) - 6 <= len(left_out) <= len(at)  # without those of which it has some rows only
    expected = whole.without_subject.loc[left_out.index]
    pd.testing.assert_frame_equal(left_out, expected, rtol=1e-8, atol=1e-9)
    pooled, expected = pooled_errors(fit), pooled_errors(whole)
    if random:  # fitted with all rows, to the model that they support
        assert pooled.left_out == expected.left_out
        pd.testing.assert_frame_equal(pooled.tests, expected.tests, rtol=1e-8)
    else:
        assert pooled is expected is None
        rows = pd.MultiIndex.from_arrays(
            [fit.design.subjects[fit.design.codes], fit.design.data.time]
        )
        predicted = whole.nested_effects["id:time"].iloc[:, 0].loc[rows.unique()]
        found = values_of(fit).random_effects["random effect: id:time"][:, 0]
        np.testing.assert_allclose(np.sort(found), np.sort(predicted), atol=1e-9)
    one, other = (implied_covariance(each, "time").per_cell for each in (fit, whole))
    assert one == pytest.approx(other, rel=0.02)
    looked_at = diagnose(fit, "time")
    assert looked_at.draws == 0
    assert max(looked_at.outside.values()) < 0.2


@examples(20)
@given(
    with_times,
    bars,
    st.integers(1, 4),
    st.booleans(),
)
def test_so_are_subjects_own_fits(data, random, pieces, shuffle):
    if shuffle:
        data = data.sample(frac=1, random_state=1)
    whole, parts = (
        tl.fit_subjects(f"y ~ a + x + {random}", rows, "id", "a")
        for rows in (data, cut(data, pieces))
    )
    assert (parts.no_own is None) == (whole.no_own is None)
    assume(whole.own is not None)
    pd.testing.assert_frame_equal(parts.subjects, whole.subjects, rtol=1e-9, atol=1e-10)
    pd.testing.assert_frame_equal(parts.residuals, whole.residuals, rtol=1e-9, atol=1e-10)
    for one, other in zip(parts.own.strata, whole.own.strata, strict=True):
        close(list(vars(one).values())[1:], list(vars(other).values())[1:], 1e2)
    one, other = (fit_hierarchical(fit).own.summary() for fit in (parts, whole))
    np.testing.assert_allclose(one["corrected"], other["corrected"], rtol=1e-9, atol=1e-10)


def test_support_is_that_of_subjects_whose_rows_are_all_in_the_sample(monkeypatch):
    data = table(seed=1, subjects=1200, conditions=3, missing=0.0, ratio=1.0, replicates=2)
    data["site"] = (data.groupby("id", sort=False).ngroup() % 300).map("c{}".format)
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 1200)
    monkeypatch.setattr(shards, "_FEWEST", 100)
    parts = cut(data, 3)
    rows = parts.sample.groupby("id").size()
    assert (rows < 6).sum() > (rows == 6).sum()  # single rows, for the combinations of factors
    fit = tl.fit_mixed("y ~ time", parts, "id")
    assert fit.random == "(1 | id) + (1 | id:time)"
    assert fit.random_columns.support.n_subjects == (rows == 6).sum()


def test_every_level_of_a_factor_is_in_the_sample(monkeypatch):
    data = table(seed=1, subjects=900, conditions=3, missing=0.0, ratio=1.0)
    data["time"] = data["time"].cat.add_categories("late")
    data.loc[100, "time"] = "late"
    data["session"] = [f"s{k}" for k in range(len(data))]  # which makes combinations too many
    monkeypatch.setattr(cells, "_MOST_CELLS", 50)
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 300)
    monkeypatch.setattr(shards, "_FEWEST", 100)
    sample = cut(data, 2).sample
    assert sample["time"].nunique() == 4
    assert len(sample) < 400


def test_levels_that_the_sample_has_not_are_known(monkeypatch):
    data = table(seed=1, subjects=1100, conditions=3, missing=0.2, ratio=1.0, replicates=3)
    session = data["time"].cat.codes % 2 + 2 * data.groupby("id", sort=False).ngroup()
    data["session"] = session.map("s{}".format).to_numpy()
    whole = tl.fit_mixed("y ~ time + (1 | id/session)", data)
    monkeypatch.setattr(cells, "_MOST_CELLS", 20)
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 3000)
    monkeypatch.setattr(shards, "_FEWEST", 100)
    parts = cut(data, 4)
    assert parts.sample["session"].nunique() < 0.6 * data["session"].nunique()
    fit = tl.fit_mixed("y ~ time + (1 | id/session)", parts, "id")
    close(fit.varcorr["vcov"], whole.varcorr["vcov"], 1e3)
    found, expected = (each.nested_effects["id:session"].sort_index() for each in (fit, whole))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found.index.tolist() == expected.index.tolist()


def test_numbers_that_name_levels_are_all_in_the_sample_or_refused(monkeypatch):
    data = table(seed=1, subjects=1100, conditions=2, missing=0.0, ratio=1.0, replicates=2)
    data["block"] = np.arange(len(data)) // 2 % 999
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 300)
    monkeypatch.setattr(shards, "_FEWEST", 50)
    with pytest.raises(tl.InputError, match=r'"block".*is not in the sample.*as text'):
        tl.fit_mixed("y ~ time + (1 | id:block)", cut(data, 2), "id")


def test_few_subjects_with_many_rows_are_thinned(monkeypatch):
    data = table(seed=1, subjects=4, conditions=3, missing=0.0, ratio=1.0, replicates=4000)
    monkeypatch.setattr(shards, "SAMPLE_ROWS", 5000)
    parts = cut(data, 3)
    assert 4000 < len(parts.sample) < 6000
    often = parts.sample.groupby(["id", "time"], observed=True).size()
    assert len(often) == 12
    assert often.min() > 250
    fit = tl.fit_mixed("y ~ time", parts, "id")
    assert fit.influence().empty
    assert fit.bootstrap("bca").notna().to_numpy().all()


def test_transforms_of_all_rows_at_once_are_refused():
    data = table(seed=1, subjects=9, conditions=3, missing=0.0, ratio=1.0)
    with pytest.raises(tl.InputError, match=r"center\(\) needs all rows at once.*as a column"):
        tl.fit_mixed("y ~ time + center(age)", cut(data, 2), "id")
