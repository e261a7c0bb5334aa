"""Residuals against fitted values: is the spread within subjects the same everywhere?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.density import draw_cloud
from twolevel.figures.parts import key, limits, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import INK, WITHIN, new_figure, themed
from twolevel.figures.words import Labels

FEWEST = 30  # residuals; a running median of fewer only follows them
MOST_GROUPS = 20


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    return residuals_fitted(sources.conditional_residuals, sources.labels)


@themed
def residuals_fitted(residuals: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the conditional residuals against the fitted values, with running median and quartiles.

    `residuals`: fitted, residual, in the response's unit. The running quartiles are those of
    equally large groups of neighbours, 25 or more in each where there are 75 or more. Beyond 1000
    residuals cells are shaded by their number.
    """
    x = residuals["fitted"].to_numpy(float)
    y = residuals["residual"].to_numpy(float)
    figure = new_figure(3.0)
    ax = figure.subplots()
    aggregated = draw_cloud(ax, x, y)
    ax.axhline(0, color=INK, linewidth=1)
    if len(x) >= FEWEST and np.ptp(x) > 0:
        at, lower, median, upper = running_quartiles(x, y)
        band = ax.fill_between(at, lower, upper, color=WITHIN, alpha=0.18, linewidth=0)
        line = ax.plot(at, median, color=WITHIN, linewidth=2)[0]
        key(ax, "", [(line, "running median"), (band, "quartiles")], columns=2)
    ax.set_xlim(limits(x))
    ax.set_ylim(limits(y, [0.0]))
    ax.set_xlabel(labels.in_unit(f"fitted {labels.response}", room_of(figure)))
    ax.set_ylabel(labels.in_unit("residual ηᵢⱼ", room_of(figure, across=False)))
    if aggregated:
        note(figure, f"{len(x):,} residuals; the stronger a cell's colour, the more of them in it.")
    return figure


def running_quartiles(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return mean x and the three quartiles of y (4 x groups), over groups of neighbours in x."""
    order = np.argsort(x, kind="stable")
    groups = np.array_split(order, int(np.clip(len(x) // 25, 3, MOST_GROUPS)))
    rows = [(x[group].mean(), *np.percentile(y[group], (25, 50, 75))) for group in groups]
    return np.array(rows).T
