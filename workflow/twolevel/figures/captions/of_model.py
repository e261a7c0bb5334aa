"""Words of the figures that show what the mixed model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twolevel.figures.captions.figure import Figure, how_many
from twolevel.figures.groups import drawn_by, has_own_panel, is_a_line, on_the_axis
from twolevel.findings.varying.random_words import is_intercept, marginal_variance, variances
from twolevel.text.markdown import attribute, escape, num, words

if TYPE_CHECKING:
    from twolevel.findings.results import Results
    from twolevel.summaries.base import Level
    from twolevel.summaries.rows import Estimate


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


def caterpillar(found: Results) -> Figure:
    """The subjects' predicted deviations with their intervals."""
    how = " in ascending order with their intervals, around 0"
    own = [each for each in variances(found.mixed) if each.own and not each.own[0].within]
    if is_intercept(found.mixed):
        return Figure(
            "fig-caterpillar",
            "Subjects' predicted deviations $S_i$ from what the fixed effects predict (BLUPs, "
            f"REML), with {found.level} intervals, sorted.",
            f"Predicted deviations of {how_many(found)}{how}.",
        )
    listed = words([each.what for each in own if not each.is_correlation])
    return Figure(
        "fig-caterpillar",
        f"What is predicted of each subject's own {listed}, as deviations from what the fixed "
        f"effects predict (BLUPs, REML), with {found.level} intervals, each sorted.",
        f"Predicted deviations of {how_many(found)}, of each effect{how}.",
    )


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
            f"Arrows from {how_many(found)}' own {one} and {other} to their predictions, which "
            "lie nearer to the middle of the ellipse.",
        )
    fewest, most = found.design.per_subject
    if not is_intercept(found.mixed):
        return Figure(
            "fig-shrinkage",
            "What each subject's observations say of its own mean against its prediction by the "
            "mixed model.",
            f"Predicted effects of {how_many(found)} against least squares; most points lie "
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


def _first_deviation(found: Results) -> str:
    """What the first parameter of the table of intervals is, in words."""
    if is_intercept(found.mixed):
        return "the standard deviation between subjects"
    return f"the standard deviation of subjects' own {attribute(variances(found.mixed)[0].what)}"
