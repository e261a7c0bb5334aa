"""What is said of subjects' own effects by two stages."""

from dataclasses import replace

import pytest
from test_headline import study

from twolevel.findings.varying.of_own_effects import effects_in_words, own_effects
from twolevel.summaries.two_stage_summary import EffectCovarianceSummary, OwnEffectsSummary


class Stage:
    """A summary of which only the own effects are looked at."""

    def __init__(self, own):
        self.own = own


STRATUM = {
    "grp": "id:dose",
    "df": 9,
    "mean_square": 8.0,
    "per_level": 2.0,
    "raw": 4.0,
    "sampling": 1.0,
    "corrected": 3.0,
}


def found(strata=(), n_estimable=10, effects=("(Intercept)", "day_1"), proper=True, slopes=3.0):
    q = len(effects)
    level1 = OwnEffectsSummary(
        effects=list(effects),
        n_estimable=n_estimable,
        df_level2=9,
        sampling_covariance=[[0.0] * q] * q,
        sigma_within=1.0,
        df_resid=80,
        strata=list(strata),
    )
    matrix = [[16.0, 1.0], [1.0, 4.0]]
    level2 = EffectCovarianceSummary(
        effects=list(effects),
        means=[250.0, 10.0][:q],
        raw=[row[:q] for row in matrix[:q]],
        sampling=[row[:q] for row in [[2.0, -0.5], [-0.5, 1.0]][:q]],
        corrected=[row[:q] for row in [[14.0, 1.5], [1.5, slopes]][:q]],
        proper=proper,
    )
    return replace(study(), level1=Stage(level1), two_stage=Stage(level2))


def test_variances_then_covariances():
    said = own_effects(found(strata=[STRATUM]))
    assert [(row.said, row.raw, row.sampling, row.corrected) for row in said.variances] == [
        ("variance of intercepts", 16.0, 2.0, 14.0),
        ("variance of slopes of day\\_1", 4.0, 1.0, 3.0),
        ("variance of effects of dose", 4.0, 1.0, 3.0),
        ("covariance of intercepts and slopes of day\\_1", 1.0, -0.5, 1.5),
    ]
    assert said.improper is None
    assert said.said == (
        "The estimates of subjects’ own intercepts average 250.0 (standard deviation 4.00) and "
        "slopes of day\\_1 average 10.00 (standard deviation 2.00)."
    )


def test_subjects_that_cannot_tell_are_counted():
    assert "observations of 2 subjects cannot tell" in own_effects(found(n_estimable=8)).said
    assert "cannot tell" not in own_effects(found()).said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"slopes": -3.0, "proper": False}, "corrected variance of slopes of day\\_1 is below 0"),
        ({"proper": False}, "ask for a correlation beyond ±1"),
    ],
)
def test_what_no_effects_can_have_is_said(changes, expected):
    assert expected in own_effects(found(**changes)).improper


def test_means_alone_have_nothing_to_add():
    assert own_effects(replace(study(), level1=Stage(None), two_stage=Stage(None))) is None


def test_effects_are_called_by_what_they_are():
    assert effects_in_words(["(Intercept)"]) == ["means"]
    assert effects_in_words(["(Intercept)", "day", "dose[T.high]"]) == [
        "intercepts",
        "slopes of day",
        "effects of dose[T.high]",
    ]
