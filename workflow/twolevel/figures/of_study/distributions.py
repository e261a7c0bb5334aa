"""The heart of the lecture: subject means and residuals are both random variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.effect_distributions import effect_distributions
from twolevel.figures.parts import limits, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.spread import Sample, histogram, of_residuals, quantiles
from twolevel.figures.theme import BETWEEN, new_figure, themed
from twolevel.figures.words import Labels
from twolevel.text.confidence import LEVEL
from twolevel.text.numbers import significant

if TYPE_CHECKING:
    from twolevel.summaries.truth_summary import TruthSummary


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    level1, level2 = sources.level1.own, sources.hierarchical.own
    if level1 is not None and level2 is not None:
        tables = sources.subjects, sources.residuals
        return effect_distributions(*tables, level1, level2, sources.labels, sources.level)
    return distributions(
        sources.subjects,
        sources.residuals,
        sigma_between=sources.hierarchical.sigma_between,
        sigma_within=sources.hierarchical.sigma_within,
        truth=sources.truth,
        labels=sources.labels,
        level=sources.level,
    )


@themed
def distributions(
    subjects: pd.DataFrame,
    residuals: pd.DataFrame,
    *,
    sigma_between: float | None,
    sigma_within: float | None,
    truth: TruthSummary | None,
    labels: Labels,
    level: float = LEVEL,
) -> Figure:
    """Draw subject means and residuals: histograms with normals, and side by side QQ plots below.

    `subjects`: subject_mean, one row per subject. `residuals`: residual, one row per observation.
    Both are drawn as deviations in the response's unit, the subject means from their average, on
    one scale, so that the spread between can be compared with the spread within. Solid: the normal
    with the SD of what is drawn; dotted: with the estimated standard deviation, where it is
    positive; dashed: the simulated `truth` (grand_mean, sigma_between, sigma_within), whose
    grand_mean is the average over the conditions, as a subject mean is. A QQ line's slope is the
    SD; its band holds each point with the probability `level` when the values are normal.
    """
    means = subjects["subject_mean"].to_numpy(float)
    centre = float(means.mean())
    eta = residuals["residual"].to_numpy(float)
    # A saturated fit leaves rounding errors, which are no residuals.
    eta = np.where(np.abs(eta) <= 1e-10 * max(abs(centre), np.ptp(means)), 0.0, eta)
    between = Sample(
        title=f"{len(means):,} subject means",
        what="means",
        name="SD between",
        colour=BETWEEN,
        values=means - centre,
        sd=float(means.std(ddof=1)) if len(means) > 1 else 0.0,
        sigma=sigma_between,
        truth=(truth.grand_mean - centre, truth.sigma_between) if truth else None,
    )
    within = of_residuals(eta, sigma_within, (0.0, truth.sigma_within) if truth else None)

    figure = new_figure(6.1)
    grid = figure.add_gridspec(3, 2, height_ratios=(1, 1, 1.35))
    above = [figure.add_subplot(grid[k, :]) for k in range(2)]
    below = [figure.add_subplot(grid[2, k]) for k in range(2)]
    both = limits(between.values, within.values)
    for ax, sample in zip(above, (between, within), strict=True):
        histogram(ax, sample)
        ax.set_xlim(both)
        ax.set_ylabel("count")
    for ax, sample in zip(below, (between, within), strict=True):
        quantiles(ax, sample, level)
        ax.set_ylim(both)
    room = room_of(figure)
    above[0].set_xlabel(labels.in_unit(f"subject mean μᵢ − {significant(centre)}", room))
    above[1].set_xlabel(labels.in_unit("residual ηᵢⱼ", room))
    below[0].set_ylabel(labels.in_unit("deviation", room_of(figure, 2, across=False)))
    return figure
