"""What subjects have of their own, in words."""

import pytest
from example_summaries import mixed
from test_headline import study

from twolevel.findings.varying.of_random_part import of_random_part
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


def test_effects_that_do_not_clearly_differ_are_named_in_one_sentence():
    fit = mixed().model_dump()
    nested = [fit["random_terms"][0] | {"within": [name]} for name in ("dose", "time")]
    rows = [
        fit["varcorr"][0] | {"parameter": name, "grp": f"id:{name}"} for name in ("dose", "time")
    ]
    test = {"grouping": "id", "effect": INTERCEPT, "statistic": 1.0, "df": 1, "p_se": 0.01}
    test |= {"by": "bootstrap", "p_mixture": 0.2}
    found = study(
        random_terms=[*fit["random_terms"], *nested],
        varcorr=[fit["varcorr"][0], *rows, fit["varcorr"][-1]],
        variance_tests=[test | {"p": p} for p in (0.001, 0.2, 0.3)],
    )
    claims = {claim.of: claim for claim in of_random_part(found)}
    assert claims["own effects"].said == (
        "The data do not clearly show that subjects differ in their own effects of dose (p = .200) "
        "or effects of time (p = .300)."
    )
    assert claims["own effects"].numbers == {"dose": 0.2, "time": 0.3}
