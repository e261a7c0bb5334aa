"""What is random, as it makes rows and the means of cells vary: against Z Psi Z' written out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twolevel as tl
from twolevel.levels.checks.implied_covariance import implied_covariance
from twolevel.levels.random_spread import random_sd

DATA = Path(__file__).parents[1] / "data"
SLEEP = pd.read_csv(DATA / "sleepstudy.csv").rename(columns={"condition": "day", "subject": "id"})
TRIALS = pd.read_csv(DATA / "cases/trials_two_within.csv")


def of_slopes(fit, days):
    """The covariance of what is random in rows at these days."""
    Z = np.column_stack([np.ones(len(days)), days])
    return Z @ fit.cov_random.to_numpy() @ Z.T


@pytest.mark.parametrize("shift", [0, 1e6])
def test_slopes_of_subjects_own(shift):
    data = SLEEP.assign(day=SLEEP["day"] + shift)
    fit = tl.fit_mixed("y ~ day + (1 + day | id)", data)
    days = np.arange(10.0)
    at_origin = tl.fit_mixed("y ~ day + (1 + day | id)", SLEEP)
    of_random = of_slopes(at_origin, days)
    np.testing.assert_allclose(random_sd(fit)[:10], np.sqrt(np.diag(of_random)), rtol=1e-6)
    found = implied_covariance(fit, "day")
    expected = of_random + fit.sigma_within**2 * np.eye(10)
    np.testing.assert_allclose(found.implied, expected, rtol=1e-6)


def test_strata_add_within_their_levels_and_cells_share_them():
    fit = tl.fit_mixed("rt ~ mood * flanker + (1 | subj) + (1 | subj:mood)", TRIALS)
    between, own = fit.varcorr["vcov"][:2]
    np.testing.assert_allclose(random_sd(fit), np.sqrt(between + own), rtol=1e-9)
    for variable, share in (("mood", np.eye(2)), ("flanker", np.full((2, 2), 0.5))):
        found = implied_covariance(fit, variable)
        J = len(found.levels)
        assert J == 2
        error = fit.sigma_within**2 / found.per_cell * np.eye(J)
        np.testing.assert_allclose(found.implied, between + own * share + error, rtol=1e-2)


def test_levels_that_no_subject_met_both_have_what_an_average_subject_would():
    data = pd.read_csv(DATA / "cases/disconnected.csv")
    fit = tl.fit_mixed("y ~ time", data, "id")
    implied = implied_covariance(fit, "time").implied.to_numpy()
    off = implied[~np.eye(len(implied), dtype=bool)]
    np.testing.assert_allclose(off, fit.sigma_between**2, rtol=1e-12)
