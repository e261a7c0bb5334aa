"""Sampling distributions of three estimates, and what theory says of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from twolevel.figures.panels import left_out, legend, one_design, percent, some, title
from twolevel.figures.parts import room_of
from twolevel.figures.replication_sources import ReplicationSources
from twolevel.figures.theme import (
    BETWEEN,
    INK,
    MARGINAL,
    MUTED,
    SOFT,
    TRUTH,
    WITHIN,
    new_figure,
    themed,
)
from twolevel.figures.words import SMALL, width
from twolevel.findings.of_replication.config_words import SpreadWords

MOST_ROWS = 4
# The share of the estimates with the fewest subjects that may lie beyond each end of the axis.
BEYOND = 0.002
STEPS = [1, 2, 5, 10]
COLUMNS = {
    "grand_mean": ("grand mean", MARGINAL),
    "between_variance": ("variance between", BETWEEN),
    "within_variance": ("variance within", WITHIN),
}


def draw(sources: ReplicationSources) -> Figure:
    """Draw the figure from the results of a replication study."""
    widest = max(sources.plan.rows, key=lambda row: row.sigma_between)
    return sampling_distributions(
        sources.distributions,
        sources.measures,
        grand_mean=widest.mean,
        sigma_within=widest.sigma_within,
        spread=sources.spread,
    )


@themed
def sampling_distributions(
    distributions: pd.DataFrame,
    measures: pd.DataFrame,
    *,
    grand_mean: float,
    sigma_within: float,
    spread: SpreadWords,
) -> Figure:
    """Draw the distributions of the estimates for up to four numbers of subjects.

    `distributions`: subjects, sigma_between, missing, replicates, quantity, low, high, count,
    expected (the share that theory expects in a bin, or NaN). `measures` has the share of boundary
    fits. All at the largest sigma_between, which `spread` names, and of one design.
    """
    sigma_between = distributions["sigma_between"].max()
    point = {"sigma_between": sigma_between} | one_design(distributions)
    table = _at(distributions, point)
    boundary = _at(measures, point | {"quantity": "boundary"}).set_index("subjects")
    subjects = some(table["subjects"], MOST_ROWS)
    truth = (grand_mean, sigma_between**2, sigma_within**2)

    figure = new_figure(0.9 + 1.15 * len(subjects))
    axes = figure.subplots(len(subjects), len(COLUMNS), sharex="col", squeeze=False)
    entries: dict[str, Artist] = {"estimates": Patch(color=MUTED, alpha=0.45, linewidth=0)}
    for column, (quantity, (name, colour)) in enumerate(COLUMNS.items()):
        here = table[table["quantity"] == quantity]
        span = _ends(here[here["subjects"] == subjects[0]], truth[column])
        title(axes[0, column], name)
        for ax, n in zip(axes[:, column], subjects, strict=True):
            row, experiments = here[here["subjects"] == n], int(boundary.loc[n, "n"])
            entries |= _panel(ax, row, colour, experiments)
            entries["truth"] = ax.axvline(truth[column], **TRUTH)
            if quantity == "between_variance" and experiments:
                _say_zeros(ax, 1 - float(row["count"].sum()) / experiments)
        _label(axes[-1, column], span, room_of(figure, len(COLUMNS)))
    for ax, n in zip(axes[:, 0], subjects, strict=True):
        ax.set_ylabel(f"n = {n:,.0f}")
    order = [name for name in ("estimates", "theory", "truth") if name in entries]
    shown = {"subjects": subjects} | {axis: [value] for axis, value in point.items()}
    words = left_out(distributions, shown, spread)
    legend(figure, [(entries[name], name) for name in order], words)
    return figure


def _at(table: pd.DataFrame, point: Mapping[str, object]) -> pd.DataFrame:
    for column, value in point.items():
        table = table[table[column] == value]
    return table


def _panel(ax: Axes, row: pd.DataFrame, colour: str, experiments: int) -> dict[str, Artist]:
    edges = np.append(row["low"].to_numpy(), row["high"].iloc[-1])
    # The area is the share of experiments that are in a bin: those of exactly 0 are in none.
    together = _together(len(row), experiments)
    counts = row["count"].to_numpy().reshape(-1, together).sum(axis=1)
    density = counts / max(experiments, 1) / np.diff(edges[::together])
    ax.stairs(density, edges[::together], fill=True, color=colour, alpha=0.45, linewidth=0)
    expected = row["expected"].to_numpy() / np.diff(edges)
    drawn = {}
    if np.isfinite(expected).all():
        middle = (edges[:-1] + edges[1:]) / 2
        drawn["theory"] = ax.plot(middle, expected, color=INK, linewidth=1.4)[0]
    highest = max(density.max(), np.nan_to_num(expected).max())
    ax.set_ylim(0, 1.2 * highest if highest > 0 else 1.0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return drawn


def _together(bins: int, experiments: int) -> int:
    """How many neighbouring bins become one: few experiments make wide bins (Scott's rule).

    The bins cover 8.5 standard deviations of a normal.
    """
    enough = 8.5 / 3.49 * np.cbrt(max(experiments, 1))
    return max(k for k in range(1, bins + 1) if bins % k == 0 and (k == 1 or bins / k >= enough))


def _say_zeros(ax: Axes, share: float) -> None:
    words = f"{percent(float(f'{share:.2g}'))} are 0" if share else "none is 0"
    style = {"transform": ax.transAxes, "ha": "right", "va": "top"}
    ax.text(0.99, 0.97, words, color=SOFT, fontsize=SMALL, **style)


def _ends(row: pd.DataFrame, truth: float) -> tuple[float, float]:
    """The range that holds nearly all estimates, and the truth."""
    low, high = row["low"].to_numpy(), row["high"].to_numpy()
    below = row["count"].cumsum().to_numpy()
    if below[-1]:
        first, last = np.searchsorted(below / below[-1], (BEYOND, 1 - BEYOND))
        low, high = low[first:], high[: last + 1]
    left, right = min(low[0], truth), max(high[-1], truth)
    margin = 0.03 * (right - left)
    return left - margin, right + margin


def _label(ax: Axes, span: tuple[float, float], room: float) -> None:
    """Number the horizontal axis as densely as its numbers are short."""
    ax.set_xlim(span)
    ticks = MaxNLocator(4, steps=STEPS).tick_values(*span)
    longest = max(width(word, SMALL) for word in ax.xaxis.get_major_formatter().format_ticks(ticks))
    most = int(np.clip(room // (longest + 10), 1, 4))
    ax.xaxis.set_major_locator(MaxNLocator(most, steps=STEPS))
