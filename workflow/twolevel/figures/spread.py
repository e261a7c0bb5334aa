"""How a sample of deviations spreads: its histogram with normal curves, and its quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.special import betaincinv, ndtr, ndtri

from twolevel.figures.density import bin_edges
from twolevel.figures.parts import draw_normal, key
from twolevel.figures.theme import INK, TRUTH, WITHIN
from twolevel.text.confidence import alpha
from twolevel.text.numbers import significant

QQ_POINTS = 200  # of many, evenly spread over the normal quantiles


@dataclass(frozen=True)
class Sample:
    """Deviations with their SD, the SD that is estimated of what they stand for, and the truth.

    `what` they are is named in their key, `name` says of what the estimate is; each counts for
    `weight` values, less than 1 where the same one stands in several rows.
    """

    title: str
    what: str
    name: str
    colour: str
    values: np.ndarray
    sd: float
    sigma: float | None
    truth: tuple[float, float] | None = None  # mean and SD
    weight: float = 1.0


def of_residuals(
    values: np.ndarray, sigma: float | None, truth: tuple[float, float] | None = None
) -> Sample:
    """A fit's residuals (N,), beside the SD within subjects that is estimated from them."""
    return Sample(
        title=f"{len(values):,} residuals",
        what="residuals",
        name="SD within",
        colour=WITHIN,
        values=values,
        sd=float(values.std()),
        sigma=sigma,
        truth=truth,
    )


def histogram(ax: Axes, sample: Sample) -> None:
    """Draw a sample's histogram with its normal distributions."""
    values, colour = sample.values, sample.colour
    edges = bin_edges(values)
    counts, _ = np.histogram(values, edges, weights=np.full(len(values), sample.weight))
    ax.stairs(counts, edges, fill=True, color=colour, alpha=0.3, linewidth=0)
    area = sample.weight * len(values) * (edges[1] - edges[0])
    entries = []
    no_line = Line2D([], [], color=INK, linestyle="none")
    if sample.sd > 0:
        line = draw_normal(ax, values.mean(), sample.sd, area=area, color=colour)
        entries.append((line, f"SD of these {sample.what} {significant(sample.sd)}"))
    else:
        entries.append((no_line, f"all {sample.what} equal: no spread"))
    if sample.sigma:
        style = {"color": colour, "linestyle": (0, (1, 1.6)), "linewidth": 2}
        line = draw_normal(ax, 0.0, sample.sigma, area=area, **style)
        entries.append((line, f"{sample.name}, estimated {significant(sample.sigma)}"))
    elif sample.sigma == 0:
        entries.append((no_line, f"{sample.name} estimated as 0"))
    if sample.truth and sample.truth[1] > 0:
        line = draw_normal(ax, *sample.truth, area=area, **TRUTH)
        entries.append((line, f"{sample.name}, true {significant(sample.truth[1])}"))
    key(ax, sample.title, entries)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.grid(visible=False, axis="x")


def quantiles(ax: Axes, sample: Sample, level: float) -> None:
    """Draw a sample's normal quantile plot with a band of this level, point by point."""
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
    key(ax, "", [(line, f"slope = SD {significant(sample.sd)}")])
    ax.set_xlabel("standard normal quantile")


def _ranks(count: int) -> np.ndarray:
    """Return the ranks (from 1) to draw: all if few, else evenly spread over normal quantiles."""
    if count <= QQ_POINTS:
        return np.arange(1, count + 1)
    end = -ndtri(0.5 / count)
    p = ndtr(np.linspace(-end, end, QQ_POINTS))
    return np.unique((p * count + 0.5).round().astype(int))
