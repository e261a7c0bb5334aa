"""Words of the figures that ask whether the model is to be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twolevel.figures.captions.figure import Figure, how_many
from twolevel.findings.varying.random_words import is_intercept
from twolevel.text.markdown import attribute, escape, num

if TYPE_CHECKING:
    from twolevel.findings.results import Results


def residuals_fitted(found: Results) -> Figure:
    """Residuals against fitted values."""
    return Figure(
        "fig-residuals",
        r"Residuals $\eta_{ij}$ against fitted values, with their running median and quartiles.",
        "Residuals scattered around 0 over the range of fitted values, with a standard deviation "
        f"of {num(found.mixed.sigma_within, 3)}.",
    )


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


def scale_location(found: Results) -> Figure:
    """The residuals' size under each level."""
    under = f" under each level of {escape(found.condition)}" if found.condition else ""
    by = f" by level of {attribute(found.condition)}" if found.condition else ""
    return Figure(
        "fig-scale",
        f"Root of the residuals' size{under}, with its mean.",
        f"Square roots of absolute residuals{by}, with means.",
    )


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
        f"Cook's distances of {how_many(found)}{largest}.",
    )
