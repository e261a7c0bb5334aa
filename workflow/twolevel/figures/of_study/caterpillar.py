"""Every subject's predicted deviations with their intervals, sorted: a panel for each effect."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from twolevel.figures.parts import limits, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.svg import choosing
from twolevel.figures.theme import BETWEEN, INK, new_figure, themed
from twolevel.figures.words import SMALL, Labels, in_lines, shorten
from twolevel.findings.varying.random_words import is_intercept
from twolevel.text.confidence import LEVEL, percent

MOST_NAMES = 60
MOST_INTERVALS = 120
MOST_STEPS = 200
MOST_PANELS = 4


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    if is_intercept(sources.mixed):
        return caterpillar(sources.random_effects, sources.labels, sources.level)
    effects = list(sources.own_effects.items())[:MOST_PANELS]
    panels = {f"deviation of own {title}": (name, f"se_{name}") for name, title in effects}
    return caterpillar(
        sources.random_effects, sources.labels, sources.level, panels, sources.slopes
    )


@themed
def caterpillar(
    random_effects: pd.DataFrame,
    labels: Labels,
    level: float = LEVEL,
    panels: Mapping[str, tuple[str, str]] | None = None,
    slopes: Mapping[str, str] | None = None,
) -> Figure:
    """Draw what is predicted of every subject with its interval, lowest below.

    `random_effects`: subject, and for each of `panels`, by its title, the columns of the prediction
    (BLUP) and of its conditional SD, in the response's unit; random_effect and se where there are
    none. Columns that are `slopes` are per unit of a number, which these name. Each panel has an
    order of its own. Up to 60 subjects are named, up to 120 have an interval each; of more, a
    ribbon shows the intervals averaged over neighbouring ranks. The line at 0 marks what the fixed
    effects predict.
    """
    if panels is None:
        panels = {f"predicted deviation Sᵢ in {labels.response}": ("random_effect", "se")}
    count = len(random_effects)
    height = max(2.0, 1.1 + 0.17 * count) if count <= MOST_NAMES else 5.0
    figure = new_figure(height * max(1, len(panels)))
    axes = figure.subplots(max(1, len(panels)), squeeze=False)[:, 0]
    name = labels.subject if count <= MOST_NAMES else f"rank of {labels.subject}"
    name = shorten(name, room_of(figure, max(1, len(panels)), across=False))
    outside = []
    for ax, (title, columns) in zip(axes, panels.items(), strict=len(panels) > 0):
        ranked = random_effects.sort_values(columns[0], kind="stable")
        outside.append(_draw_ranked(ax, ranked, columns, name, level))
        per = (slopes or {}).get(columns[0])
        room = room_of(figure) - 90
        ax.set_xlabel(in_lines(labels.in_unit(title, 2 * room, per), room))
    note(figure, _words(outside, count, level))
    return figure


def _draw_ranked(
    ax: Axes, ranked: pd.DataFrame, columns: tuple[str, str], name: str, level: float
) -> int | None:
    """Draw one effect of the subjects in their order; return how many intervals exclude 0."""
    effect, se = columns
    estimate = ranked[effect].to_numpy(float)
    half = ndtri(0.5 + level / 2) * ranked[se].to_numpy(float)
    low, high = estimate - half, estimate + half
    count = len(ranked)
    rank = np.arange(1, count + 1)
    ax.axvline(0, color=INK, linewidth=1.2)
    if count <= MOST_INTERVALS:
        _intervals(ax, rank, estimate, low, high, named=count <= MOST_NAMES)
    else:
        _ribbon(ax, rank, estimate, low, high)
    choosing.lines(ax, ranked["subject"], np.stack([low, high], 1), np.stack([rank, rank], 1))
    choosing.points(ax, ranked["subject"], estimate, rank)
    if count <= MOST_NAMES:
        ax.set_yticks(rank, [shorten(subject, 110, SMALL) for subject in ranked["subject"]])
    ax.set_ylabel(name)
    ax.grid(visible=False, axis="y")
    ax.set_ylim(0.2 - 0.01 * count, 0.8 + 1.01 * count)
    ax.set_xlim(limits(low, high))
    return None if np.all(low == high) else int(np.count_nonzero((low > 0) | (high < 0)))


def _words(outside: list[int | None], count: int, level: float) -> str:
    """What there is to say; outside is how many intervals exclude 0, None where the SD is 0."""
    if not outside:
        return "Subjects have no effects of their own besides those within other factors' levels."
    if outside == [None]:
        return f"SD between estimated as 0: all {count:,} predicted deviations are 0."
    excluded = " and ".join(f"{number or 0:,}" for number in outside)
    below = ", from top to bottom" if len(outside) > 1 else ""
    words = (
        "Line: what the fixed effects predict for the subject; "
        f"{excluded} of {count:,} intervals ({percent(level)}%) exclude it{below}."
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
