"""Codes that are looked up are those that formulaic gives the rows themselves."""

import numpy as np
import pandas as pd
import pytest

from twolevel.design import factor_codes as module
from twolevel.design.factor_codes import factor_codes, terms_of
from twolevel.design.variables import Variables

LEVELS = {"a": ["x", "y", "z"], "b": [1, 2], "c": [1.0, 2.0]}


def factors(*names, rows=40):
    generator = np.random.default_rng(1)
    columns = {
        name: pd.Categorical.from_codes(
            generator.integers(len(LEVELS[name]), size=rows), LEVELS[name]
        )
        for name in names
    }
    return Variables(columns, rows)


@pytest.mark.parametrize(
    "formula", ["a", "0 + a", "a * b", "a:b", "C(a, contr.sum) * b", "a * n", "1"]
)
def test_rows_are_those_of_an_evaluation(formula, monkeypatch):
    table = factors(*(name for name in "ab" if name in formula.replace("contr", "")))
    ones = ("n",) if "n" in formula.replace("contr", "") else ()
    looked_up = factor_codes(terms_of(formula), ones, table)
    monkeypatch.setattr(module, "_MOST_CELLS", 0)
    evaluated = factor_codes(terms_of(formula), ones, table)
    assert looked_up.of_cells is not None
    assert evaluated.of_cells is None
    assert looked_up.columns == evaluated.columns
    assert looked_up.terms == evaluated.terms
    np.testing.assert_array_equal(looked_up.of(table), evaluated.of(table))


def test_levels_that_are_equal_and_look_different_keep_their_names():
    whole, real = (Variables({"v": factors(name).columns[name]}, 40) for name in "bc")
    assert factor_codes(terms_of("v"), (), whole).columns == ("Intercept", "v[T.2]")
    assert factor_codes(terms_of("v"), (), real).columns == ("Intercept", "v[T.2.0]")


def test_the_order_of_levels_counts():
    table = factors("a")
    turned = Variables({"a": table.columns["a"].set_categories(["z", "y", "x"])}, table.rows)
    assert factor_codes(terms_of("a"), (), table).columns[1:] == ("a[T.y]", "a[T.z]")
    assert factor_codes(terms_of("a"), (), turned).columns[1:] == ("a[T.y]", "a[T.x]")


def test_what_is_refused_is_refused_again():
    for _ in range(2):
        with pytest.raises(ValueError, match="q"):
            factor_codes(terms_of("C(a, contr.treatment('q'))"), (), factors("a"))
