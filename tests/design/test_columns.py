"""Columns as factors: levels in pandas' order and of its type, whatever was seen before."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from twolevel.design.columns import factor_or_number, subjects_of

# Levels that are equal and are not the same: 1 and 1.0, of other sizes, text of two types.
TYPES = {"int64": [2, 0, 1], "int8": [2, 0, 1], "float64": [2.0, 0.0, 1.0]}
TEXTS = {"object": ["2", "0", "1"], "str": ["2", "0", "1"]}


def assert_same(found, values):
    """A factor has the levels and codes that pandas finds in values."""
    expected = pd.Categorical(values)
    pd.testing.assert_index_equal(found.categories, expected.categories)
    assert list(found.codes) == list(expected.codes)


@given(st.sampled_from(sorted(TYPES | TEXTS)), st.lists(st.integers(0, 2), min_size=1, max_size=9))
def test_a_factor_is_pandas_whatever_was_seen_before(kind, which):
    levels = (TYPES | TEXTS)[kind]
    values = pd.Series([levels[k] for k in which], dtype=kind)
    found = factor_or_number(values, "x", as_factor=True)
    assert_same(found, values)


def test_a_factor_of_many_levels_is_kept_by_nobody_and_the_same():
    values = pd.Series([f"{k:03d}" for k in range(999, -1, -1)])
    found = factor_or_number(values, "x", as_factor=True)
    assert_same(found, values)


@given(st.sampled_from(sorted(TYPES | TEXTS)))
def test_subjects_keep_the_type_of_their_column(kind):
    values = pd.Series((TYPES | TEXTS)[kind], dtype=kind)
    pd.testing.assert_index_equal(subjects_of(values, "id")[1], pd.Index(values, name="subject"))
