"""Residuals and random effects against normal quantiles: are both levels normal?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import key, limits, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, WITHIN, new_figure, themed
from twolevel.figures.words import Labels, in_lines
from twolevel.text.confidence import LEVEL, percent

MOST_ACROSS = 2

SYMBOLS = {"residual": "residual ηᵢⱼ", "random effect": "random effect Sᵢ"}


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    return quantile_plots(sources.quantiles, sources.labels, sources.level)


@themed
def quantile_plots(points: pd.DataFrame, labels: Labels, level: float = LEVEL) -> Figure:
    """Draw the ordered residuals (left) and each random effect against normal quantiles.

    `points`: of ("residual", "random effect", or others that begin with this), theoretical
    (standard normal quantile), observed, low and high (ends of the band of this level, point by
    point), the latter three in the unit of what it is of; at most some 400 rows of each. Points
    outside their band are drawn open and larger. Random effects that are all 0, or absent, are left
    out and the note says so.
    """
    samples = dict(list(points.groupby("of", sort=False)))
    empty = [
        name
        for name, sample in samples.items()
        if name != "residual" and not np.any(sample[["observed", "low", "high"]].to_numpy(float))
    ]
    words = "" if len(samples) > 1 else "No random effects to draw."
    for name in empty:
        words = "SD between estimated as 0: all random effects are 0 and are not drawn."
        del samples[name]

    across = min(len(samples), MOST_ACROSS)
    down = -(-len(samples) // across)
    figure = new_figure(3.3 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, (name, sample) in zip(axes, samples.items(), strict=False):
        _panel(ax, sample, WITHIN if name == "residual" else BETWEEN, level)
        ax.set_xlabel("standard normal quantile")
        room = room_of(figure, across=False) / down
        # A slope's unit is not the response's, and only its name says what it is of.
        said = SYMBOLS.get(name)
        ax.set_ylabel(labels.in_unit(said, room) if said else in_lines(name, room))
    for ax in axes[len(samples) :]:
        ax.set_axis_off()
    if words:
        note(figure, words)
    return figure


def _panel(ax: Axes, sample: pd.DataFrame, colour: str, level: float) -> None:
    sample = sample.sort_values("theoretical", kind="stable")
    x, y, low, high = (
        sample[column].to_numpy(float) for column in ("theoretical", "observed", "low", "high")
    )
    outside = (y < low) | (y > high)
    band = ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    filled = {"color": colour, "markersize": 3.2, "markeredgewidth": 0, "linestyle": "none"}
    hollow = {"color": colour, "markersize": 6.5, "markeredgewidth": 1.3, "linestyle": "none"}
    hollow["markerfacecolor"] = "none"
    ax.plot(x[~outside], y[~outside], marker="o", alpha=0.8, **filled)
    if outside.any():
        ax.plot(x[outside], y[outside], marker="o", **hollow)
    mark = Line2D([], [], marker="o", **hollow)
    count = f"{np.count_nonzero(outside)} of {len(y)} outside"
    key(ax, "", [(band, f"{percent(level)}% at each point"), (mark, count)])
    ax.set_ylim(limits(y, low, high))
