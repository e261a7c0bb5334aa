"""What a page draws other subjects from: the fitted model, where it is of a kind for this."""

from __future__ import annotations

from typing import Any

from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import is_intercept, variances
from twolevel.random.effect_names import INTERCEPT

# Of more observations of one subject, a histogram of residuals would be full after the first.
MOST_OBSERVATIONS = 100


def drawn_again(found: Results) -> dict[str, Any] | None:
    """The model (REML) by which another subject would come to its observations.

    mean and between: subjects' means are N(mean, between^2); within: their residuals N(0,
    within^2); observations: how many each has, one under each level of the condition where subjects
    see all of them; shared: whether effects of these levels are estimated from all subjects; line:
    where subjects have lines of their own, the unit vector of the condition's values around their
    mean, and the subject's mean is what its line has there. Its variance is z' Cov(b) z with
    z = (1, that mean). subjects: how many the study has.

    None where subjects have more of their own, or too few or too many observations each, or where
    nothing varies within them.
    """
    design, mixed = found.design, found.mixed
    sees_all = found.condition is not None and design.complete.n_subjects > 1
    observations = found.n_levels if sees_all else design.per_subject[1]
    model: dict[str, Any] = {
        "mean": mixed.grand_mean.estimate,
        "between": mixed.sigma_between,
        "within": mixed.sigma_within,
        "observations": observations,
        "shared": sees_all,
        "line": None,
        "subjects": design.n_subjects,
    }
    if not is_intercept(mixed):
        means = [mean.estimate for mean in mixed.means if mean.estimate is not None]
        if not sees_all or not _are_lines(found) or len(means) < found.n_levels:
            return None
        at = [float(value) for value in design.conditions]
        centre = sum(at) / len(at)
        size = sum((value - centre) ** 2 for value in at) ** 0.5
        model |= {
            "mean": sum(means) / len(at),
            "between": _variance_at(found, centre) ** 0.5,
            "shared": found.slope is None,
            "line": [(value - centre) / size for value in at],
        }
    coefficients = 1 if model["line"] is None else 2
    if not coefficients < observations <= MOST_OBSERVATIONS or mixed.sigma_within <= 0:
        return None
    return model


def _are_lines(found: Results) -> bool:
    """Whether subjects have lines in the condition of their own, and nothing else."""
    terms = found.mixed.random_terms
    effects = sorted(effect for term in terms for effect in term.effects)
    return not any(term.within for term in terms) and effects in (
        [INTERCEPT, found.condition],
        [found.condition],
    )


def _variance_at(found: Results, value: float) -> float:
    """The variance over subjects of what their lines have at a value of the condition."""
    total = 0.0
    for each in variances(found.mixed)[:-1]:
        slopes = sum(own.is_slope for own in each.own)
        total += each.row.vcov * value**slopes * (2 if each.is_correlation else value**slopes)
    return total
