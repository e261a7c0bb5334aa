"""What subjects have of their own, in words."""

import pytest

from twolevel.findings.varying.random_words import what_subjects_have
from twolevel.random.effect_names import INTERCEPT
from twolevel.summaries.mixed_summary import RandomTerm

ONE = [INTERCEPT]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([([], ONE)], "its own mean"),
        ([([], [INTERCEPT, "day"])], "its own mean and its own slope of day"),
        (
            [([], ONE), (["a"], ONE), (["b"], ONE), (["a", "b"], ONE)],
            "its own mean, its own effect of each level of a and of b and its own effect of each "
            "combination of levels of a and b",
        ),
        (
            [(["a"], [INTERCEPT, "day"]), ([], ["f[T.x]", "f[T.y]"])],
            "its own effect of each level of a and of f and its own slope of day in each level "
            "of a",
        ),
    ],
)
def test_what_subjects_have(terms, said):
    made = [RandomTerm.of({"formula": "", "within": w, "effects": e}) for w, e in terms]
    assert what_subjects_have(made) == said
