"""What is said that one subject's data support, and what the model makes of it."""

from typing import get_args

import example_summaries
import pytest

from twolevel.findings.varying.of_support import support
from twolevel.random.support_reasons import Reason


def candidate(*factors, number=None, reason=None, subjects=10):
    term = ":".join(filter(None, [number, *factors]))
    return {
        "term": term,
        "number": number,
        "factors": list(factors),
        "subjects": subjects,
        "reason": reason,
    }


def found(random, supported, *candidates, pooled=False):
    able = {"random": supported, "n_subjects": 10, "candidates": list(candidates)}
    part = {
        "random": random,
        "intercept_only": random == "(1 | id)",
        "own_coefficients": 2,
        "own_fitted": [],
    }
    return support(example_summaries.design(random_part=part | {"supported": able}), pooled)


def test_the_lectures_design_supports_a_mean_and_no_more():
    said = support(example_summaries.design(), pooled=False)
    assert not said.more
    assert said.supported == ["**a mean**, as every subject does"]
    assert said.unsupported == [
        "an effect of each level of time: with one observation in each, it would repeat the data "
        "and leave no error"
    ]
    assert said.said == (
        "The model gives each subject what the data support, and no more: `(1 | id)`. All other "
        "effects must be shared: the data constrain us."
    )


def test_an_own_line_and_own_effects_of_cells():
    part = "(1 + day | id) + (1 | id:dose)"
    said = found(part, part, candidate(number="day", subjects=9), candidate("dose"))
    assert said.more
    assert said.supported[1:] == [
        "**a slope of day**: 9 of 10 subjects have three different values or more",
        "**an effect of each level of dose**: 10 of 10 subjects saw a level several times",
    ]
    assert said.said.endswith(f"and no more: `{part}`.")


def test_what_is_left_out_is_said():
    able = candidate("dose", number="day")
    said = found("(1 | id)", "(1 + day | id:dose)", able, pooled=True)
    assert said.supported[1].startswith("**a slope of day in each level of dose**")
    assert said.said == (
        "The model has `(1 | id)`, where the data support `(1 + day | id:dose)`. What is left out "
        "of that is part of the residuals here."
    )


def test_a_model_that_has_all_of_it_by_other_terms_leaves_nothing_to_residuals():
    said = found("(0 + dose | id)", "(1 | id) + (1 | id:dose)", candidate("dose"))
    assert said.said.endswith(": subjects may differ in all of that here, too.")


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_words(reason):
    said = found("(1 | id)", "(1 | id)", candidate("a", "b*", reason=reason))
    assert said.unsupported[0].startswith("an effect of each combination of levels of a and b\\*: ")
    assert not said.more
