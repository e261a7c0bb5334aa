"""The condition means with their intervals, in front of the data."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.density import draw_mirrored
from twolevel.figures.parts import (
    MANY_POINTS,
    Conditions,
    jitter,
    key,
    response_label,
    room_of,
)
from twolevel.figures.theme import INK, MUTED, new_figure, themed
from twolevel.figures.words import SMALL, Labels, number

MOST_NUMBERED = 8


@themed
def condition_means(observations: pd.DataFrame, means: pd.DataFrame, labels: Labels) -> Figure:
    """Draw each condition's estimated mean and 95% interval in front of its observations.

    `observations`: condition, response. `means`: condition, estimate, ci_low, ci_high; one row per
    condition, in the response's unit. Beyond 1000 observations each condition's histogram is drawn,
    mirrored, instead of points. Up to 8 conditions the means are printed.
    """
    conditions = Conditions.of(means["condition"])
    code = conditions.code(observations["condition"])
    y = observations["response"].to_numpy(float)
    at, gap = conditions.at, conditions.gap
    estimate, low, high = (means[c].to_numpy(float) for c in ("estimate", "ci_low", "ci_high"))

    figure = new_figure(4.0)
    ax = figure.subplots()
    conditions.label_axis(ax, labels, room_of(figure))
    response_label(ax, labels, room_of(figure, across=False))
    if len(y) > MANY_POINTS:
        for j in np.unique(code):
            raw = draw_mirrored(ax, at[j], 0.32 * gap, y[code == j])
        words = f"{len(y):,} observations"
    else:
        x = at[code] + 0.5 * gap * jitter(len(y))
        raw = ax.plot(x, y, "o", color=MUTED, markersize=3.5, alpha=0.6, markeredgewidth=0)[0]
        words = "observations"
    front = {"color": INK, "zorder": 3}
    ax.vlines(at, low, high, linewidth=2.2, **front)
    ax.plot(np.tile(at, 2), np.concatenate([low, high]), "_", markersize=11, **front)
    point = ax.plot(at, estimate, "o", markersize=5.5, **front)[0]
    if len(at) <= MOST_NUMBERED:
        for x, value in zip(at, estimate, strict=True):
            place = (x + 0.36 * gap, value)
            ax.text(*place, number(value), va="center", fontsize=SMALL, color=INK)
    key(ax, "", [(point, "mean and 95% interval"), (raw, words)], columns=2)
    return figure
