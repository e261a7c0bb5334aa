"""What other programs find, in words, whatever it is."""

import re

import pytest
from example_summaries import mixed, witness

from twolevel.findings.testimony import witness_in_words

LM = {"witness": "statsmodels MixedLM", "method": "REML", "llf": -40.0, "our_llf": -40.0}
RM = {"witness": "statsmodels AnovaRM", "method": "ANOVA", "F": 8.0, "our_F": 7.5}
NO_F = {"F": None, "our_F": None}
TEST = {"F": 51.36, "df_num": 2.0, "df_den": 14.0, "p": 1e-6, "our_F": 2.197}
TESTS = [TEST | {"variables": ["a"]}, TEST | {"variables": ["a", "b"], "F": 0.80147}]
DROPS = {"status": "drops", "left": {"n_subjects": 3, "n_observations": 12}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (LM | {"status": "agrees", "difference": 1e-9}, "agree to rounding."),
        (LM | {"status": "higher", "difference": 0.5}, "0.5 higher than ours: ours is not the"),
        (LM | {"status": "lower", "difference": -0.021, "converged": False}, "stops 0.021 below"),
        (
            LM | {"status": "lower", "difference": -0.1, "converged": True},
            "short of the optimum, and reports convergence; near a boundary",
        ),
        (LM | {"status": "refused"}, "finds no fit of these data"),
        (LM | {"status": "other models"}, "MixedLM was not asked: beside one term"),
        (LM | {"status": "not asked"}, "with 10 subjects, 30 rows and 0 coefficients it may"),
        (RM | {"status": "agrees", "tests": TESTS[:1]}, "with partitioned errors."),
        (
            RM | {"status": "agrees", "averaged": True, "tests": TESTS},
            "the same F as the ANOVA with partitioned errors for a and a × b, taking the mean of",
        ),
        (
            RM | {"status": "differs", "tests": TESTS},
            "AnovaRM's F is 51.36 for a, where the ANOVA here has 2.197; 0.8015 for a × b, where",
        ),
        (RM | {"status": "taken for complete"}, "its F, 8, has no meaning here"),
        (RM | NO_F | {"status": "refused"}, "every subject under every level, once."),
        (RM | NO_F | {"status": "not asked"}, "30 rows need too much time"),
        (RM | NO_F | {"status": "other models"}, "knows factors within subjects only"),
        (RM | DROPS, "here 7 of 10 subjects with 18 of 30 observations. In what is left, the F of"),
        (RM | DROPS | {"F": None}, "What is left allows no ANOVA."),
    ],
)
def test_each_status_has_its_sentence(found, said):
    sentence = witness_in_words(witness(**found), mixed(), "time")
    assert said in sentence
    assert re.fullmatch(r"[A-Z].*\.", sentence)


def test_of_several_factors_combinations_of_levels_are_needed():
    fit = mixed(terms={"a": ["a"], "b": ["b"]})
    refusal = witness(**(RM | NO_F | {"status": "refused"}))
    assert "every combination of levels" in witness_in_words(refusal, fit, "a")


def test_groups_of_unequal_size_are_a_reason_to_differ():
    fit = mixed(terms={"time": ["time"], "group": ["group"]})
    dropping = witness(**RM, **DROPS)
    assert "pingouin's own may differ" in witness_in_words(dropping, fit, "time")
    assert "pingouin's own may differ" not in witness_in_words(
        witness(**RM, **DROPS), mixed(), "time"
    )
