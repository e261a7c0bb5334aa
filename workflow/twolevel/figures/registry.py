"""Every figure of a study: its name, label, caption and alternative text.

A figure is drawn by the function `draw` of the module of its name in `of_study/`, into the file of
its name. Rules list the names, templates place the figures. What is said of one depends on what was
found, so that each entry is a function of it. Nothing that draws is imported: rules and reports
read names and words only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twolevel.figures.groups import (
    drawn_by,
    has_own_panel,
    is_a_line,
    on_the_axis,
    own_line,
    second_within,
)
from twolevel.findings.varying.of_own_effects import effects_in_words, nested_in_words
from twolevel.findings.varying.random_words import is_intercept, marginal_variance, variances
from twolevel.findings.walk.two_levels import more_within
from twolevel.text.markdown import Markdown, attribute, counted, escape, num, words

if TYPE_CHECKING:
    from twolevel.findings.results import Results
    from twolevel.summaries.base import Level
    from twolevel.summaries.rows import Estimate
    from twolevel.summaries.two_stage_summary import (
        EffectCovarianceSummary,
        FirstSubject,
        OwnEffectsSummary,
    )


@dataclass(frozen=True)
class Figure:
    """A figure on a page: its label, its caption in Markdown and its alternative text."""

    label: str
    caption: str
    alt: str

    def on_page(self, name: str) -> Markdown:
        """The figure in Quarto's syntax."""
        return Markdown(
            f'![{self.caption}](figures/{name}.svg){{#{self.label} fig-alt="{self.alt}"}}'
        )


OF_STUDY: dict[str, Callable[[Results], Figure]] = {}


def _of_study(words: Callable[[Results], Figure]) -> Callable[[Results], Figure]:
    """Register a study's figure by the name of the function with its words."""
    OF_STUDY[words.__name__] = words
    return words


@_of_study
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
            f"{attribute(found.response)} of {_subjects(found)} along {attribute(number)}.",
        )
    if found.condition:
        over = f" over the levels of {attribute(found.condition)}, with the mean of each level"
    return Figure(
        "fig-data",
        f"Observations by subject, with the mean{means} on top.",
        f"{attribute(found.response)} of {_subjects(found)}{over}.",
    )


@_of_study
def missingness(found: Results) -> Figure:
    """The patterns of observed and missing cells."""
    first = counted(found.design.patterns.n_subjects[0], "subject")
    return Figure(
        "fig-missingness",
        "Which cells hold observations: subjects with the same pattern share a row.",
        "Patterns of observed and missing cells over the levels of "
        f"{attribute(found.condition)}; the most frequent one is that of {first}.",
    )


@_of_study
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


@_of_study
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


@_of_study
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
        f"Histograms of {_subjects(found)}' own effects and of {found.design.n_observations} "
        f"residuals. Standard deviations of the estimates: {'; '.join(spread)}; within subjects, "
        f"{num(level1.sigma_within, 3)} is estimated.",
    )


@_of_study
def profile_zeta(found: Results) -> Figure:
    """Every parameter's profile likelihood."""
    first = found.mixed.intervals[0]  # of what varies, which comes first
    return Figure(
        "fig-profile",
        "Profile likelihoods: the signed root of the deviance's rise when a parameter is held at a "
        f"value and all others are fitted anew (ML). Dashed, the {found.level} interval.",
        "Curves of zeta against the value of each parameter; the straighter, the closer to a "
        f"normal distribution. The interval of {_first_deviation(found)} is "
        f"{num(first.profile_low, 3)} to {num(first.profile_high, 3)}.",
    )


@_of_study
def condition_means(found: Results) -> Figure:
    """The condition's means, for each level of a factor where the two interact."""
    by, axis = drawn_by(found.mixed, found.condition), on_the_axis(found.mixed, found.condition)
    own = has_own_panel(found.mixed, found.condition)
    within = f" for each level of {escape(by[0])}" if by else ""
    room = " where these have room" if by else ""
    beside = f", and by {escape(own[0])} beside," if own else ""
    line = ", which lie on a line," if is_a_line(found.mixed, found.condition) and not by else ""
    most = 8
    means: list[tuple[Level, Estimate]] = [(each.condition, each) for each in found.mixed.means]
    if axis:
        means = [(mean.level, mean) for mean in axis[1]]
    if own:
        means += [(mean.level, mean) for mean in own[1]]
    if by:
        most, means = 12, [(f"{mean.level}, {mean.condition}", mean) for mean in by[1]]
    listed = "; ".join(
        f"{attribute(level)} {num(mean.estimate)} ({num(mean.ci_low)} to {num(mean.ci_high)})"
        for level, mean in means[:most]
    )
    more = f"; and {len(means) - most} more" if len(means) > most else ""
    return Figure(
        "fig-means",
        f"Means of {escape(found.response)} by {escape(axis[0] if axis else found.condition)}"
        f"{within}{line}{beside} from the mixed model (REML), with {found.level} intervals by "
        f"Kenward and Roger's method, in front of the observations{room}.",
        f"Means with intervals: {listed}{more}.",
    )


@_of_study
def caterpillar(found: Results) -> Figure:
    """The subjects' predicted deviations with their intervals."""
    how = " in ascending order with their intervals, around 0"
    own = [each for each in variances(found.mixed) if each.own and not each.own[0].within]
    if is_intercept(found.mixed):
        return Figure(
            "fig-caterpillar",
            "Subjects' predicted deviations $S_i$ from what the fixed effects predict (BLUPs, "
            f"REML), with {found.level} intervals, sorted.",
            f"Predicted deviations of {_subjects(found)}{how}.",
        )
    listed = words([each.what for each in own if not each.is_correlation])
    return Figure(
        "fig-caterpillar",
        f"What is predicted of each subject's own {listed}, as deviations from what the fixed "
        f"effects predict (BLUPs, REML), with {found.level} intervals, each sorted.",
        f"Predicted deviations of {_subjects(found)}, of each effect{how}.",
    )


@_of_study
def shrinkage(found: Results) -> Figure:
    """The subjects' own mean deviations against what is predicted of them."""
    own = [each for each in variances(found.mixed)[:-1] if not each.own[0].within]
    if len(own) > 1:
        one, other = (each.what for each in own[:2])
        return Figure(
            "fig-shrinkage",
            f"Two effects at once: from each subject's own {one} and {other} (least squares) to "
            "what the mixed model predicts of them, as deviations from the fixed effects; the "
            f"ellipse holds {found.level} of subjects by the model's covariance.",
            f"Arrows from {_subjects(found)}' own {one} and {other} to their predictions, which "
            "lie nearer to the middle of the ellipse.",
        )
    fewest, most = found.design.per_subject
    if not is_intercept(found.mixed):
        return Figure(
            "fig-shrinkage",
            "What each subject's observations say of its own mean against its prediction by the "
            "mixed model.",
            f"Predicted effects of {_subjects(found)} against least squares; most points lie "
            "between 0 and the identity.",
        )
    if fewest == most:
        line = "a line flatter than the identity"
    else:
        line = "lines flatter than the identity, the flatter the fewer observations a subject has"
    return Figure(
        "fig-shrinkage",
        r"Each subject's own mean deviation against the $S_i$ that the mixed model predicts.",
        f"Predicted random effects against mean deviations; the points lie on {line}.",
    )


@_of_study
def conditional_marginal(found: Results) -> Figure:
    """The distribution of some subjects' observations beside that of all."""
    mixed, within = found.mixed, num(found.mixed.sigma_within, 3)
    variance = marginal_variance(mixed)
    if variance is None:
        curves = (
            f"of single subjects with standard deviation {within} beside the wider marginal curve "
            "of all, whose standard deviation depends on the observation"
        )
    elif mixed.boundary and is_intercept(mixed):
        curves = f"with standard deviation {within}, the same for single subjects and for all"
    else:
        curves = (
            f"of single subjects with standard deviation {within} beside the wider marginal curve "
            f"with standard deviation {num(variance**0.5, 3)}"
        )
    return Figure(
        "fig-conditional",
        "Conditional distributions of some subjects against the marginal distribution.",
        f"Normal curves {curves}.",
    )


@_of_study
def covariance(found: Results) -> Figure:
    """The observed covariance, where there is one, and the implied one."""
    summary = found.checks.covariance
    observed, implied = summary.observed, num(summary.implied[0][0])
    complete = observed and observed.n_subjects
    which = "Observed and implied" if complete else "Implied"
    if not found.condition:
        variance = num(observed.matrix[0][0]) if observed else ""
        beside = f"observed variance of a subject's mean, {variance}, beside the "
        return Figure(
            "fig-covariance",
            "Observed and implied variance of a subject's mean.",
            f"The {beside if complete else ''}implied one, {implied}.",
        )
    of = "cell means" if summary.per_cell > 1.0001 else "observations"
    beside, elsewhere = "The", " of its first level"
    if is_intercept(found.mixed):
        elsewhere = f" and {num(found.mixed.varcorr[0].vcov)} elsewhere"
    if complete:
        levels = attribute(found.condition)
        beside = f"The observed covariance between the levels of {levels}, beside the"
    return Figure(
        "fig-covariance",
        f"{which} covariance of a subject's {of}.",
        f"{beside} implied one, with {implied} on the diagonal{elsewhere}.",
    )


@_of_study
def residuals_fitted(found: Results) -> Figure:
    """Residuals against fitted values."""
    return Figure(
        "fig-residuals",
        r"Residuals $\eta_{ij}$ against fitted values, with their running median and quartiles.",
        "Residuals scattered around 0 over the range of fitted values, with a standard deviation "
        f"of {num(found.mixed.sigma_within, 3)}.",
    )


@_of_study
def quantile_plots(found: Results) -> Figure:
    """Quantiles of residuals and of random effects against a normal distribution's."""
    drawn = set(found.checks.diagnostics.outside) - {"residual"}
    effects = " and sorted predicted random effects" if drawn else ""
    return Figure(
        "fig-quantiles",
        "Normal quantile plots of the residuals and of the predicted random effects, with "
        f"envelopes that hold {found.level} of each rank's values when the model is right.",
        f"Sorted residuals{effects} against normal quantiles, with envelopes.",
    )


@_of_study
def scale_location(found: Results) -> Figure:
    """The residuals' size under each level."""
    under = f" under each level of {escape(found.condition)}" if found.condition else ""
    by = f" by level of {attribute(found.condition)}" if found.condition else ""
    return Figure(
        "fig-scale",
        f"Root of the residuals' size{under}, with its mean.",
        f"Square roots of absolute residuals{by}, with means.",
    )


@_of_study
def influence(found: Results) -> Figure:
    """What changes when each subject is left out."""
    most = found.mixed.influence.subjects
    largest = ""
    if most:
        distance, subject = num(most[0].cooks_distance, 3), attribute(most[0].subject)
        largest = f"; the largest is {distance}, of subject {subject}"
    return Figure(
        "fig-influence",
        "Left out in turn: each subject's Cook's distance, and what its absence does to "
        f"{'both' if is_intercept(found.mixed) else 'the'} standard deviations.",
        f"Cook's distances of {_subjects(found)}{largest}.",
    )


def _first_deviation(found: Results) -> str:
    """What the first parameter of the table of intervals is, in words."""
    if is_intercept(found.mixed):
        return "the standard deviation between subjects"
    return f"the standard deviation of subjects' own {attribute(variances(found.mixed)[0].what)}"


def _subjects(found: Results) -> Markdown:
    return counted(found.design.n_subjects, "subject")


def _subjects_named(first: Sequence[FirstSubject]) -> Markdown:
    """Some subjects with their means."""
    return words(
        [
            Markdown(f"subject {attribute(each.subject)} (mean {num(each.subject_mean, 3)})")
            for each in first
        ]
    )
