"""Sampling distributions of three estimates, beside what theory says of them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.grid import left_out, legend, some, title
from twolevel.figures.theme import (
    BETWEEN,
    INK,
    MARGINAL,
    SOFT,
    TRUTH,
    WITHIN,
    new_figure,
    themed,
)
from twolevel.figures.words import SMALL

MOST_ROWS = 4
# The share of the estimates with the fewest subjects that may lie beyond each end of the axis.
BEYOND = 0.002
COLUMNS = {
    "grand_mean": ("grand mean", MARGINAL),
    "between_variance": ("variance between", BETWEEN),
    "within_variance": ("variance within", WITHIN),
}


@themed
def sampling_distributions(
    distributions: pd.DataFrame, measures: pd.DataFrame, *, grand_mean: float, sigma_within: float
) -> Figure:
    """Draw the distributions of the estimates for up to four numbers of subjects.

    `distributions`: subjects, sigma_between, missing, quantity, low, high, count, expected (the
    share that theory expects in a bin, or NaN). `measures` has the share of boundary fits. All at
    the largest sigma_between and the smallest share of missing cells.
    """
    sigma_between, missing = distributions["sigma_between"].max(), distributions["missing"].min()
    at = (distributions["sigma_between"] == sigma_between) & (distributions["missing"] == missing)
    table = distributions[at]
    boundary = measures[
        (measures["quantity"] == "boundary")
        & (measures["sigma_between"] == sigma_between)
        & (measures["missing"] == missing)
    ].set_index("subjects")
    subjects = some(table["subjects"], MOST_ROWS)
    truth = (grand_mean, sigma_between**2, sigma_within**2)

    figure = new_figure(0.9 + 1.15 * len(subjects))
    axes = figure.subplots(len(subjects), len(COLUMNS), sharex="col", squeeze=False)
    entries = {}
    for column, (quantity, (name, colour)) in enumerate(COLUMNS.items()):
        here = table[table["quantity"] == quantity]
        axes[0, column].set_xlim(_ends(here[here["subjects"] == subjects[0]], truth[column]))
        title(axes[0, column], name)
        for ax, n in zip(axes[:, column], subjects, strict=True):
            share, row = float(boundary.loc[n, "value"]), here[here["subjects"] == n]
            experiments = int(boundary.loc[n, "n"])
            entries |= _panel(ax, row, colour, experiments)
            entries["truth"] = ax.axvline(truth[column], **TRUTH)
            if quantity == "between_variance":
                words = f"{100 * share:.2g} % exactly 0"
                ax.text(
                    0.97,
                    0.93,
                    words,
                    transform=ax.transAxes,
                    ha="right",
                    va="top",
                    color=SOFT,
                    fontsize=SMALL,
                )
            ax.set_yticks([])
            ax.set_ylim(bottom=0)
            ax.spines["left"].set_visible(False)
    for ax, n in zip(axes[:, 0], subjects, strict=True):
        ax.set_ylabel(f"n = {n:,.0f}")
    order = [name for name in ("estimates", "theory", "truth") if name in entries]
    shown = {"subjects": subjects, "sigma_between": [sigma_between], "missing": [missing]}
    legend(figure, [(entries[name], name) for name in order], left_out(distributions, shown))
    return figure


def _panel(ax: Axes, row: pd.DataFrame, colour: str, experiments: int) -> dict:
    edges = np.append(row["low"].to_numpy(), row["high"].iloc[-1])
    wide = np.diff(edges)
    # The area is the share of experiments that are in a bin: those of exactly 0 are in none.
    density = row["count"].to_numpy() / experiments / wide
    drawn = {"estimates": ax.stairs(density, edges, fill=True, color=colour, alpha=0.45)}
    expected = row["expected"].to_numpy() / wide
    if np.isfinite(expected).all():
        middle = (edges[:-1] + edges[1:]) / 2
        drawn["theory"] = ax.plot(middle, expected, color=INK, linewidth=1.4)[0]
    return drawn


def _ends(row: pd.DataFrame, truth: float) -> tuple[float, float]:
    """The range that holds nearly all estimates, and the truth."""
    below = row["count"].cumsum() / max(row["count"].sum(), 1)
    low = row["low"].to_numpy()[np.searchsorted(below, BEYOND)]
    high = row["high"].to_numpy()[min(np.searchsorted(below, 1 - BEYOND), len(row) - 1)]
    low, high = min(low, truth), max(high, truth)
    return low - 0.03 * (high - low), high
