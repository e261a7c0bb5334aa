"""Counts of designs, and what one subject's data support."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from random_designs import unbalanced

import twolevel as tl
from twolevel.levels.describe import describe_random_part
from twolevel.random.mixed_design import mixed_design


def canonical(data: pd.DataFrame) -> pd.DataFrame:
    return data.rename(columns={"id": "subject", "time": "condition", "y": "response"})


@examples(50)
@given(data=unbalanced)
def test_counts_are_those_of_a_cross_table(data):
    design = tl.describe_design(canonical(data))
    cells = pd.crosstab(data["id"], data["time"], dropna=False).to_numpy()
    assert design.n_subjects == len(cells)
    assert design.n_observations == cells.sum() == len(data)
    assert design.per_cell == (cells.min(), cells.max())
    assert design.per_subject == (cells.sum(axis=1).min(), cells.sum(axis=1).max())
    assert design.empty_cells == (cells == 0).sum()
    assert design.repeated_cells == (cells > 1).sum()
    assert design.incomplete_subjects == (cells == 0).any(axis=1).sum()
    assert list(design.per_condition.values()) == cells.sum(axis=0).tolist()
    assert design.balanced == (cells.min() == cells.max())
    complete = (cells > 0).all(axis=1)
    assert design.complete == {
        "n_subjects": complete.sum(),
        "n_observations": cells[complete].sum(),
    }
    assert list(design.seen_under.values()) == (cells > 0).sum(axis=0).tolist()
    assert design.single_subjects == (cells.sum(axis=1) == 1).sum()


@examples(50)
@given(data=unbalanced)
def test_patterns_hold_every_subject_and_the_frequent_come_first(data):
    patterns = tl.describe_design(canonical(data)).patterns
    cells = pd.crosstab(data["id"], data["time"], dropna=False)
    often = cells.value_counts()
    assert patterns.n_subjects.tolist() == often.tolist()[: len(patterns.n_subjects)]
    for counts, n in zip(patterns.counts, patterns.n_subjects, strict=True):
        assert often[tuple(counts)] == n
    assert (patterns.rest, patterns.rest_subjects) == (
        max(len(often) - 12, 0),
        often.iloc[12:].sum(),
    )


def test_patterns_beyond_twelve_are_counted():
    rows = [(i, j) for i in range(1, 16) for j in range(4) if i >> j & 1]
    data = pd.DataFrame(rows, columns=["subject", "condition"]).assign(response=1.0)
    patterns = tl.describe_design(data).patterns
    assert (len(patterns.n_subjects), patterns.rest, patterns.rest_subjects) == (12, 3, 3)


def test_replicates_leave_one_subject_something_to_estimate():
    data = pd.DataFrame(
        {
            "subject": ["a"] * 4 + ["b"] * 2,
            "condition": ["x", "x", "y", "y", "x", "y"],
            "response": [1.0, 3.0, 5.0, 9.0, 2.0, 4.0],
        }
    )
    one = tl.describe_design(data).one_subject
    assert (one.subject, one.df_condition, one.saturated) == ("a", 2, False)
    assert one.sd_condition == pytest.approx(((2 + 8) / 2) ** 0.5)
    assert one.intercept == 4.5


def test_the_subject_with_most_conditions_is_looked_at():
    data = pd.DataFrame(
        {"subject": ["a", "b", "b"], "condition": ["x", "x", "y"], "response": [1.0, 2.0, 3.0]}
    )
    assert tl.describe_design(data).one_subject.subject == "b"


def test_a_single_observation_has_no_standard_error():
    data = pd.DataFrame({"subject": ["a"], "condition": ["x"], "response": [1.0]})
    one = tl.describe_design(data).one_subject
    assert one.intercept_se is None
    assert one.df_intercept == 0


def test_numeric_conditions_are_sorted():
    data = pd.DataFrame(
        {"subject": list("aabb"), "condition": [10.0, 2.0, 10.0, 2.0], "response": range(4)}
    ).astype({"response": float})
    assert tl.describe_design(data).conditions == (2.0, 10.0)


@pytest.mark.parametrize(
    ("bars", "coefficients"),
    [("(1 | id)", 1), ("(1 + x | id)", 2), ("(1 | id) + (1 | id:time)", 3)],
)
def test_what_is_random_and_what_could_be(bars, coefficients):
    data = pd.DataFrame(
        {"id": list("aaaaaabbbbbb"), "time": list("uvw" * 4), "x": [0.0, 1, 2, 3, 4, 5] * 2}
    ).assign(y=[1.0, 3, 2, 5, 4, 6, 2, 2, 5, 3, 9, 7])
    design, random = mixed_design(f"y ~ x + {bars}", data, "id", "sum")
    one = tl.describe_design(canonical(data)).one_subject
    part = describe_random_part(design, random, one)
    assert part.own_coefficients == coefficients
    # Against least squares by the formula's own columns of the subject's six rows.
    rows = data[:6]
    columns = {1: [np.ones(6)], 2: [np.ones(6), rows["x"]]}.get(
        coefficients, [rows["time"] == level for level in "uvw"]
    )
    Z = np.column_stack(columns).astype(float)
    expected = Z @ np.linalg.lstsq(Z, rows["y"].to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(part.own_fitted, expected)
    assert part.intercept_only == (bars == "(1 | id)")
    assert part.random == bars
    assert part.summary()["supported"]["random"] == "(1 + x | id)"
