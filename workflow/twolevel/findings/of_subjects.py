"""What a report says of single subjects: how predictions shrink, and what changes without one."""

from __future__ import annotations

from twolevel.findings.claim import Claim
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import Variance, is_intercept, variances
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.text.markdown import Markdown, counted, escape, num


def shrinkage(found: Results) -> Claim | None:
    """By what share of its deviation a subject's random intercept is predicted.

    The share n lambda / (1 + n lambda) is that of the fewest and of the most observations.
    None where subjects have more of their own.
    """
    fewest, most = found.design.per_subject
    lambda_ = found.mixed.lambda_
    if lambda_ is None or not is_intercept(found.mixed):
        return None
    least, largest = (n * lambda_ / (1 + n * lambda_) for n in (fewest, most))
    if found.mixed.boundary:
        said = "Here this factor is 0: all predictions are 0."
    elif fewest == most:
        said = f"Here this factor is {num(least, 3)} for every subject."
    else:
        said = (
            f"Here this factor is {num(least, 3)} for a subject with "
            f"{counted(fewest, 'observation')}, and {num(largest, 3)} for one with {most}."
        )
    return Claim("shrinkage", Markdown(said), None, {"least": least, "largest": largest})


def influence(found: Results) -> list[Claim]:
    """Without which subject the fit changes most, how, and how many it cannot do without."""
    mixed, claims = found.mixed, []
    for first in mixed.influence.subjects[:1]:
        said = (
            "The fixed effects change most without subject "
            f"{escape(first.subject)} (Cook's distance {num(first.cooks_distance, 3)})."
        )
        deviations = [each for each in variances(mixed) if not each.is_correlation]
        changes = [first.changes[each.row.parameter] for each in deviations]
        if None not in changes:
            *between, within = [
                f"{_called(each, mixed)} {_changed(each.row.sdcor or 0.0, change or 0.0)}"
                for each, change in zip(deviations, changes, strict=True)
            ]
            said += f" Without it, {', '.join(between)}, and {within}."
        numbers = {"cooks_distance": first.cooks_distance}
        numbers |= {e.row.parameter: c for e, c in zip(deviations, changes, strict=True)}
        claims.append(Claim("influence", Markdown(said), None, numbers))
    needed = mixed.influence.not_estimable
    if needed:
        said = (
            f"Without {counted(needed, 'subject')}, the model could not be fitted: an effect, or "
            f"one of the variances, rests on {'it' if needed == 1 else 'each of them'} alone."
        )
        claims.append(Claim("needed", Markdown(said), None, {"subjects": needed}))
    return claims


def _called(variance: Variance, mixed: MixedSummary) -> str:
    """A standard deviation as it stands in a sentence about its estimate."""
    if is_intercept(mixed):
        return r"$\hat\sigma_b$" if variance.own else r"$\hat\sigma_w$"
    if variance.own:
        return f"the standard deviation of subjects’ own {variance.what}"
    return "that within subjects"


def _changed(estimate: float, change: float) -> str:
    before, after = num(estimate, 3), num(estimate + change, 3)
    return f"remains {before}" if after == before else f"is {after} instead of {before}"
