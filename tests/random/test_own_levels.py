"""Levels that each subject has of a grouping factor, against a count by hand."""

import numpy as np
import pandas as pd
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from twolevel.random.own_levels import OwnLevels

rows = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("pqr"), st.sampled_from("uvw")), min_size=1
)


@examples(100)
@given(rows, rows)
def test_levels_are_counted_within_subjects_in_their_order(known, new):
    table = pd.DataFrame(known, columns=["subject", "a", "b"])
    codes, subjects = pd.factorize(table["subject"])
    factors = {name: pd.Categorical(table[name], list("uvwpqr")) for name in "ab"}
    own, levels = OwnLevels.of(codes, len(subjects), factors)

    order = "uvwpqr".index
    expected = {}
    for subject in subjects:
        cells = {(a, b) for s, a, b in known if s == subject}
        ranked = sorted(cells, key=lambda cell: (order(cell[0]), order(cell[1])))
        expected |= {(subject, *cell): k for k, cell in enumerate(ranked)}
    assert levels.tolist() == [expected[row] for row in known]
    assert own.count == len(expected)
    assert own.most == levels.max() + 1

    other = pd.DataFrame(new, columns=["subject", "a", "b"])
    found = own.positions(
        subjects.get_indexer(other["subject"]), {name: pd.Categorical(other[name]) for name in "ab"}
    )
    assert found.tolist() == [expected.get(row, -1) for row in new]


def test_many_combinations_take_no_room():
    codes = np.arange(1000)
    sparse = pd.Categorical.from_codes(codes[::-1], [f"l{k}" for k in codes])
    own, levels = OwnLevels.of(codes, 1000, {"a": sparse, "b": sparse})
    assert own.count == 1000
    assert not levels.any()
