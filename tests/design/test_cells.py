"""Models of factors alone: held and summed by cells, with the numbers that single rows give."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import balanced, table, unbalanced

import twolevel as tl
from twolevel.design.cells import Cells
from twolevel.design.design_matrix import design_matrix
from twolevel.mixed import fit_design
from twolevel.random.term_source import subject_intercept

FORMULAS = st.sampled_from(["y ~ time", "y ~ 0 + time", "y ~ 1", "y ~ time * group", "y ~ group"])


def agree(one, other):
    scale = np.abs(one.design.response).max() * 1e-13
    np.testing.assert_allclose(other.params, one.params, rtol=1e-10, atol=1e3 * scale)
    np.testing.assert_allclose(other.bse, one.bse, rtol=1e-10)
    np.testing.assert_allclose(other.sigma_within, one.sigma_within, rtol=1e-11)
    np.testing.assert_allclose(
        other.sigma_between, one.sigma_between, rtol=1e-9, atol=1e-6 * one.sigma_within
    )
    np.testing.assert_allclose(other.llf, one.llf, rtol=1e-11, atol=1e-9)
    pd.testing.assert_frame_equal(
        other.random_effects, one.random_effects, rtol=1e-8, atol=1e-6 * one.sigma_within
    )


@examples(60)
@given(balanced | unbalanced, FORMULAS, st.booleans(), st.sampled_from([0.0, 1e6]))
def test_cells_give_what_rows_give(data, formula, shuffle, offset):
    data = data.assign(y=data["y"] + offset)
    if shuffle:
        data = data.sample(frac=1, random_state=1)
    design = design_matrix(formula, data, "id")
    assert len(design.cells.X) < len(data)
    rows = replace(design, cells=Cells(design.X, None, np.ones(len(data))))
    for method in ("REML", "ML"):
        agree(
            fit_design(rows, subject_intercept(rows), method),
            fit_design(design, subject_intercept(design), method),
        )


def test_many_patterns_are_summed_by_rows(monkeypatch):
    data = table(seed=3, subjects=12, conditions=4, missing=0.3, ratio=1.0)
    by_cells = tl.fit_mixed("y ~ time * group", data, "id")
    monkeypatch.setattr("twolevel.design.moments._MANY", 0)
    agree(tl.fit_mixed("y ~ time * group", data, "id"), by_cells)


def test_patterns_with_many_cells_are_told_apart():
    """More cells than digits of a number: 70 of them, each seen or not."""
    generator = np.random.default_rng(1)
    seen = generator.random((30, 70)) < 0.8
    subject, item = np.nonzero(seen)
    y = generator.normal(size=30)[subject] + generator.normal(size=len(subject))
    data = pd.DataFrame({"y": y, "id": subject, "item": item.astype(str)})
    design = design_matrix("y ~ item", data, "id")
    patterns, which = design.subject_rows.patterns(design.cells)
    assert len(patterns) == 30
    order = [int(name) for name in sorted(map(str, range(70)))]
    np.testing.assert_array_equal(patterns[which], seen[:, order])
    rows = replace(design, cells=Cells(design.X, None, np.ones(len(data))))
    agree(
        fit_design(rows, subject_intercept(rows), "REML"),
        fit_design(design, subject_intercept(design), "REML"),
    )


def test_combinations_that_no_one_was_seen_in_have_no_row():
    data = table(seed=3, subjects=12, conditions=3, missing=0.0, ratio=1.0)
    first, group = data["time"].cat.categories[0], data["group"].iloc[0]
    data = data[(data["time"] != first) | (data["group"] != group)]
    design = design_matrix("y ~ time + group", data, "id")
    counts = data.groupby(["time", "group"], observed=True).size()
    assert design.cells.weights.tolist() == counts.tolist()
    rows = replace(design, cells=Cells(design.X, None, np.ones(len(data))))
    agree(
        fit_design(rows, subject_intercept(rows), "REML"),
        fit_design(design, subject_intercept(design), "REML"),
    )


def test_numbers_are_not_taken_for_cells():
    data = table(seed=3, subjects=12, conditions=4, missing=0.0, ratio=1.0)
    assert design_matrix("y ~ time + age", data, "id").cells.codes is None
    assert design_matrix("y ~ time + center(age)", data, "id").cells.codes is None


class TestArrays:
    """Arrays in long form are a table with a factor."""

    @examples(40)
    @given(balanced | unbalanced, st.booleans())
    def test_they_give_what_the_table_gives(self, data, shuffle):
        if shuffle:
            data = data.sample(frac=1, random_state=1)
        codes, _ = pd.factorize(data["id"])
        conditions = data["time"].cat.codes.to_numpy()
        time = pd.Categorical.from_codes(conditions, [str(j) for j in range(conditions.max() + 1)])
        frame = pd.DataFrame({"response": data["y"], "condition": time, "id": codes})
        for method in ("REML", "ML"):
            fit = tl.fit_arrays(data["y"].to_numpy(), codes, conditions, method)
            other = tl.fit_mixed("response ~ condition", frame, "id", method)
            agree(other, fit)
            assert fit.params.index.equals(other.params.index)
        pd.testing.assert_frame_equal(
            fit.means("condition", "asymptotic"), other.means("condition", "asymptotic"), rtol=1e-9
        )

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"response": [1.0, 2, np.nan, 4]}, "response: missing or infinite"),
            ({"response": [1.0, 2, np.inf, 4]}, "response: missing or infinite"),
            ({"response": [1.0, 2]}, "arrays of lengths 2, 4 and 4"),
            ({"subjects": [0, 0, -1, 1]}, "subjects: found int64 values from -1 to 1"),
            ({"subjects": [0.0, 0, 1, 1]}, "subjects: found float64 values"),
            ({"subjects": [0, 0, 2, 2]}, "subjects: found no 1, but 2"),
            ({"conditions": [0, 1, 0, 9]}, "conditions: found int64 values from 0 to 9"),
            ({"conditions": [0, 2, 0, 2]}, "conditions: found no 1, but 2"),
            ({"response": [], "subjects": [], "conditions": []}, "arrays of lengths 0, 0 and 0"),
        ],
    )
    def test_arrays_that_are_not_so_are_refused(self, change, words):
        arrays = {"response": [1.0, 2, 3, 5], "subjects": [0, 0, 1, 1], "conditions": [0, 1, 0, 1]}
        arrays = {name: np.array(values) for name, values in {**arrays, **change}.items()}
        with pytest.raises(tl.InputError, match=words):
            tl.fit_arrays(**arrays)
