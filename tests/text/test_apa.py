"""Numbers as papers report them: against examples of the APA's Publication Manual, and by value."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twolevel.text.apa import (
    F_test,
    decimals_of,
    degrees,
    fixed,
    interval,
    p_cell,
    p_relation,
    share,
    t_test,
)


def test_tests_are_written_as_papers_have_them():
    assert F_test(2.897, 1, 18.0, 0.10599) == "F(1, 18) = 2.90, p = .106"
    assert F_test(12.861, 1.3064, 41.3657, 0.0003) == "F(1.31, 41.37) = 12.86, p < .001"
    assert t_test(-1.704, 84.0000000000002, 0.0921) == "t(84) = −1.70, p = .092"
    assert F_test(0.0, 3, None, None) == "F(3, –) = 0.00, p –"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, ".50"), (-0.05, "−.05"), (1, "1.00"), (-1, "−1.00"), (0, ".00"), (0.999, "1.00")],
)
def test_what_lies_within_one_has_no_zero_before_its_point(value, text):
    assert share(value) == text


def test_no_value_is_a_dash_and_no_zero_negative():
    assert fixed(None) == share(math.nan) == degrees(None) == p_cell(None) == "–"
    assert fixed(-0.001) == "0.00"
    assert (fixed(math.inf), fixed(-math.inf)) == ("∞", "−∞")
    assert interval(fixed(-1.2), fixed(3.456)) == "[−1.20, 3.46]"


@given(st.floats(0, 1))
def test_a_p_value_is_neither_0_nor_1(p):
    text = p_relation(p)
    relation, number = text.split(" ")
    assert number[0] == "."
    assert Decimal(".001") <= Decimal(number) <= Decimal(".999")
    assert {"<": p < 0.001, ">": p > 0.999, "=": abs(float(number) - p) <= 0.00050001}[relation]
    assert p_cell(p) == (number if relation == "=" else text)


@given(st.floats(1e-9, 1e9))
def test_decimals_show_two_digits_of_the_spread(spread):
    decimals = decimals_of(spread)
    assert decimals >= 2 or spread >= 1000
    assert spread * 10**decimals >= 9.99
    assert decimals == 2 or spread * 10**decimals < 100.01 or spread >= 1000


def test_without_spread_there_are_two_decimals():
    assert decimals_of(0.0) == decimals_of(math.nan) == 2
