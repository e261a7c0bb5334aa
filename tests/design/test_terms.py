"""Terms in words: no code of formulas, and names as the user has them, whatever they hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twolevel.design.design_matrix import design_matrix
from twolevel.design.terms import factors_in_words, made_of, term_in_words


@pytest.mark.parametrize(
    ("term", "variables", "words"),
    [
        ("time", ["time"], "time"),
        ("C(rpm):C(ratio)", ["rpm", "ratio"], "the interaction of rpm and ratio"),
        ("C(rpm, contr.sum):x", ["rpm", "x"], "the interaction of rpm and x"),
        ("a:b:c", ["a", "b", "c"], "the interaction of a, b and c"),
        ("I(dose ** 2)", ["dose"], "dose²"),
        ("I(a * b)", ["a", "b"], "a × b"),
        ("I(dose ** 2):group", ["dose", "group"], "the interaction of dose² and group"),
        ("poly(day, 3)", ["day"], "day (polynomial)"),
        ("bs(day, df=4)", ["day"], "day (spline)"),
        ("center(age):group", ["age", "group"], "the interaction of age (centred) and group"),
        ("scale(log(age))", ["age"], "the logarithm of age (standardised)"),
        ("log(I(dose + 9))", ["dose"], "the logarithm of dose + 9"),
        ("log(dose)", ["dose"], "the logarithm of dose"),
        ("C(`reaction time`)", ["reaction time"], "reaction time"),
        ("`a:b`", ["a:b"], "a:b"),
        ("`a:b`:c", ["a:b", "c"], "the interaction of a:b and c"),
        ("a:b", ["a:b"], "a:b"),
        ("a:b:c", ["a:b", "c"], "the interaction of a:b and c"),
        ("C(x)", ["C(x)"], "C(x)"),
        ("poly(x)", ["poly(x)"], "poly(x)"),
        ("term:Intercept", ["term", "Intercept"], "the interaction of term and Intercept"),
    ],
)
def test_terms_in_words(term, variables, words):
    assert term_in_words(term, variables) == words


@given(st.lists(st.text("ab:()C, `*", min_size=1, max_size=6), min_size=1, max_size=3, unique=True))
def test_names_that_stand_in_a_formula_as_they_are_come_back(names):
    """One name may begin as another does, so that only a single one is sure to be told."""
    assert factors_in_words(names[0], names[:1]) == names[:1]
    quoted = [name for name in names if "`" not in name]
    if quoted == names:
        term = ":".join(f"`{name}`" for name in names)
        assert factors_in_words(term, names) == names


def test_what_terms_are_made_of():
    cells = pd.DataFrame(np.ndindex(4, 2, 3), columns=["id", "a", "day"])
    cells = cells.assign(a=cells["a"].map({0: "u", 1: "v"}), y=np.arange(24) ** 2 % 7)
    terms = made_of(design_matrix("y ~ C(a) * day + I(day ** 2)", cells, "id"))
    assert terms == {
        "C(a)": ["a"],
        "day": ["day"],
        "I(day ** 2)": ["day"],
        "C(a):day": ["a", "day"],
    }
