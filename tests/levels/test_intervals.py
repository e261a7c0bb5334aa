"""How many data sets a page's bootstraps draw: fewer where a fit is dear."""

from pathlib import Path

import pandas as pd
import pytest

import twolevel as tl
from twolevel.levels.intervals import affordable

STRATA = Path(__file__).parents[1] / "data/strata"


@pytest.fixture(scope="module")
def seven_variances():
    """A table of three factors within subjects, whose fits take a hundred times those of one."""
    data = pd.read_csv(STRATA / "three_within.csv")
    return tl.fit_mixed("y ~ a * b * c", data, "id")


def test_many_variances_take_fewer_data_sets(seven_variances):
    assert len(seven_variances.variances) == 8
    assert affordable(seven_variances, 10_000) < 1_000
    assert affordable(seven_variances, 100) == 200  # of fewer, quantiles would say nothing


def test_a_fit_that_costs_little_has_all():
    data = pd.read_csv(STRATA / "two_by_two.csv")
    fit = tl.fit_mixed("y ~ a * b", data, "id")
    assert affordable(fit, 10_000) == 10_000
    assert affordable(fit, 10_000, fits=50) < 10_000


def test_a_variance_of_0_takes_no_draws(seven_variances):
    """Its p is 1 by definition: with a single refit it would be 0 or 1, and here is exact."""
    tests = seven_variances.test_variances(refits=1)
    zero = tests[tests["statistic"] == 0]
    assert len(zero)
    assert (zero["p"] == 1).all()
