"""Words of the figures that show the data: cells, single subjects, and distributions over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twolevel.figures.captions.figure import Figure, how_many
from twolevel.figures.groups import own_line, second_within
from twolevel.findings.varying.of_own_effects import effects_in_words, nested_in_words
from twolevel.findings.walk.two_levels import more_within
from twolevel.text.markdown import Markdown, attribute, counted, escape, num, words

if TYPE_CHECKING:
    from twolevel.findings.results import Results
    from twolevel.summaries.two_stage_summary import (
        EffectCovarianceSummary,
        FirstSubject,
        OwnEffectsSummary,
    )


def data_by_subject(found: Results) -> Figure:
    """Every subject's observations, and the means of all."""
    means = f" of each level of {escape(found.condition)}" if found.condition else ""
    if second := second_within(found.design):
        means = f" of each cell of {escape(found.condition)} and {escape(second[0])}"
    over = ", with the mean of all"
    if number := own_line(found.design, found.mixed):
        return Figure(
            "fig-data",
            f"Observations by subject, along {escape(number)}.",
            f"{attribute(found.response)} of {how_many(found)} along {attribute(number)}.",
        )
    if found.condition:
        over = f" over the levels of {attribute(found.condition)}, with the mean of each level"
    return Figure(
        "fig-data",
        f"Observations by subject, with the mean{means} on top.",
        f"{attribute(found.response)} of {how_many(found)}{over}.",
    )


def missingness(found: Results) -> Figure:
    """The patterns of observed and missing cells."""
    first = counted(found.design.patterns.n_subjects[0], "subject")
    return Figure(
        "fig-missingness",
        "Which cells hold observations: subjects with the same pattern share a row.",
        "Patterns of observed and missing cells over the levels of "
        f"{attribute(found.condition)}; the most frequent one is that of {first}.",
    )


def one_subject(found: Results) -> Figure:
    """One subject's own fits, from its data alone."""
    one, part = found.design.one_subject, found.design.random_part
    caption, beside = "The subject's own mean.", ""
    if found.condition or own_line(found.design, found.mixed):
        under = " under each level" if found.condition else ""
        data = ", which is the data" if found.condition and one.saturated else ""
        given = part.random == part.supported.random
        has = "what its data support" if given else "what the model gives it"
        caption = (
            f"Above, the subject's own mean{under}{data}; below, {has}: "
            f"a fit by {counted(part.own_coefficients, 'coefficient')}."
        )
        beside = f", beside {'the fit that its data support' if given else 'that by the model'}"
    return Figure(
        "fig-one",
        caption,
        f"{counted(len(one.observations), 'observation')} of subject {attribute(one.subject)} with "
        f"its own fit{beside}; lines show the residuals.",
    )


def three_subjects(found: Results) -> Figure:
    """The first few subjects, one after another."""
    first = found.level1.first_subjects
    if found.level1.own:
        fits, alike = "the own fit", "Each has a fit of its own."
    elif found.condition:
        dots = r" + \cdots" if more_within(found) else ""
        fits = rf"the mean $\mu_i$, the fit $\mu_i + \alpha_j{dots}$"
        alike = "" if dots else "The fits have the same shape at different heights."
    else:
        fits, alike = r"the mean $\mu_i$", "The means differ."
    few = {1: "One subject", 2: "Two subjects"}.get(len(first), "Three subjects")
    return Figure(
        "fig-again",
        f"{few}, one after another: the observations, {fits} and the errors "
        rf"$\eta_{{ij}}$. {alike}".rstrip(),
        f"Panels with the observations of {_subjects_named(first)}, and the errors around what is "
        "fitted to each.",
    )


def distributions(found: Results) -> Figure:
    """The distributions of the subject means, or of all that they have, and of the residuals."""
    if found.level1.own and found.two_stage.own:
        return _own_effects(found, found.level1.own, found.two_stage.own)
    truth = " and the truth" if found.truth else ""
    around = " around what is fitted" if len(found.two_stage.params) > 1 else ""
    return Figure(
        "fig-distributions",
        r"Distributions of the subject means $\mu_i$ (between) and of the residuals $\eta_{ij}$ "
        f"(within), on one scale, with the fitted normal{truth}, and their normal quantile plots.",
        f"Histograms and normal quantile plots of {found.design.n_subjects} subject means, with "
        f"a standard deviation of {num(found.two_stage.raw_variance**0.5, 3)}{around}, and of "
        f"{found.design.n_observations} residuals, for which the standard deviation within "
        f"subjects is estimated as {num(found.level1.sigma_within, 3)}.",
    )


def _own_effects(
    found: Results, level1: OwnEffectsSummary, level2: EffectCovarianceSummary
) -> Figure:
    named = effects_in_words(level2.effects)
    spread = [
        f"{attribute(name)} {num(level2.raw[k][k] ** 0.5, 3)}" for k, name in enumerate(named)
    ]
    for each in level1.strata:
        name = nested_in_words(each.grp, found.design.columns["subject"])
        spread.append(f"effects of {attribute(name)} {num(each.raw**0.5, 3)}")
    pair = ""
    if len(named) > 1:
        pair = (
            f", and the first two together, with the ellipses that hold {found.level} of subjects "
            "by the two-stage covariance, raw and corrected"
        )
    return Figure(
        "fig-distributions",
        "Distributions of what each subject has of its own, as estimated from its observations, "
        r"and of the residuals $\eta_{ij}$ (within); "
        "solid, the normal with their own spread; dotted, with the "
        f"variance that is corrected for error{pair}.",
        f"Histograms of {how_many(found)}' own effects and of {found.design.n_observations} "
        f"residuals. Standard deviations of the estimates: {'; '.join(spread)}; within subjects, "
        f"{num(level1.sigma_within, 3)} is estimated.",
    )


def _subjects_named(first: Sequence[FirstSubject]) -> Markdown:
    """Some subjects with their means."""
    return words(
        [
            Markdown(f"subject {attribute(each.subject)} (mean {num(each.subject_mean, 3)})")
            for each in first
        ]
    )
