"""Effect sizes: their intervals have the tails that they name, and cover what they estimate."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from test_strata import afex

import twolevel as tl
from twolevel.numeric.noncentral_t import noncentral_t_lower, noncentrality_interval
from twolevel.strata.effect_sizes import (
    df_of_mean_sd,
    generalised_eta2_interval,
    partial_eta2_interval,
    standardised,
)
from twolevel.strata.own_error import standardised_differences


@examples(40)
@given(st.floats(0.01, 1e4), st.integers(1, 20), st.integers(1, 200), st.sampled_from([0.9, 0.95]))
def test_the_interval_of_partial_eta_squared_has_the_tails_it_names(F, df_num, df_den, level):
    ends = partial_eta2_interval(F, df_num, df_den, level)
    for end, below in zip(ends, ((1 + level) / 2, (1 - level) / 2), strict=True):
        noncentrality = end * (df_num + df_den + 1) / (1 - end)
        found = special.ncfdtr(df_num, df_den, noncentrality, F)
        if end == 0:
            assert found <= below + 1e-9
        else:
            assert found == pytest.approx(below, abs=1e-6)


@pytest.mark.parametrize(("df_num", "df_den"), [(1, 7), (2, 14), (16, 104)])
def test_the_interval_of_a_large_F_goes_on_where_scipy_ends(df_num, df_den):
    below, above = (
        1 - np.array(partial_eta2_interval(F / df_num, df_num, df_den, 0.95))
        for F in (9.9e7, 1.1e8)
    )
    np.testing.assert_allclose(below * 9.9e7, above * 1.1e8, rtol=1e-4)
    assert partial_eta2_interval(np.inf, df_num, df_den, 0.95) == (1.0, 1.0)


def error(ms, df, columns):
    return SimpleNamespace(ms=ms, df=df, df_total=df + columns)


# 20 subjects in 3 cells who differ much, little and not at all; 12 subjects in 6 cells.
@pytest.mark.parametrize(
    ("subjects", "cells", "ms_between", "noncentrality"),
    [(20, 3, 13.0, 10.0), (20, 3, 4.0, 40.0), (20, 3, 1.0, 160.0), (12, 6, 55.0, 8.4)],
)
def test_the_interval_of_generalised_eta_squared_covers_the_populations(
    subjects, cells, ms_between, noncentrality
):
    random = np.random.default_rng(3)
    df_between, df_num, tries = subjects - 1, cells - 1, 600
    df_within = df_between * df_num
    all_errors = subjects * (ms_between + df_num)
    truth = noncentrality / (noncentrality + all_errors)
    outside = np.zeros(2)
    for _ in range(tries):
        between = error(ms_between * random.chisquare(df_between) / df_between, df_between, 1)
        within = error(random.chisquare(df_within) / df_within, df_within, df_num)
        ss = random.noncentral_chisquare(df_num, noncentrality)
        low, high = generalised_eta2_interval(ss, df_num, within, [between, within], 0.9)
        outside += [truth < low, truth > high]
    # 5 % in each tail, within 3 standard errors of a simulated share and an approximation's error.
    assert (outside / tries < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tries)).all()
    assert outside.sum() / tries > 0.055


def test_generalised_eta_squared_by_hand():
    """Of selfesteem2's time: F = 12.9 on 2 and 22, its own error a small part of all."""
    values, data = afex("selfesteem2")
    found = tl.partition_errors(values["formula"], data, "id")
    row, strata = found.table.loc["time"], found.strata
    parts = strata["ms"] * [12, 12, 24, 24]
    df = parts.sum() ** 2 / (parts**2 / strata["df"]).sum()
    ratio = parts.sum() / strata.loc["id:time", "ms"]
    for name, below in (("low", 0.975), ("high", 0.025)):
        end = row[f"generalised_eta2_{name}"]
        noncentrality = end / (1 - end) * ratio
        assert special.ncfdtr(2, df, noncentrality, row["F"]) == pytest.approx(below, abs=1e-6)
    assert row["generalised_eta2_low"] < row["generalised_eta2"] < row["generalised_eta2_high"]


def test_an_error_of_nothing_leaves_that_of_the_others():
    own, other = error(0.0, 8, 2), error(2.0, 9, 1)
    low, high = generalised_eta2_interval(20.0, 2, own, [other, own], 0.95)
    odds = special.chdtri(9, [0.975, 0.025]) / 9  # of a sum of squares as large as all errors
    np.testing.assert_allclose([low, high], odds / (1 + odds), rtol=1e-12)
    assert generalised_eta2_interval(20.0, 2, own, [own], 0.95) == (1.0, 1.0)
    assert np.isnan(generalised_eta2_interval(0.0, 2, own, [own], 0.95)).all()


# R's pt(t, df, ncp), and where R has none, an integral of 4 million steps.
@pytest.mark.parametrize(
    ("t", "df", "noncentrality", "expected"),
    [
        (2.1, 14, 1.0, 0.8386974631941062),
        (30, 14, 25, 0.7786500807154509),
        (3, 3.7, 1, 0.8953847289160288),
        (-3, 19, -5, 0.9664165768731183),
        (300, 1e5, 299, 0.7966775147638188),
        (1000, 2e6, 998, 0.9631731808272634),
        (60, 3.7, 50, 0.5846296148503909),
        (1e4, 20, 9e3, 0.7041415762613996),
        (40, 19, 60, 0.00153547830427997),
    ],
)
def test_noncentral_t(t, df, noncentrality, expected):
    assert noncentral_t_lower(t, df, noncentrality) == pytest.approx(expected, rel=1e-9)


@examples(60)
@given(st.floats(-1e4, 1e4), st.floats(1, 1e5), st.sampled_from([0.9, 0.99]))
def test_the_noncentralities_have_the_tails_they_name(t, df, level):
    ends = noncentrality_interval(t, df, level)
    found = [noncentral_t_lower(t, df, end) for end in ends]
    np.testing.assert_allclose(found, [(1 + level) / 2, (1 - level) / 2], atol=1e-8)
    np.testing.assert_allclose(
        noncentrality_interval(-t, df, level), [-ends[1], -ends[0]], rtol=1e-9, atol=1e-9
    )


def test_an_interval_of_d_z_that_r_gives():
    """effectsize 0.8.3 on R's `sleep`: cohens_d(x, y, paired = TRUE)."""
    x = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    y = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    data = pd.DataFrame({"y": [*x, *y], "drug": ["a"] * 10 + ["b"] * 10, "id": [*range(10)] * 2})
    design = tl.fit_mixed("y ~ drug", data, "id").design
    row = standardised_differences(design, "drug").iloc[0]
    found = row[["d_z", "d_z_low", "d_z_high"]].astype(float)
    np.testing.assert_allclose(found, [-1.284558, -2.118017, -0.4146278], atol=2e-5)
    apart, sds = x - y, np.array([x.std(ddof=1), y.std(ddof=1)])
    assert row["d_av"] == pytest.approx(apart.mean() / sds.mean())
    assert row["d_av_low"] < row["d_av"] < row["d_av_high"] < 0


@pytest.mark.parametrize(
    ("subjects", "correlation", "sds", "delta"),
    [(15, 0.7, (1.0, 1.0), 0.8), (15, 0.2, (1.0, 1.0), 2.0), (20, 0.5, (1.0, 2.0), 1.0)],
)
def test_the_interval_of_d_av_covers_the_populations(subjects, correlation, sds, delta):
    random = np.random.default_rng(5)
    covariance = np.outer(sds, sds) * [[1, correlation], [correlation, 1]]
    truth, tries = delta, 1000
    outside = np.zeros(2)
    for _ in range(tries):
        table = random.multivariate_normal([delta * np.mean(sds), 0], covariance, subjects)
        apart = table[:, 0] - table[:, 1]
        own = table.std(axis=0, ddof=1)
        sd, df = apart.std(ddof=1), subjects - 1
        df_av = df_of_mean_sd((own[0], own[1]), sd, df)
        se = sd / np.sqrt(subjects)
        _, low, high = standardised(apart.mean(), se, own.mean(), df_av, 0.9)
        outside += [truth < low, truth > high]
    assert (np.abs(outside / tries - 0.05) < 3 * np.sqrt(0.05 * 0.95 / tries) + 0.005).all()


@examples(30)
@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(-0.99, 0.99), st.integers(2, 50))
def test_the_mean_of_two_standard_deviations_has_between_df_and_twice_as_many(s, t, r, df):
    apart = np.sqrt(s**2 + t**2 - 2 * r * s * t)
    found = df_of_mean_sd((s, t), apart, df)
    assert df * (1 - 1e-9) <= found <= 2 * df * (1 + 1e-9)
    assert df_of_mean_sd((s, s), s * np.sqrt(2 - 2 * r), df) == pytest.approx(2 * df / (1 + r**2))


def test_what_has_no_spread_has_no_size():
    assert np.isnan(standardised(1.0, 0.0, 0.0, 5, 0.95)).all()
    assert stats.nct(5, 1.0).cdf(2.0) == pytest.approx(noncentral_t_lower(2.0, 5, 1.0))


def test_rows_of_subjects_in_which_nothing_varies_are_averaged_as_afex_does():
    """R: afex::aov_ez("subject", "y", anxiety, between = "group", fun_aggregate = mean)."""
    data = pd.read_csv(Path(__file__).parents[1] / "data/anxiety.csv")
    table = tl.partition_errors("y ~ group", data, "subject").table
    assert table.loc["group", "generalised_eta2"] == pytest.approx(0.171656797985624, rel=1e-9)
    assert table.loc["group", "F"] == pytest.approx(4.35181063710298, rel=1e-9)
