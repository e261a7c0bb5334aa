"""What other programs find of the same model, in words."""

from __future__ import annotations

from twolevel.summaries.checks_summary import Witness, WitnessTest
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.text.markdown import Markdown, words
from twolevel.text.numbers import positional


def witness_in_words(witness: Witness, mixed: MixedSummary, condition: str | None) -> str:
    """A witness's finding in a sentence or two; condition is the condition's name in the table."""
    if witness.witness.endswith("MixedLM"):
        return _of_mixed_lm(witness, mixed)
    if witness.status == "drops":
        return _of_dropping(witness, mixed, condition)
    return _of_anova_rm(witness, mixed)


def _of_mixed_lm(found: Witness, mixed: MixedSummary) -> str:
    if found.status == "not asked":
        return (
            f"MixedLM was not asked: with {mixed.n_subjects:,} subjects, {mixed.nobs:,} rows and "
            f"{len(mixed.coefficients):,} coefficients it may take long."
        )
    if found.status == "other models":
        return (
            "MixedLM was not asked: beside one term of correlated effects of the subject it knows "
            "only terms of one effect each."
        )
    if found.difference is None:
        return "MixedLM finds no fit of these data; ours does not depend on it."
    gap = positional(abs(found.difference), 2)
    if found.status == "agrees":
        return "MixedLM finds the same optimum: the log-likelihoods agree to rounding."
    if found.status == "higher":
        return (
            f"MixedLM's log-likelihood is {gap} higher than ours: ours is not the optimum. Please "
            "report this."
        )
    claims = ", and reports convergence" if found.converged else ""
    return (
        f"MixedLM stops {gap} below our log-likelihood, short of the optimum{claims}; near a "
        "boundary it is known to. Nothing is wrong with the data."
    )


def _of_anova_rm(found: Witness, mixed: MixedSummary) -> str:
    if found.status == "other models":
        return "AnovaRM was not asked: it knows factors within subjects only, and no other terms."
    if found.status == "not asked":
        return f"AnovaRM was not asked: {mixed.nobs:,} rows need too much time and memory there."
    if found.F is None or found.our_F is None:
        factors = {name for variables in mixed.terms.values() for name in variables}
        of = "every level" if len(factors) == 1 else "every combination of levels"
        return f"AnovaRM refuses: it needs every subject under {of}, once."
    tests = found.tests or []
    if found.status == "taken for complete":
        theirs, ours = positional(found.F, 4), positional(found.our_F, 4)
        return (
            f"AnovaRM takes these data for complete, which they are not: its F, {theirs}, has no "
            f"meaning here. The mixed model's is {ours}."
        )
    also = ", taking the mean of every cell first as this does" if found.averaged else ""
    if found.status == "agrees":
        terms = words([Markdown(_named(test)) for test in tests if test.our_F is not None])
        of = f" for {terms}" if len(tests) > 1 else ""
        return f"AnovaRM has the same F as the ANOVA with partitioned errors{of}{also}."
    differ = [
        f"{positional(test.F, 4)} for {_named(test)}, where the ANOVA here has "
        f"{positional(test.our_F, 4)}"
        for test in tests
        if test.our_F is not None
    ]
    return f"AnovaRM's F is {'; '.join(differ)}."


def _named(test: WitnessTest) -> str:
    """A term by its variables."""
    return " × ".join(test.variables)


def _of_dropping(found: Witness, mixed: MixedSummary, condition: str | None) -> str:
    assert found.left is not None  # such a witness has both
    assert found.our_F is not None
    n, N = mixed.n_subjects, mixed.nobs
    said = (
        "Programs such as pingouin, with its rm_anova and mixed_anova, drop every subject that has "
        f"an empty cell, here {n - found.left.n_subjects:,} of {n:,} subjects with "
        f"{N - found.left.n_observations:,} of {N:,} observations."
    )
    if found.F is None:
        return f"{said} What is left allows no ANOVA."
    # pingouin does not adjust the condition for groups of unequal size.
    groups = " (pingouin's own may differ where groups differ in size)"
    return (
        f"{said} In what is left, the F of {condition} is {positional(found.F, 4)} by our ANOVA"
        f"{groups if len(mixed.terms) > 1 else ''}, and {positional(found.our_F, 4)} in the mixed "
        "model of all observations."
    )
