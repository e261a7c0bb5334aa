"""The studentized range against scipy's, which takes milliseconds for every single value."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from twolevel.inference.adjustments import adjusted
from twolevel.numeric.studentized_range import StudentizedRange

Q = np.array([0.0, 0.5, 1, 2, 3, 4, 5, 6, 8, 12, 20])


@pytest.mark.parametrize("k", [2, 3, 10, 300])
@pytest.mark.parametrize("df", [1, 2, 3.5, 17, 250, 9000, np.inf])
def test_probabilities_and_quantiles_are_those_of_scipy(k, df):
    ours, theirs = StudentizedRange(k), stats.studentized_range(k, df)
    np.testing.assert_allclose(ours.sf(Q, np.full(len(Q), df)), theirs.sf(Q), atol=2e-10)
    found = ours.upper_quantile(0.05, np.array([df]))[0]
    np.testing.assert_allclose(theirs.sf(found), 0.05, atol=1e-9)


@pytest.mark.parametrize("df", [1, 2, 5, 40, np.inf])
def test_two_means_are_one_t_test_far_into_the_tail(df):
    t = np.array([0, 1, 3, 8, 15.0])
    found = StudentizedRange(2).sf(np.sqrt(2) * t, np.full(5, df))
    np.testing.assert_allclose(found, 2 * stats.t.sf(t, df), rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("k", [3, 300, 1000])
def test_quantiles_of_many_df_at_once_are_those_of_each(k):
    ours, df = StudentizedRange(k), np.append(np.geomspace(1, 1e5, 400), np.inf)
    found = ours.upper_quantile(0.05, df)
    np.testing.assert_allclose(ours.sf(found, df), 0.05, rtol=1e-8)
    assert (np.diff(found) < 0).all()


def test_all_pairs_of_three_hundred_means():
    """44,850 pairs, each with degrees of freedom of its own, take seconds."""
    m, generator = 300 * 299 // 2, np.random.default_rng(1)
    t, df = generator.normal(size=m) * 4, generator.uniform(500, 2000, m)
    table = pd.DataFrame({"estimate": t, "se": 1.0, "df": df, "t": t, "p": 0.5})
    start = time.monotonic()
    tukey = adjusted(table, "tukey", 300)
    assert time.monotonic() - start < 10
    holds = (tukey["ci_low"] > 0) | (tukey["ci_high"] < 0)
    near = (tukey["p"] - 0.05).abs() < 1e-6
    assert (holds == (tukey["p"] < 0.05))[~near].all()
    assert 0 < holds.sum() < m
