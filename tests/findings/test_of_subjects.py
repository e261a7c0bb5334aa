"""What is said of single subjects: how predictions shrink, and what changes without one."""

from dataclasses import replace

import example_summaries
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_headline import study

from twolevel.findings.of_subjects import influence, shrinkage

FIRST = {
    "subject": "s_4",
    "cooks_distance": 0.25,
    "change_sigma_between": -0.5,
    "change_sigma_within": 0.0,
    "change_icc": 0.0,
}


def left_out(subjects, not_estimable):
    """What is known without single subjects, of which none was refitted."""
    return {"subjects": subjects, "not_estimable": not_estimable, "refits": 0, "tests": []}


@given(st.floats(1e-3, 1e3), st.integers(1, 20), st.integers(0, 20))
def test_a_mean_is_kept_by_its_reliability(ratio, fewest, more):
    """sigma_b^2 / (sigma_b^2 + sigma_w^2 / n), with sigma_w = 1."""
    per_subject = [fewest, fewest + more]
    found = replace(study(lambda_=ratio), design=example_summaries.design(per_subject=per_subject))
    claim = shrinkage(found)
    kept = [ratio / (ratio + 1 / n) for n in per_subject]
    assert [claim.numbers["least"], claim.numbers["largest"]] == pytest.approx(kept)
    assert ("for every subject" in claim.said) == (more == 0)


def test_at_the_boundary_nothing_is_kept():
    claim = shrinkage(study(lambda_=0.0, boundary=True))
    assert claim.said == "Here this factor is 0: all predictions are 0."
    assert claim.numbers["largest"] == 0


def test_the_subject_whose_absence_changes_most_is_named_with_what_it_changes():
    (claim,) = influence(study(influence=left_out([FIRST], 0)))
    assert claim.said == (
        "The fixed effects change most without subject s\\_4 (Cook's distance 0.250). Without it, "
        "$\\hat\\sigma_b$ is 1.50 instead of 2.00, and $\\hat\\sigma_w$ remains 1.00."
    )


def test_variances_that_are_not_known_without_it_are_left_unsaid():
    unknown = FIRST | {"change_sigma_between": None, "change_sigma_within": None}
    (claim,) = influence(study(influence=left_out([unknown], 0)))
    assert claim.said.endswith("(Cook's distance 0.250).")


@pytest.mark.parametrize(("needed", "rests"), [(1, "on it alone"), (3, "on each of them alone")])
def test_subjects_without_which_nothing_can_be_fitted_are_counted(needed, rests):
    (claim,) = influence(study(influence=left_out([], needed)))
    assert claim.said.startswith(f"Without {needed} subject")
    assert rests in claim.said
