"""The size of the residuals by condition: is the spread within subjects equal?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.density import draw_mirrored
from twolevel.figures.parts import MANY_POINTS, Conditions, jitter, key, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import INK, MUTED, WITHIN, new_figure, themed
from twolevel.figures.words import Labels
from twolevel.text.numbers import significant


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    sigma_within = sources.mixed.sigma_within
    return scale_location(sources.conditional_residuals, sigma_within, sources.labels)


@themed
def scale_location(residuals: pd.DataFrame, sigma_within: float, labels: Labels) -> Figure:
    """Draw sqrt(|residual| / `sigma_within`) of each condition with its mean.

    `residuals`: condition, residual, the latter in the response's unit as is `sigma_within`. With
    equal spread all means lie near the line, which is the mean of all observations. Conditions
    stand in the order of their categories, or else as in the data. Beyond 1000 residuals each
    condition's histogram is drawn, mirrored, instead of points.
    """
    conditions = Conditions.of(_order(residuals["condition"]))
    code = conditions.code(residuals["condition"])
    at, gap = conditions.at, conditions.gap
    size = np.abs(residuals["residual"].to_numpy(float))
    # Without spread, residuals are rounding errors.
    y = np.sqrt(size / sigma_within) if sigma_within > 0 else np.zeros(len(size))
    means = np.bincount(code, y) / np.bincount(code)

    figure = new_figure(3.0)
    ax = figure.subplots()
    conditions.label_axis(ax, labels, room_of(figure))
    if len(y) > MANY_POINTS:
        for j in range(len(at)):
            raw = draw_mirrored(ax, at[j], 0.36 * gap, y[code == j])
        words = f"{len(y):,} observations"
    else:
        x = at[code] + 0.5 * gap * jitter(len(y))
        raw = ax.plot(x, y, "o", color=MUTED, markersize=3.5, alpha=0.6, markeredgewidth=0)[0]
        words = "observations"
    style = {"color": INK, "linewidth": 1, "linestyle": (0, (5, 2.5))}
    overall = ax.axhline(y.mean(), zorder=2.5, **style)
    conditions.profile(ax, means, color=WITHIN, linewidth=1.6, zorder=3)
    ax.plot(at, means, "D", color=WITHIN, markersize=6, zorder=3)
    mark = Line2D([], [], marker="D", markersize=6, color=WITHIN, linewidth=1.6)
    entries = [(mark, "mean"), (overall, f"mean of all: {significant(y.mean())}")]
    key(ax, "", [*entries, (raw, words)], columns=3)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("√(|ηᵢⱼ| / SD within)")
    if not sigma_within > 0:
        note(figure, "SD within estimated as 0: there are no residuals.")
    return figure


def _order(condition: pd.Series) -> list[object]:
    """Return the conditions that occur: numbers ascending, names by category or as they come."""
    if isinstance(condition.dtype, pd.CategoricalDtype):
        return list(condition.cat.remove_unused_categories().cat.categories)
    found = list(condition.unique())
    return sorted(found) if pd.api.types.is_numeric_dtype(condition) else found
