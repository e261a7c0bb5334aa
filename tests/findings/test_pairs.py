"""Which pairs of levels differ, in words."""

from itertools import combinations

from example_summaries import contrast_row
from hypothesis import given
from hypothesis import strategies as st

from twolevel.findings.pairs import FEW_PAIRS, pairs_that_differ

LEVELS = ["a", "b", "c", "d"]


def rows(levels, estimates, ps):
    pairs = combinations(levels, 2)
    return [
        contrast_row(f"{x} - {y}", e, p) for (x, y), e, p in zip(pairs, estimates, ps, strict=True)
    ]


def said(levels, estimates, ps, clear=True, adjust="holm", level=0.95):
    text = pairs_that_differ(levels, rows(levels, estimates, ps), clear, adjust, level)
    return text and text.replace("\\", "")


def test_of_two_levels_the_difference_is_told():
    assert (
        said(["a", "b"], [2.5], [0.2])
        == "The difference a - b is 2.500 (95 % interval 1.500 to 3.500)."
    )


def test_all_none_and_some():
    assert (
        said("abc", [1, 2, 3], [0.01] * 3)
        == "All 3 pairs of levels differ (Holm-adjusted p < .05)."
    )
    assert said("abc", [1, 2, 3], [0.5] * 3).startswith(
        "No pair of levels differs clearly by itself"
    )
    assert said("abc", [1, 2, 3], [0.5] * 3, clear=False) is None
    assert said("abc", [1, -2, 3], [0.01, 0.01, 0.5], adjust="none") == (
        "Pairs that differ (p < .05, not adjusted): a above b and c above a; the other is not "
        "told apart."
    )
    assert said("abc", [1, 2, 3], [0.01, 0.5, 0.5], clear=False).startswith(
        "Single pairs can still be told"
    )


def test_a_pair_without_a_test_differs_from_nothing():
    assert "a above b" in said("abc", [1, 2, 3], [0.01, None, 0.5])
    assert said("abc", [1, 2, 3], [0.01, None, 0.01]).startswith("Pairs that differ")


def test_of_many_levels_only_the_count():
    levels = "abcdefg"
    ps = [0.01] + [0.5] * 20
    assert said(levels, [1] * 21, ps) == "Of 21 pairs of levels, 1 differ (Holm-adjusted p < .05)."


@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, 1.0]), st.sampled_from([0.01, 0.5])),
        min_size=6,
        max_size=6,
    )
)
def test_every_pair_is_where_it_belongs(pairs):
    estimates, ps = zip(*pairs, strict=True)
    text = said(LEVELS, estimates, ps)
    apart = sum(p < 0.05 for p in ps)
    if 0 < apart <= FEW_PAIRS:
        for (x, y), estimate, p in zip(combinations(LEVELS, 2), estimates, ps, strict=True):
            higher = f"{x} above {y}" if estimate > 0 else f"{y} above {x}"
            assert (higher in text) == (p < 0.05)


def test_the_level_is_said_and_decides():
    assert said("abc", [1, 2, 3], [0.08, 0.01, 0.02], level=0.9) == (
        "All 3 pairs of levels differ (Holm-adjusted p < .1)."
    )
    assert "(90 % interval " in said("ab", [1], [0.01], level=0.9)
