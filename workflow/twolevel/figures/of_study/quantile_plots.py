"""Residuals and random effects against normal quantiles: are both levels normal?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import key, limits, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, WITHIN, new_figure, themed
from twolevel.figures.words import Labels
from twolevel.text.confidence import LEVEL, percent

COLOURS = {"residual": WITHIN, "random effect": BETWEEN}


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    return quantile_plots(sources.quantiles, sources.labels, sources.level)


@themed
def quantile_plots(points: pd.DataFrame, labels: Labels, level: float = LEVEL) -> Figure:
    """Draw the ordered residuals (left) and random effects (right) against normal quantiles.

    `points`: of ("residual" or "random effect"), theoretical (standard normal quantile), observed,
    low and high (ends of the band of this level, point by point), the latter three in the
    response's unit; at most some 400 rows of each. Points outside their band are drawn open and
    larger. Random effects that are all 0, or absent, are left out and the note says so.
    """
    samples = {name: points[points["of"] == name] for name in COLOURS}
    effects = samples["random effect"]
    words = ""
    if effects.empty:
        words = "No random effects to draw."
    elif not np.any(effects[["observed", "low", "high"]].to_numpy(float)):
        words = "SD between estimated as 0: all random effects are 0 and are not drawn."
    if words:
        del samples["random effect"]

    figure = new_figure(3.7)
    axes = figure.subplots(1, len(samples), squeeze=False)[0]
    for ax, (name, sample) in zip(axes, samples.items(), strict=True):
        _panel(ax, sample, COLOURS[name], level)
        ax.set_xlabel("standard normal quantile")
        ax.set_ylabel(labels.in_unit(name, room_of(figure, across=False)))
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
    count = f"outside: {np.count_nonzero(outside)} of {len(y)} points"
    key(ax, "", [(band, f"{percent(level)}% band, point by point"), (mark, count)])
    ax.set_ylim(limits(y, low, high))
