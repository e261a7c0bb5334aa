"""The heart of the lecture: subject means and residuals are both random variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.special import betaincinv, ndtr, ndtri

from twolevel.figures.density import bin_edges
from twolevel.figures.parts import draw_normal, key, limits, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, TRUTH, WITHIN, new_figure, themed
from twolevel.figures.words import Labels
from twolevel.text.confidence import LEVEL, alpha
from twolevel.text.numbers import significant

if TYPE_CHECKING:
    from twolevel.summaries.truth_summary import TruthSummary

QQ_POINTS = 200  # of many, evenly spread over the normal quantiles


@dataclass(frozen=True)
class _Sample:
    """Deviations of one level with their SD, the level's estimated SD, and the truth."""

    what: str
    level: str
    colour: str
    values: np.ndarray
    sd: float
    sigma: float | None
    truth: tuple[float, float] | None  # mean and SD


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
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
    """Draw subject means (left) and residuals (right): histogram with normals above, QQ plot below.

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
    between = _Sample(
        what="means",
        level="between",
        colour=BETWEEN,
        values=means - centre,
        sd=float(means.std(ddof=1)) if len(means) > 1 else 0.0,
        sigma=sigma_between,
        truth=(truth.grand_mean - centre, truth.sigma_between) if truth else None,
    )
    within = _Sample(
        what="residuals",
        level="within",
        colour=WITHIN,
        values=eta,
        sd=float(eta.std()),
        sigma=sigma_within,
        truth=(0.0, truth.sigma_within) if truth else None,
    )

    figure = new_figure(6.2)
    axes = figure.subplots(2, 2, sharex="row", height_ratios=(1, 1.1))
    room = room_of(figure, 2)
    for ax, sample in zip(axes[0], (between, within), strict=True):
        _histogram(ax, sample)
    for ax, sample in zip(axes[1], (between, within), strict=True):
        _quantiles(ax, sample, level)
    both = limits(between.values, within.values)
    axes[0, 0].set_xlim(both)
    for ax in axes[1]:
        ax.set_ylim(both)
    axes[0, 0].set_xlabel(labels.in_unit(f"subject mean − {significant(centre)}", room))
    axes[0, 1].set_xlabel(labels.in_unit("residual", room))
    axes[0, 0].set_ylabel("count")
    axes[1, 0].set_ylabel(labels.in_unit("deviation", room))
    return figure


def _histogram(ax: Axes, sample: _Sample) -> None:
    values, colour = sample.values, sample.colour
    edges = bin_edges(values)
    counts, _ = np.histogram(values, edges)
    ax.stairs(counts, edges, fill=True, color=colour, alpha=0.3, linewidth=0)
    area = len(values) * (edges[1] - edges[0])
    entries = []
    no_line = Line2D([], [], color=INK, linestyle="none")
    if sample.sd > 0:
        line = draw_normal(ax, values.mean(), sample.sd, area=area, color=colour)
        entries.append((line, f"SD of these {sample.what} {significant(sample.sd)}"))
    else:
        entries.append((no_line, f"all {sample.what} equal: no spread"))
    name = f"SD {sample.level}"
    if sample.sigma:
        style = {"color": colour, "linestyle": (0, (1, 1.6)), "linewidth": 2}
        line = draw_normal(ax, 0.0, sample.sigma, area=area, **style)
        entries.append((line, f"{name}, estimated {significant(sample.sigma)}"))
    elif sample.sigma == 0:
        entries.append((no_line, f"{name} estimated as 0"))
    if sample.truth and sample.truth[1] > 0:
        line = draw_normal(ax, *sample.truth, area=area, **TRUTH)
        entries.append((line, f"{name}, true {significant(sample.truth[1])}"))
    key(ax, f"{len(values):,} {'subject ' * (sample.what == 'means')}{sample.what}", entries)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.grid(visible=False, axis="x")


def _quantiles(ax: Axes, sample: _Sample, level: float) -> None:
    count = len(sample.values)
    rank = _ranks(count)
    z = ndtri((rank - 0.5) / count)
    centre = sample.values.mean()
    if sample.sd > 0:
        # The k-th of n uniform order statistics is Beta(k, n + 1 - k): exact pointwise limits.
        low, high = (
            centre + sample.sd * ndtri(betaincinv(rank, count + 1 - rank, p))
            for p in (alpha(level) / 2, 1 - alpha(level) / 2)
        )
        ax.fill_between(z, low, high, color=sample.colour, alpha=0.14, linewidth=0)
    ends = np.array([-1.08, 1.08]) * max(z[-1], 1.0)
    line = ax.plot(ends, centre + sample.sd * ends, color=sample.colour, linewidth=1.4)[0]
    ax.plot(z, np.sort(sample.values)[rank - 1], "o", color=INK, markersize=3, markeredgewidth=0)
    key(ax, "", [(line, f"normal: slope = SD = {significant(sample.sd)}")])
    ax.set_xlabel("standard normal quantile")


def _ranks(count: int) -> np.ndarray:
    """Return the ranks (from 1) to draw: all if few, else evenly spread over normal quantiles."""
    if count <= QQ_POINTS:
        return np.arange(1, count + 1)
    end = -ndtri(0.5 / count)
    p = ndtr(np.linspace(-end, end, QQ_POINTS))
    return np.unique((p * count + 0.5).round().astype(int))
