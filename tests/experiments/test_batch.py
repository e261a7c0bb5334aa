"""Batches of data sets against `fit_mixed` with a random intercept, one after the other."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.experiments.batch import fit_batch
from twolevel.inference.means import mean_rows
from twolevel.numeric.tails import f_upper

DFS = ["kenward-roger", "satterthwaite", "asymptotic"]


@st.composite
def batches(draw, incomplete):
    """Data (J x replicates, B, n) with effects and a mean, what is observed, and replicates."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    J, replicates, n = draw(st.integers(2, 5)), draw(st.integers(1, 2)), draw(st.integers(3, 9))
    ratio, offset = draw(st.sampled_from([0, 0.3, 1, 5])), draw(st.sampled_from([0.0, 10.0, 1e4]))
    shape = (J * replicates, 3, n)
    y = generator.normal(size=shape) + ratio * generator.normal(size=shape[1:]) + offset
    y += np.repeat(generator.normal(size=J), replicates)[:, None, None]
    if not incomplete:
        return y, None, replicates
    missing = draw(st.sampled_from([0.05, 0.2, 0.5]))
    shared = draw(st.booleans())
    observed = generator.random((shape[0], 1 if shared else 3, n)) >= missing
    return y, np.broadcast_to(observed, shape), replicates


def table(y, replicates, observed):
    """One data set (J x replicates, n) as a table, only of what is observed."""
    K, n = y.shape
    names = [f"c{j}" for j in range(K // replicates)]
    data = pd.DataFrame(
        {
            "y": y.ravel(),
            "time": pd.Categorical(np.repeat(names, replicates * n), categories=names),
            "id": np.tile(np.arange(n), K),
        }
    )
    return data if observed is None else data[observed.ravel()]


def close(found, expected, scale=0.0):
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * scale)


def close_widths(found, expected):
    """Close, by their logarithms: few degrees of freedom, 1/100, have quantiles of t of 1e100.

    A relative error of the former is one of the latter times its logarithm.
    """
    np.testing.assert_allclose(np.log(found), np.log(expected), rtol=1e-10, atol=1e-10)


def close_variance(found, expected, y):
    """Close up to the rounding of the data: e in each value is 2 e sd in a variance."""
    rounding = np.finfo(float).eps * np.abs(y).max()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=4 * rounding * np.sqrt(expected))


def agree(y, observed, replicates):
    """Every number of a batch, and every failure, is that of the single fits."""
    J = len(y) // replicates
    batch = fit_batch(y, replicates, observed)
    zeros, apart = np.zeros(J), np.linspace(-1, 1, J)
    for b in range(y.shape[1]):
        data = table(y[:, b], replicates, None if observed is None else observed[:, b])
        try:
            fit = tl.fit_mixed("y ~ time + (1 | id)", data)
        except tl.InputError:
            fit = None
        if fit is None or len(fit.params) < J:  # a condition that no one was seen under
            assert batch.failed[b]
            continue
        assert not batch.failed[b]
        assert batch.boundary[b] == fit.boundary
        scale = fit.sigma_within + fit.sigma_between
        close_variance(batch.within_variance[b], fit.sigma_within**2, y)
        close(batch.between_variance[b], fit.sigma_between**2, 1e-2 * scale**2)
        close(batch.grand_mean[b], fit.grand_mean["estimate"], scale)
        effects = fit.condition_effects("time")
        close(batch.condition_effects[:, b], effects["estimate"], scale)
        for df in DFS:
            grand = fit.estimates.table(mean_rows(fit.design)[1], pd.Index(["mean"]), df)
            both = pd.concat([grand, fit.condition_effects("time", df)])
            se, half = batch.intervals(df)
            close(se[:, b], both["se"])
            close_widths(half[:, b], both["ci_high"] - both["estimate"])
            F, df_den, p = batch.condition_tests(df, np.stack([zeros, apart]))
            test = fit.anova(df).iloc[0]
            # Effects of nearly 0 have the rounding of the data's offset, 1e-12, in their F too.
            np.testing.assert_allclose(F[0, b], test["F"], rtol=1e-10, atol=1e-11)
            rejected = batch.rejections(df, np.stack([zeros, apart]))[0, b]
            assert rejected == (test["p"] < 0.05)
            close(np.broadcast_to(df_den, F[0].shape)[b], test["df_den"])
            np.testing.assert_allclose(p[0, b], test["p"], rtol=1e-8)
            moved = data.assign(y=data["y"] - apart[data["time"].cat.codes])
            expected = tl.fit_mixed("y ~ time + (1 | id)", moved).anova(df).iloc[0]["F"]
            # Moved data are rounded to the last digit of their offset, 1e-12.
            np.testing.assert_allclose(F[1, b], expected, rtol=1e-10, atol=1e-9)
    return batch


@examples(60)
@given(batches(incomplete=False))
def test_complete_batches_are_single_fits(batch):
    agree(*batch)


@examples(150)
@given(batches(incomplete=True))
def test_incomplete_batches_are_single_fits(batch):
    agree(*batch)


@examples(40)
@given(batches(incomplete=False))
def test_complete_data_are_incomplete_data_with_nothing_missing(batch):
    y, _, replicates = batch
    closed, searched = fit_batch(y, replicates), fit_batch(y, replicates, np.ones(y.shape, bool))
    for name in ("within_variance", "raw_variance", "sampling_variance", "grand_mean"):
        close(getattr(searched, name), getattr(closed, name))
    scale = closed.within_variance + closed.between_variance
    gap = np.abs(searched.between_variance - closed.between_variance)
    assert (gap <= 1e-10 * scale).all()
    for df in DFS:
        for found, expected in zip(searched.intervals(df), closed.intervals(df), strict=True):
            close(found, expected)


@examples(40)
@given(batches(incomplete=True))
def test_the_two_stage_variances_are_those_of_the_hierarchical_fit(batch):
    y, observed, replicates = batch
    fits = fit_batch(y, replicates, observed)
    for b in range(y.shape[1]):
        data = table(y[:, b], replicates, observed[:, b])
        if fits.failed[b] or data["time"].nunique() < len(y) // replicates:
            continue
        conditions = pd.get_dummies(data["time"]).astype(float)
        within = conditions - conditions.groupby(data["id"]).transform("mean")
        rank = np.linalg.matrix_rank(within)
        if rank < len(conditions.columns) - 1 or len(data) - data["id"].nunique() - rank < 1:
            assert np.isnan([fits.raw_variance[b], fits.sampling_variance[b]]).all()
            continue
        single = tl.fit_hierarchical(tl.fit_subjects("y ~ time + (1 | id)", data, "id", "time"))
        close_variance(fits.raw_variance[b], single.raw_variance, y)
        close_variance(fits.sampling_variance[b], single.sampling_variance, y)
        close(fits.two_stage_variance[b], single.between_variance, single.raw_variance)


@pytest.mark.parametrize(
    "seen",
    [
        # No one was seen under both of the first two and of the last two conditions.
        [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]],
        # Rows and parameters are as many.
        [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 1]],
    ],
)
def test_without_errors_in_subjects_there_is_no_two_stage_variance(seen):
    observed = np.array(seen, dtype=bool)[:, None]
    y = np.random.default_rng(1).normal(size=observed.shape)
    fits = fit_batch(y, 1, observed)
    assert np.isnan([fits.raw_variance[0], fits.sampling_variance[0]]).all()


@examples(40)
@given(batches(incomplete=False))
def test_the_anova_of_a_batch_is_that_of_partitioned_errors(batch):
    y, _, replicates = batch
    fits = fit_batch(y, replicates)
    zeros = np.zeros((1, len(y) // replicates))
    F, df_den, p = fits.condition_tests("anova", zeros)
    se, _ = fits.intervals("anova")
    for b in range(y.shape[1]):
        anova = tl.partition_errors("y ~ time", table(y[:, b], replicates, None), "id")
        # The batch has one error within subjects, also where cells have several rows.
        test, errors = anova.table.loc["time"], anova.strata.iloc[1:][["ss", "df"]].sum()
        pooled = test["ss"] / test["df_num"] / (errors["ss"] / errors["df"])
        close([F[0, b], df_den[0]], [pooled, errors["df"]])
        close(p[0, b], f_upper(pooled, test["df_num"], errors["df"]))
        close(se[0, b], anova.grand_mean_se)


def test_the_anova_has_no_result_for_incomplete_data():
    y = np.random.default_rng(1).normal(size=(3, 4, 6))
    observed = np.ones(y.shape, dtype=bool)
    observed[0, :, 0] = False
    fits = fit_batch(y, 1, observed)
    assert not fits.failed.any()
    for part in (*fits.condition_tests("anova", np.zeros((1, 3))), *fits.intervals("anova")):
        assert np.isnan(part).all()


def test_values_that_are_not_observed_do_not_matter():
    y = np.random.default_rng(1).normal(size=(3, 2, 6))
    observed = np.random.default_rng(2).random(y.shape) > 0.2
    hidden = np.where(observed, y, np.nan)
    assert (fit_batch(hidden, 1, observed).grand_mean == fit_batch(y, 1, observed).grand_mean).all()


@pytest.mark.parametrize("k", [0, 1, 2])
def test_a_data_set_does_not_depend_on_its_batch(k):
    """A failing neighbour included: the second data set has no one under the first condition."""
    generator = np.random.default_rng(4)
    y, observed = generator.normal(size=(3, 3, 7)), generator.random((3, 3, 7)) > 0.1
    observed[0, 1] = False
    together, alone = fit_batch(y, 1, observed), fit_batch(y[:, [k]], 1, observed[:, [k]])
    assert together.failed.tolist() == [False, True, False]
    for name in ("grand_mean", "within_variance", "between_variance"):
        np.testing.assert_allclose(getattr(together, name)[k], getattr(alone, name)[0], rtol=1e-13)
