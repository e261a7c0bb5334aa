"""Every subject's predicted deviation with its interval, sorted."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from twolevel.figures.parts import limits, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, new_figure, themed
from twolevel.figures.words import SMALL, Labels, shorten
from twolevel.text.confidence import LEVEL, percent

MOST_NAMES = 60
MOST_INTERVALS = 120
MOST_STEPS = 200


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    return caterpillar(sources.random_effects, sources.labels, sources.level)


@themed
def caterpillar(random_effects: pd.DataFrame, labels: Labels, level: float = LEVEL) -> Figure:
    """Draw the `random_effect` of every subject with its interval, lowest below.

    `random_effects`: subject, random_effect (BLUP) and se (its conditional SD), in the response's
    unit. Up to 60 subjects are named, up to 120 have an interval each; of more, a ribbon shows the
    intervals averaged over neighbouring ranks. The line at 0 marks what the fixed effects predict.
    """
    ranked = random_effects.sort_values("random_effect", kind="stable")
    estimate = ranked["random_effect"].to_numpy(float)
    half = ndtri(0.5 + level / 2) * ranked["se"].to_numpy(float)
    low, high = estimate - half, estimate + half
    count = len(ranked)
    rank = np.arange(1, count + 1)

    figure = new_figure(max(2.0, 1.1 + 0.17 * count) if count <= MOST_NAMES else 5.0)
    ax = figure.subplots()
    ax.axvline(0, color=INK, linewidth=1.2)
    if count <= MOST_INTERVALS:
        _intervals(ax, rank, estimate, low, high, named=count <= MOST_NAMES)
    else:
        _ribbon(ax, rank, estimate, low, high)
    if count <= MOST_NAMES:
        ax.set_yticks(rank, [shorten(name, 110, SMALL) for name in ranked["subject"]])
        ax.set_ylabel(shorten(labels.subject, room_of(figure, across=False)))
    else:
        ax.set_ylabel(shorten(f"rank of {labels.subject}", room_of(figure, across=False)))
    ax.grid(visible=False, axis="y")
    ax.set_ylim(0.2 - 0.01 * count, 0.8 + 1.01 * count)
    ax.set_xlim(limits(low, high))
    room = room_of(figure) - 90
    ax.set_xlabel(labels.in_unit(f"predicted deviation in {labels.response}", room))
    note(figure, _words(low, high, level))
    return figure


def _words(low: np.ndarray, high: np.ndarray, level: float) -> str:
    count = len(low)
    if np.all(low == high):
        return f"SD between estimated as 0: all {count:,} predicted deviations are 0."
    outside = np.count_nonzero((low > 0) | (high < 0))
    words = (
        "Line: what the fixed effects predict for the subject; "
        f"{outside:,} of {count:,} {percent(level)}% intervals exclude it."
    )
    if count > MOST_INTERVALS:
        words += " Ribbon: intervals, averaged over neighbouring ranks."
    return words


def _intervals(
    ax: Axes, rank: np.ndarray, estimate: np.ndarray, low: np.ndarray, high: np.ndarray, named: bool
) -> None:
    ax.hlines(rank, low, high, color=BETWEEN, linewidth=2 if named else 1.2, alpha=0.45)
    size = 5 if named else 2.5
    ax.plot(estimate, rank, "o", color=BETWEEN, markersize=size, markeredgewidth=0)


def _ribbon(
    ax: Axes, rank: np.ndarray, estimate: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    # Where subjects have unequal numbers of observations, so do neighbours unequal intervals.
    steps = min(MOST_STEPS, len(rank) // 5)
    start = np.linspace(0, len(rank), steps, endpoint=False).astype(int)
    size = np.diff(start, append=len(rank))
    at, middle, low, high = (
        np.add.reduceat(values, start) / size for values in (rank, estimate, low, high)
    )
    ax.fill_betweenx(at, low, high, color=BETWEEN, alpha=0.25, linewidth=0)
    ax.plot(middle, at, color=BETWEEN, linewidth=2)
