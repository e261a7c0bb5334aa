"""What a report says of single subjects: how predictions shrink, and what changes without one."""

from __future__ import annotations

from twolevel.findings.headline import Claim
from twolevel.findings.results import Results
from twolevel.text.markdown import Markdown, counted, escape, num


def shrinkage(found: Results) -> Claim:
    """By what share of its deviation a subject's random effect is predicted.

    The share n lambda / (1 + n lambda) is that of the fewest and of the most observations.
    """
    fewest, most = found.design.per_subject
    least, largest = (
        n * found.mixed.lambda_ / (1 + n * found.mixed.lambda_) for n in (fewest, most)
    )
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
        between, within = first.change_sigma_between, first.change_sigma_within
        if between is not None and within is not None:
            said += (
                f" Without it, $\\hat\\sigma_b$ {_changed(mixed.sigma_between, between)}, and "
                f"$\\hat\\sigma_w$ {_changed(mixed.sigma_within, within)}."
            )
        numbers = {"cooks_distance": first.cooks_distance, "between": between, "within": within}
        claims.append(Claim("influence", Markdown(said), None, numbers))
    needed = mixed.influence.not_estimable
    if needed:
        said = (
            f"Without {counted(needed, 'subject')}, the model could not be fitted: an effect, or "
            f"one of the variances, rests on {'it' if needed == 1 else 'each of them'} alone."
        )
        claims.append(Claim("needed", Markdown(said), None, {"subjects": needed}))
    return claims


def _changed(estimate: float, change: float) -> str:
    if change == 0:
        return f"remains {num(estimate, 3)}"
    return f"is {num(estimate + change, 3)} instead of {num(estimate, 3)}"
