"""What leaving out single subjects does to the tests of a model."""

import numpy as np
import pandas as pd
import pytest

import twolevel as tl
from twolevel.levels import left_out


def table(subjects=8, seed=1, outlier=0.0):
    """Two conditions that differ by little, and one subject of whom they differ by more."""
    rng = np.random.default_rng(seed)
    who, x = np.indices((subjects, 4)).reshape(2, -1)
    y = rng.normal(size=subjects)[who] + rng.normal(0, 0.5, len(who)) + 0.5 * (x % 2)
    y = y + outlier * ((who == 3) & (x % 2 == 1))
    return pd.DataFrame({"id": who, "x": np.array(["u", "v"])[x % 2], "y": y})


def without_each(data, formula="y ~ x + (1 | id)"):
    fit = tl.fit_mixed(formula, data, "id")
    return fit, left_out.tests_without_subjects(fit, fit.influence(), 0.95)


def test_tests_are_those_of_fits_to_the_other_subjects():
    data = table()
    _, found = without_each(data)
    refitted = [
        tl.fit_mixed("y ~ x + (1 | id)", data[data["id"] != who], "id").anova()["p"].iloc[0]
        for who in range(8)
    ]
    (test,) = found["tests"]
    assert found["refits"] == 8
    assert (test["low"], test["high"]) == pytest.approx((min(refitted), max(refitted)))


def test_a_conclusion_that_rests_on_one_subject_is_found():
    fit, found = without_each(table(outlier=-3.0))
    (test,) = found["tests"]
    assert fit.anova()["p"].iloc[0] > 0.05
    assert test["low"] < 0.05
    assert "3" in test["changed"]
    assert without_each(table(20))[1]["tests"][0]["changed"] == []


def test_of_many_subjects_those_are_left_out_that_move_effects_most(monkeypatch):
    monkeypatch.setattr(left_out, "_MOST_REFITTED", 2)
    _, found = without_each(table(outlier=-3.0))
    assert found["refits"] == 2
    assert "3" in found["tests"][0]["changed"]


def test_without_terms_there_is_nothing_to_test():
    assert without_each(table(), "y ~ 1")[1] == {"refits": 0, "tests": []}
