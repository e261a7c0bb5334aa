"""The first few subjects, one after another."""

import numpy as np
import pandas as pd
import pytest

import twolevel as tl
from twolevel.levels.first_subjects import first_subjects


def table():
    """Subject a lacks a condition; each has two rows of dose in each of the others."""
    rng = np.random.default_rng(1)
    rows = [
        (who, time, dose, rng.normal() + k)
        for k, who in enumerate("abcde")
        for time in "uvw"
        for dose in ("low", "high")
        if (who, time) != ("a", "w")
    ]
    return pd.DataFrame(rows, columns=["id", "time", "dose", "y"])


def found(formula, data):
    ours = data.rename(columns={"id": "subject", "time": "condition", "y": "response"})
    return first_subjects(ours, data, tl.fit_subjects(formula, data, "id", "time"))


def test_they_are_the_first_of_those_seen_under_the_most_conditions():
    data = table()
    first = found("y ~ time + dose + (1 | id)", data)
    assert [each["subject"] for each in first] == ["b", "c", "d"]
    ours = data.rename(columns={"id": "subject", "time": "condition", "y": "response"})
    assert tl.describe_design(ours).one_subject.subject == "b"
    for each in first:
        rows = each["rows"]
        own = data[data["id"] == each["subject"]]
        np.testing.assert_allclose(rows["fitted"] + rows["residual"], own["y"])
        assert each["own"] == each["nested"] == {}
    # Balanced but for a: each mean is the subject's own, and residuals sum to 0.
    assert first[0]["subject_mean"] == pytest.approx(data.query("id == 'b'")["y"].mean())


def test_own_effects_of_levels_are_by_level():
    """As deviations of the subject's own level means from what all share."""
    data = table().query("id != 'a'")
    first = found("y ~ time * dose + (1 | id) + (1 | id:time)", data)[0]
    own = data.query("id == 'b'").groupby("time")["y"].mean()
    shared = data.groupby("time")["y"].mean()
    expected = (own - own.mean()) - (shared - shared.mean())
    assert first["nested"]["id:time"] == pytest.approx(expected.to_dict())
    assert first["own"]["(Intercept)"] == pytest.approx(own.mean())
