"""Adjustments for many comparisons: against statsmodels, and as one registry."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from twolevel.inference.adjustments import ADJUSTMENTS, Adjustment, Differences, adjusted
from twolevel.pipeline.config.check import json_schema


@pytest.mark.parametrize("name", ["holm", "bonferroni"])
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_p_values_are_those_of_statsmodels(name, p):
    p = np.array(p)
    ours = ADJUSTMENTS[name].p_values(Differences(p, p, p, 3))
    with patch("gc.collect"):  # or it goes through all that is in memory for every example
        theirs = multipletests(p, method=name)[1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-15)


def test_the_config_knows_every_adjustment():
    text = str(json_schema())
    assert all(f"'{name}'" in text for name in ADJUSTMENTS)


def test_another_adjustment_is_one_entry(monkeypatch):
    sidak = Adjustment(
        lambda tests: 1 - (1 - tests.p) ** len(tests.p),
        lambda tests, alpha: np.full(len(tests.p), 2.5),
        "Šidák",
        "p values and intervals adjusted by Šidák's method",
    )
    monkeypatch.setitem(ADJUSTMENTS, "sidak", sidak)
    table = pd.DataFrame(
        {"estimate": [1.0, 2.0], "se": [1.0, 1.0], "t": [1.0, 2.0], "df": [9.0, 9.0]}
        | {"p": [0.3, 0.01], "ci_low": [0.0, 0.0], "ci_high": [0.0, 0.0]}
    )
    result = adjusted(table, "sidak", 2)
    np.testing.assert_allclose(result["p"], multipletests(table["p"], method="sidak")[1])
    np.testing.assert_allclose(result["ci_high"], [3.5, 4.5])


def test_an_unknown_name_is_told_with_those_that_there_are():
    table = pd.DataFrame({"p": [0.1]})
    with pytest.raises(ValueError, match="found 'hom', expected 'holm', 'tukey', 'bonferroni' or"):
        adjusted(table, "hom", 2)
