"""What is said of the fitted model: whether subjects differ at all, and what is explained."""

import pytest
from example_summaries import MIXED
from test_headline import study

from twolevel.findings.of_fit import (
    boundary_refits,
    how_much_is_explained,
    whether_subjects_differ,
)

TEST = MIXED["between_variance"]


@pytest.mark.parametrize("statistic", [0.0, 3.0])
def test_a_statistic_of_0_says_nothing_against_equal_subjects(statistic):
    claims = whether_subjects_differ(study(between_variance=TEST | {"statistic": statistic}))
    assert (len(claims) == 1) == (statistic == 0)
    assert ("say nothing" in claims[0].said) == (statistic == 0)


def test_the_level_decides_whether_subjects_differ():
    weak = {"between_variance": TEST | {"statistic": 2.0, "p": 0.07}}
    last = whether_subjects_differ(study(**weak))[-1]
    assert last.said.startswith("The data do not clearly show that subjects differ; nor do they")
    assert "$\\sigma_b$, 4.00, says." in last.said
    assert last.clear is False
    assert whether_subjects_differ(study(**weak, level=0.9))[-1].said == (
        "The data show differences between subjects."
    )


def test_the_mean_is_worth_as_many_independent_observations_as_its_variance_says():
    """Of n subjects with m each: sigma_b^2 / n + sigma_w^2 / (n m), by the variance of one."""
    icc, n, m = 0.8, 10, 3
    worth = 1 / (icc / n + (1 - icc) / (n * m))
    shares, alike = how_much_is_explained(study(icc=icc, design_effect=1 + (m - 1) * icc))
    assert alike.numbers["worth"] == pytest.approx(worth)
    assert "the plain mean of all 30 observations is as uncertain as that of 11.5 " in alike.said
    assert "account for 20.0 % of the variance (marginal" in shares.said
    assert "together for 80.0 %" in shares.said


def test_without_effects_subjects_explain_all_that_is_explained():
    shares, alike = how_much_is_explained(study(anova=[], boundary=True, design_effect=1.0))
    assert shares.said.startswith("There are no fixed effects besides the mean; subjects account")
    assert alike.said.startswith("The design effect is 1: ")


@pytest.mark.parametrize(("at_zero", "words"), [(0, "not one gave"), (1_000, "1,000 gave")])
def test_boundary_fits_by_chance_are_counted(at_zero, words):
    drawn = {"refits": 10_000, "boundary_refits": at_zero, "seed": 1}
    claim = boundary_refits(study(bootstrap=drawn))
    assert claim.said.startswith(f"Of 10,000 data sets simulated from the fitted model, {words} an")
    assert claim.numbers == {"share": at_zero / 10_000}
    assert ("chance alone" in claim.said) == bool(at_zero)
