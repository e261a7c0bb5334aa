"""Which test decides a headline, and what is said with it."""

import pytest
from example_summaries import POOLED, checks, looks, mixed
from example_summaries import anova as example_anova

from twolevel.findings.cautions import cautions, follows, pairs_share_an_error
from twolevel.findings.verdicts import verdicts

CLEAR = {"F": 12.86, "df_num": 2, "df_den": 38.0, "p": 0.0003}
UNCLEAR = {"F": 1.75, "df_num": 2, "df_den": 7.0, "p": 0.2275}
SLOPES = [{"formula": "1 + time", "within": [], "effects": ["(Intercept)", "time"]}]
COLUMNS = {"subject": "id", "condition": "time", "response": "y"}


def judged(anova=None, test=CLEAR, level=0.95, **more):
    """The verdict on the only term of a mixed model, C(time), by its test and its checks."""
    fit = mixed(anova=[{"term": "C(time)", **test}], terms={"C(time)": ["time"]}, level=level)
    return verdicts(fit, checks(**more), anova or example_anova())["C(time)"]


def sphericity(p, mauchly=0.001, epsilon=0.5, F=12.86):
    row = {"term": "C(time)", "stratum": "id:time", "effect": ["time"], "contrasts": 2, "F": F}
    row |= {"mauchly_w": None if mauchly is None else 0.3, "mauchly_p": mauchly}
    for label in ("gg", "hf"):
        row |= {f"{label}_epsilon": epsilon, f"p_{label}": p}
        row |= {f"df_num_{label}": 1.0, f"df_den_{label}": 19.0}
    return example_anova(sphericity=[row])


def test_the_test_that_holds_decides_and_stands_first():
    found = judged(pooled=POOLED | {"tests": [{"term": "C(time)", **UNCLEAR}]})
    assert not found.clear
    assert found.elsewhere
    with_all, other = (
        "with all own effects that subjects’ data support",
        "F(2, 7) = 1.75, p = .228",
    )
    alone = "F(2, 38) = 12.86, p \\< .001"
    assert found.quote == f"{with_all}, Kenward–Roger test: {other}"
    for pooled in (None, POOLED, POOLED | {"tests": [{"term": "C(time)", **CLEAR}]}):
        same = judged(pooled=pooled)
        assert same.clear
        assert not same.elsewhere
        assert same.quote == f"Kenward–Roger test: {alone}"
    corrected = judged(
        sphericity(0.08), pooled=POOLED | {"tests": [{"term": "C(time)", **UNCLEAR}]}
    )
    assert not corrected.elsewhere
    assert corrected.quote.startswith("with Greenhouse")


@pytest.mark.parametrize(
    ("mauchly", "epsilon", "corrected"),
    [(0.001, 0.5, True), (0.4, 0.5, False), (None, 0.5, True), (None, 0.9, False)],
)
def test_failing_sphericity_decides(mauchly, epsilon, corrected):
    anova = sphericity(0.08, mauchly, epsilon)
    found = judged(anova)
    assert found.clear == (not corrected)
    assert found.quote.startswith("with Greenhouse") == corrected
    assert (pairs_share_an_error(mixed(), checks(), anova) is not None) == corrected
    assert pairs_share_an_error(mixed(contrast_error="own"), checks(), anova) is None


def test_a_model_that_pools_strata_is_not_the_uncorrected_test():
    assert "; without it, Kenward" in judged(sphericity(0.001)).quote
    assert "; in the mixed model, Kenward" in judged(sphericity(0.001, F=51.4)).quote


def test_without_degrees_of_freedom_there_is_no_test():
    found = judged(test={"F": 0.0, "df_num": 3, "df_den": -1.0, "p": None})
    assert not found.tested
    assert not found.clear
    assert "F(" not in found.quote


def look(p):
    return {"statistic": 0.4, "expected": -0.1, "p": p}


@pytest.mark.parametrize(
    ("neighbours", "around", "slopes", "aic", "why"),
    [
        (0.3, 0.2, "left out", None, None),
        (0.001, 0.001, "left out", -9.0, "errors"),
        (0.001, 0.001, "left out", 9.0, "besides"),
        (0.001, 0.4, "left out", 9.0, None),  # slopes explain it
        (0.001, 0.4, None, 9.0, "alike"),
        (0.001, 0.4, "effects left out", 9.0, "alike"),
        (0.001, 0.001, "in the model", -9.0, "errors"),
        (0.001, 0.4, "in the model", 9.0, "besides"),  # slopes do not
        (0.3, 0.2, "in the model", None, None),
    ],
)
def test_what_makes_neighbours_alike(neighbours, around, slopes, aic, why):
    pooled = {
        "left out": POOLED | {"left_out": [{"within": [], "effects": ["time"]}]},
        "effects left out": POOLED,
    }
    summary = checks(
        diagnostics=looks(neighbours=look(neighbours), neighbours_around_lines=look(around)),
        following=None if aic is None else {"rho": 0.5, "aic_less": aic},
        pooled=pooled.get(slopes),
    )
    fit = mixed(**({"random_terms": SLOPES} if slopes == "in the model" else {}))
    assert follows(fit, summary) == why
    said = [sentence for sentence in cautions(fit, summary, COLUMNS) if "pooled" not in sentence]
    assert bool(said) == (why is not None)
    assert any("better than slopes" in sentence for sentence in said) == (why == "errors")


def test_few_steps_name_the_ordinal_model():
    (said,) = cautions(
        mixed(formula="y ~ C(time)"), checks(response_values=[1.0, 2.0, 3.0]), COLUMNS
    )
    assert "ordinal::clmm(factor(y) ~ C(time) + (1 | id))" in said


def test_what_is_left_out_is_said_with_the_tests_that_it_changes():
    tests = [{"term": "time", **UNCLEAR}]
    pooled = POOLED | {"tests": tests}
    fit = mixed(anova=[{"term": "time", **CLEAR}])
    (said,) = cautions(fit, checks(pooled=pooled), COLUMNS)
    assert "support its own effect of each level of time too" in said
    assert "F(2, 7) = 1.75, p = .228 instead of F(2, 38) = 12.86, p \\< .001. Tru" in said
    assert said.endswith(f"to have them on it, write `{pooled['random']}` in the formula.")
    same = mixed(anova=[{"term": "time", **UNCLEAR}])
    (said,) = cautions(same, checks(pooled=pooled), COLUMNS)
    assert said.endswith("A model with it has the same tests here.")
    (said,) = cautions(fit, checks(pooled=pooled | {"tests": [], "reason": "why"}), COLUMNS)
    assert said.endswith("No model with it was fitted: why.")


def test_what_is_clear_depends_on_the_level():
    almost = CLEAR | {"p": 0.08}
    assert not judged(test=almost).clear
    assert judged(test=almost, level=0.9).clear
    assert not judged(test=CLEAR, level=0.9999).clear
    assert judged(sphericity(0.2, mauchly=0.08), level=0.9).quote.startswith("with Greenhouse")
    assert judged(sphericity(0.2, mauchly=0.08)).clear
