"""What is said of the data: who was observed, how evenly, and what is missing."""

from dataclasses import replace

import example_summaries
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_headline import study

from twolevel.findings.of_design import left_out, missing_cells, observed, repeated_cells
from twolevel.findings.results import FEW_LEVELS
from twolevel.summaries.loading_summary import LoadingSummary


def of(**changes):
    """Ten subjects under three levels, with another design."""
    return replace(study(), design=example_summaries.design(**changes))


def plain(said):
    return said.replace("\\", "")


def test_a_balanced_design_is_told_in_full():
    assert plain(observed(of())) == (
        "10 subjects were observed under 3 levels of time (a, b and c): 30 observations of score, "
        "3 from each subject, one in every cell (one subject under one level). The design is "
        "balanced."
    )
    twice = of(per_subject=[6, 6], per_cell=[2, 2], replicated=True, n_observations=60)
    assert "6 from each subject, 2 in every cell" in plain(observed(twice))


def test_all_factors_within_subjects_are_named():
    variables = [
        {"name": "time", "within": True, "levels": ["a", "b", "c"]},
        {"name": "dose", "within": True, "levels": ["low", "high"]},
        {"name": "age", "within": True, "levels": None},
        {"name": "sex", "within": False, "levels": ["f", "m"]},
    ]
    crossed = of(
        per_subject=[6, 6],
        per_cell=[2, 2],
        replicated=True,
        descriptives=example_summaries.DESIGN["descriptives"] | {"variables": variables},
    )
    said = plain(observed(crossed))
    assert "under 3 levels of time (a, b and c) and 2 levels of dose (low and high): " in said
    assert (
        "2 in every cell (one subject under one level of time, whatever the level of dose)." in said
    )


def test_without_a_condition_there_are_no_cells():
    columns = {"subject": "id", "response": "score"}
    said = plain(observed(of(columns=columns, conditions=[], per_subject=[2, 4], balanced=False)))
    assert said == (
        "10 subjects were observed repeatedly: 30 observations of score, between 2 and 4 from a "
        "subject. The design is **not balanced**."
    )


def test_many_levels_are_told_by_the_first_and_the_last():
    levels = [f"t{k}" for k in range(FEW_LEVELS + 1)]
    assert "(t0 to t12)" in plain(observed(of(conditions=levels)))
    assert "(t0, t1, t2" in plain(observed(of(conditions=levels[:-1])))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"empty_cells": 1, "incomplete_subjects": 1}, "30 cells (one subject under one level), 1 "
         "is empty, in 1 subject."),
        ({"empty_cells": 3, "incomplete_subjects": 2, "replicated": True, "per_cell": [0, 4]},
         "3 are empty, in 2 subjects, and the fullest holds 4 observations."),
        ({"per_cell": [1, 4]}, "a cell (one subject under one level) holds between 1 and 4 "),
    ],
)  # fmt: skip
def test_what_is_uneven_is_told(changes, said):
    assert said in plain(observed(of(balanced=False, **changes)))


@given(st.integers(1, 50))
def test_rows_left_out_are_those_that_were_read_and_are_not_observed(rows):
    loading = LoadingSummary(
        rows_read=30 + rows,
        dropped={"score": rows, "time": 1},
        facts={},
        coded={},
        likely_codes=[],
        levels={},
        inputs=[],
    )
    verb = "1 row of 31 was" if rows == 1 else f"{rows} rows of {30 + rows} were"
    said = plain(left_out(of(), loading))
    assert f"{verb} left out because a value is missing" in said
    assert said.endswith(f"(missing: {rows} in score, 1 in time).")


def test_nothing_is_said_of_rows_where_none_is_left_out():
    assert left_out(of(), None) is None


def test_repeated_cells_are_of_those_that_hold_something():
    assert "1 cell of 28 holds more than one row" in repeated_cells(
        of(repeated_cells=1, empty_cells=2)
    )
    assert "2 cells of 30 hold more" in repeated_cells(of(repeated_cells=2))


def test_missing_cells_name_what_complete_subjects_would_leave():
    assert missing_cells(of()) is None
    kept = {"n_subjects": 8, "n_observations": 24}
    said = plain(missing_cells(of(incomplete_subjects=2, single_subjects=1, complete=kept)))
    assert said.startswith("2 subjects were not seen under every level of time (@fig-missingness)")
    assert ", and 1 of these has one observation only." in said
    assert said.endswith("would keep 8 of 10 subjects, and 24 of 30 observations.")
    assert "one observation only" not in missing_cells(of(incomplete_subjects=1))
