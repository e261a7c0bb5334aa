"""Observed and implied covariance of the conditions."""

import numpy as np
import pandas as pd
from examples import examples
from hypothesis import assume, given
from random_designs import balanced
from reference_values import load

import twolevel as tl
from twolevel.strata.condition_covariance import cell_means, residual_covariance


@examples(30)
@given(data=balanced)
def test_observed_is_the_pooled_covariance_within_groups(data):
    design = tl.fit_mixed("y ~ time * group", data, "id").design
    observed = residual_covariance(design, cell_means(design, ["time"]))
    wide = data.pivot_table(index=["group", "id"], columns="time", values="y", observed=True)
    centred = wide - wide.groupby("group").transform("mean")
    df = len(wide) - data["group"].nunique()
    assume(df > 0)
    assert observed.df == df
    np.testing.assert_allclose(observed.matrix, centred.T @ centred / df, atol=1e-9)


def test_incomplete_subjects_are_left_out_and_counted():
    data = load("ergostool_missing").data
    design = tl.fit_mixed("y ~ condition", data, "subject").design
    observed = residual_covariance(design, cell_means(design, ["condition"]))
    wide = data.pivot(index="subject", columns="condition", values="y")[["T1", "T2", "T3", "T4"]]
    complete = wide.dropna()
    assert observed.n_subjects == len(complete)
    np.testing.assert_allclose(observed.matrix, np.cov(complete.T), rtol=1e-10)


def test_without_complete_subjects_there_is_none():
    data = pd.DataFrame(
        {"id": list("aabbcc"), "time": list("xyyzzx"), "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.5]}
    )
    design = tl.fit_mixed("y ~ time", data, "id").design
    assert residual_covariance(design, cell_means(design, ["time"])) is None
