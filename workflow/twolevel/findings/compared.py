"""The rows of the comparison of the three methods, and where these differ most, in words."""

from __future__ import annotations

from collections.abc import Mapping

from twolevel.design.terms import term_in_words
from twolevel.findings.results import Results
from twolevel.findings.walk.error_rows import ErrorRows
from twolevel.random.edges import edges
from twolevel.summaries.comparison_summary import ComparisonSummary
from twolevel.text.markdown import Markdown, code, escape, num, words

_SYMBOLS = {
    "grand_mean": r"grand mean $\hat\mu$",
    "grand_mean_se": r"SE of $\hat\mu$",
    "sigma_between": r"$\hat\sigma_b$",
    "sigma_within": r"$\hat\sigma_w$",
    "alpha": r"$\hat\alpha$ of ",
    "sigma": r"$\hat\sigma$ of ",
    "F": "F of ",
}
_METHODS = {"two_stage": "two-stage estimate", "mixed": "mixed model", "anova": "ANOVA"}


def quantity_in_words(quantity: str) -> Markdown:
    """A row of the comparison as a reader knows it."""
    kind, name = _parts(quantity)
    return Markdown(_SYMBOLS[kind] + escape(name))


def most_apart(comparison: ComparisonSummary, terms: Mapping[str, list[str]]) -> Markdown:
    """The quantity in which the methods differ most, with its values; nothing where they agree.

    terms are the variables that each term is made of.
    """
    most = comparison.most_apart
    if most is None:
        return Markdown("")
    kind, name = _parts(most.quantity)
    what = quantity_in_words(most.quantity)
    if kind == "F":
        what = Markdown(f"the F of {escape(term_in_words(name, terms[name]))}")
    values = [
        Markdown(f"{num(value)} by the {called}")
        for method, called in _METHODS.items()
        if (value := getattr(most, method)) is not None
    ]
    return Markdown(f"{what}: {words(values)}")


def why_apart(found: Results, errors: ErrorRows) -> list[Markdown]:
    """Why mixed model and ANOVA differ, reason by reason; errors are the ANOVA's in the model."""
    comparison, reasons = found.comparison, []
    if errors.absent:
        reasons.append(
            f"the ANOVA has no error for {words(errors.absent)}, and tests against single "
            "observations what the mixed model tests against differences between subjects"
        )
    if errors.free:
        reasons.append(
            f"the model’s random part, {code(found.mixed.random)}, lets variances of levels, and "
            "correlations, be any, where the ANOVA takes all contrasts of levels to vary alike"
        )
    if comparison.pooled:
        reasons.append(
            f"the model’s random part, {code(found.mixed.random)}, has no variance for "
            f"{words([code(name) for name in comparison.pooled])}, so that all terms within "
            "subjects stand against one error, where the ANOVA gives each effect its own"
        )
    if found.two_stage.truncated or edges(found.mixed.varcorr)[0]:
        reasons.append(
            "a variance is estimated as 0, and the mixed model pools what the ANOVA keeps apart"
        )
    if comparison.unequal:
        reasons.append(
            "cells differ in their numbers of rows: the ANOVA gives all means of cells one weight, "
            "the mixed model weighs them by their precision"
        )
    return [Markdown(reason) for reason in reasons]


def _parts(quantity: str) -> tuple[str, str]:
    """The kind of a quantity and what it is of: F and time of `F[time]`."""
    kind, _, name = quantity.removesuffix("]").partition("[")
    return kind, name
