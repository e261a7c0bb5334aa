"""The methods paragraph of a paper: what was fitted to which data, how it was tested, by what."""

from __future__ import annotations

from collections.abc import Mapping

from twolevel.design.terms import term_in_words
from twolevel.findings.of_design import left_out
from twolevel.findings.paper.cited_works import SOURCES
from twolevel.findings.paper.rounded import compared_levels
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import (
    formula_in_full,
    is_intercept,
    what_subjects_have,
)
from twolevel.findings.verdicts import numbers_in_words
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.text.apa import share
from twolevel.text.confidence import alpha, percent
from twolevel.text.markdown import Markdown, counted, escape, words
from twolevel.text.methods import ESTIMATION

# What a paper names of the software that computed, with what it cites for each.
_COMPUTED_WITH = {"numpy": ("NumPy", "harris2020"), "scipy": ("SciPy", "virtanen2020")}
_ADJUSTED = {
    "holm": f"Holm’s method ({SOURCES['holm1979'].cited}; intervals by Bonferroni’s)",
    "tukey": f"Tukey’s method ({SOURCES['kramer1956'].cited})",
    "bonferroni": "Bonferroni’s method",
}


def methods_text(
    found: Results, loading: LoadingSummary | None, versions: Mapping[str, str]
) -> Markdown:
    """The paragraph; versions are those of the software, by program."""
    sentences = [
        _observed(found, loading),
        *_model(found),
        *_tests(found),
        *_pairs(found),
        *_anova(found),
        *_variances(found),
        f"The level of significance was {share(alpha(found.mixed.level), _decimals(found))}.",
        _software(versions),
    ]
    return Markdown(" ".join(sentences))


def _cite(key: str) -> str:
    return SOURCES[key].cited


def _decimals(found: Results) -> int:
    """As many as the level of significance needs."""
    return max(2, len(f"{alpha(found.mixed.level):.12f}".rstrip("0")) - 2)


def _observed(found: Results, loading: LoadingSummary | None) -> str:
    design = found.design
    least, most = design.per_subject
    each = f"{least}" if least == most else f"{least} to {most}"
    unit = f" ({escape(found.unit)})" if found.unit else ""
    said = (
        f"The response was {escape(found.response)}{unit}, observed in "
        f"{counted(design.n_subjects, 'subject')}, {each} time{'' if most == 1 else 's'} each "
        f"({design.n_observations:,} observations)."
    )
    dropped = left_out(found, loading)
    if dropped and loading:
        rows = loading.rows_read - design.n_observations
        said += (
            f" {counted(rows, 'row')} without a value {'was' if rows == 1 else 'were'} left out."
        )
    if design.incomplete_subjects:
        were = "was" if design.incomplete_subjects == 1 else "were"
        said += (
            f" {counted(design.incomplete_subjects, 'subject')} lacked some levels of "
            f"{escape(found.condition)} and {were} kept, as the method allows for values that are "
            "missing at random."
        )
    return said


def _model(found: Results) -> list[str]:
    mixed = found.mixed
    terms = [term_in_words(term, names) for term, names in mixed.terms.items()]
    fixed = f"fixed effects of {words(terms)}" if terms else "a grand mean"
    subject = escape(found.design.columns["subject"])
    random = (
        f"a random intercept for each {subject}"
        if is_intercept(mixed)
        else f"random effects (each {subject} had {what_subjects_have(mixed.random_terms)})"
    )
    said = [
        f"A linear mixed model ({_cite('laird1982')}) with {fixed} and {random} was fitted by "
        f"{ESTIMATION[mixed.method].name} ({mixed.method}); in the notation of lme4 "
        f"({_cite('bates2015')}), it is {formula_in_full(mixed)}.",
    ]
    part = found.design.random_part
    if part.random == part.supported.random and not is_intercept(mixed):
        said.append("Its random part is what one subject’s observations can tell from error.")
    if mixed.boundary:
        said.append("Its fit is singular (on the boundary), and was kept as it is.")
    return said


def _tests(found: Results) -> list[str]:
    mixed = found.mixed
    if not mixed.anova:
        return [
            "The mean’s interval has the standard error and degrees of freedom of Kenward and "
            f"Roger ({_cite('kenward1997')}; {_cite('halekoh2014')})."
        ]
    said = [
        "Fixed effects were tested by Type III *F* tests (factors sum to zero) with the covariance "
        "and denominator degrees of freedom of Kenward and Roger "
        f"({_cite('kenward1997')}; {_cite('halekoh2014')})."
    ]
    held: dict[str, list[str]] = {}
    for term, numbers in mixed.held_at_zero.items():
        held.setdefault(numbers_in_words(numbers, mixed), []).append(
            term_in_words(term, mixed.terms[term])
        )
    said += [f"The test of {words(terms)} is one where {zeros} 0." for zeros, terms in held.items()]
    if any(verdict.elsewhere for verdict in found.verdicts.values()):
        said.append(
            "Where a model with all random effects that subjects’ data support gives another test, "
            "that test is reported."
        )
    return said


def _pairs(found: Results) -> list[str]:
    mixed = found.mixed
    if not (compared_levels(found) or any(factor.contrasts for factor in mixed.factors)):
        return []
    if mixed.contrast_error == "own":
        error = "each with its own error"
    elif found.checks.pooled:
        error = (
            "where the model leaves out nothing of how subjects differ in them, with the same "
            "method’s errors and degrees of freedom"
        )
    else:
        error = "with the same method’s errors and degrees of freedom"
    adjusted = (
        f"*p* values were adjusted by {_ADJUSTED[mixed.adjust]}"
        if mixed.adjust in _ADJUSTED
        else "*p* values were not adjusted"
    )
    said = f"Marginal means were compared in pairs by *t* tests, {error}; {adjusted}."
    sizes = [row.d_z for row in compared_levels(found)]
    if any(size is not None for size in sizes):
        said += (
            " Their effect sizes are *d*~z~, in standard deviations of subjects’ differences, and "
            f"*d*~av~, in the mean of both levels’ standard deviations ({_cite('lakens2013')})."
        )
    return [said]


def _anova(found: Results) -> list[str]:
    if not found.anova.available or not found.anova.table:
        return []
    said = (
        "Effect sizes are generalised *η*² "
        f"({_cite('olejnik2003')}), from the ANOVA with partitioned errors."
    )
    if any(row.contrasts > 1 for row in found.anova.sphericity):
        said += (
            f" Where Mauchly’s test ({_cite('mauchly1940')}) rejects sphericity, the ANOVA’s test "
            "with Greenhouse and Geisser’s correction "
            f"({_cite('greenhouse1959')}) is reported."
        )
    return [said]


def _variances(found: Results) -> list[str]:
    level = percent(found.mixed.level)
    said = f"Intervals are {level}% intervals, of variance components by profile likelihood."
    if is_intercept(found.mixed):
        said += (
            " That subjects differ at all was tested by the exact restricted likelihood ratio test "
            f"({_cite('crainiceanu2004')})."
        )
    elif found.mixed.variance_tests:
        said += (
            " Each random effect was tested by the restricted likelihood ratio against the model "
            "without it, referred to data sets simulated from that."
        )
    return [said]


def _software(versions: Mapping[str, str]) -> str:
    others = [
        f"{name} {versions[program]} ({_cite(key)})"
        for program, (name, key) in _COMPUTED_WITH.items()
    ]
    return (
        f"All was computed with twolevel {versions['twolevel']}, a workflow for Snakemake "
        f"{versions['snakemake']} ({_cite('molder2021')}), in Python {versions['Python']} with "
        f"{' and '.join(others)}."
    )
