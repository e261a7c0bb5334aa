"""The condition means with their intervals, in front of the data."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.density import draw_mirrored
from twolevel.figures.groups import drawn_by, is_a_line, on_the_axis
from twolevel.figures.parts import (
    MANY_POINTS,
    Conditions,
    jitter,
    key,
    response_label,
    room_of,
)
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, MUTED, WITHIN, new_figure, themed
from twolevel.figures.words import SMALL, Labels, shorten, width
from twolevel.text.confidence import LEVEL, percent
from twolevel.text.numbers import significant

MOST_NUMBERED = 8
LOOKS = [
    (BETWEEN, "o", "-"),
    (WITHIN, "s", (0, (5, 1.5))),
    (MARGINAL, "^", (0, (1.5, 1.5))),
    (INK, "D", (0, (6, 1.5, 1.5, 1.5))),
    (WITHIN, "v", (0, (10, 2))),
    (BETWEEN, "X", (0, (3, 1.5, 1, 1.5, 1, 1.5))),
]
APART = 32.0  # points between groups at most, so that those of one condition stand together
NARROW = 8.5  # points between groups below which their observations would run into each other


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    data, means = sources.observations, pd.DataFrame(map(dict, sources.mixed.means))
    condition, labels = sources.columns.get("condition"), sources.labels
    ours = {theirs: ours for ours, theirs in sources.columns.items()}
    if axis := on_the_axis(sources.mixed, condition):
        name, levels = axis
        means = pd.DataFrame(map(dict, levels)).rename(columns={"level": "condition"})
        data = data.assign(condition=data[ours[name]])
        labels = replace(labels, condition=name)
    by = drawn_by(sources.mixed.factors)
    if by is None:
        line = is_a_line(sources.mixed, condition)
        return condition_means(data, means, labels, level=sources.level, line=line)
    name, within = by
    groups = pd.DataFrame(map(dict, within)).rename(columns={"level": "group"})
    data = data.assign(group=data[ours[name]])
    return condition_means(data, means, labels, groups, name, level=sources.level)


@themed
def condition_means(
    observations: pd.DataFrame,
    means: pd.DataFrame,
    labels: Labels,
    groups: pd.DataFrame | None = None,
    factor: str = "",
    level: float = LEVEL,
    line: bool = False,
) -> Figure:
    """Draw each condition's estimated mean and its interval in front of its observations.

    `observations`: condition, response. `means`: condition, estimate, ci_low, ci_high of this
    level; one row per condition, in the response's unit. Beyond 1000 observations each condition's
    histogram is drawn, mirrored, instead of points. Up to 8 conditions the means are printed.
    With `line` they are those of a number, and lie on a line, which is drawn.

    With `groups` (group, condition, estimate, ci_low, ci_high; 2 to 6 levels of `factor`) each
    group's means are drawn instead, joined by a line; `observations` then has its column `group`.
    Where groups stand too close for their observations, there are only the means.
    """
    conditions = Conditions.of(means["condition"])
    figure = new_figure(3.4)
    ax = figure.subplots()
    conditions.label_axis(ax, labels, room_of(figure))
    response_label(ax, labels, room_of(figure, across=False))
    if groups is None:
        _draw_means(ax, conditions, observations, means, level, line)
    else:
        title = f"{shorten(factor, 0.4 * room_of(figure))}: means and {percent(level)}% intervals"
        _draw_groups(ax, conditions, observations, groups, title, room_of(figure))
    return figure


def _draw_means(
    ax: Axes,
    conditions: Conditions,
    observations: pd.DataFrame,
    means: pd.DataFrame,
    level: float,
    line: bool,
) -> None:
    at, gap = conditions.at, conditions.gap
    code = conditions.code(observations["condition"])
    if line:
        conditions.profile(ax, means["estimate"].to_numpy(float), color=INK, linewidth=1.4)
    raw = _draw_raw(ax, at[code], observations["response"].to_numpy(float), gap)
    point = _draw_intervals(ax, at, means, color=INK, linewidth=2.2, markersize=5.5)
    if len(at) <= MOST_NUMBERED:
        for x, value in zip(at, means["estimate"], strict=True):
            place = (x + 0.36 * gap, value)
            ax.text(*place, significant(value), va="center", fontsize=SMALL, color=INK)
    key(ax, "", [(point, f"mean and {percent(level)}% interval"), raw], columns=2)


def _draw_groups(
    ax: Axes,
    conditions: Conditions,
    observations: pd.DataFrame,
    groups: pd.DataFrame,
    title: str,
    room: float,
) -> None:
    """Draw every group's means, side by side within each condition, on `ax`, `room` wide."""
    levels = Conditions.of(groups["group"].unique())
    count = len(levels.names)
    low, high = ax.get_xlim()
    point = (high - low) / room
    step = min(0.75 * conditions.gap / count, APART * point)
    beside = step * (np.arange(count) - (count - 1) / 2)

    entries = []
    name_room = room / min(count, 3) - 50
    looks = zip(levels.codes, levels.names, beside, LOOKS, strict=False)
    for level, name, shift, (colour, marker, line) in looks:
        own = (
            groups[groups["group"] == level].set_index("condition").reindex(list(conditions.codes))
        )
        style = {"color": colour, "marker": marker, "linestyle": line, "linewidth": 1.6}
        style |= {"markersize": float(np.clip(step / point, 5.5, 7.5)), "markeredgewidth": 0}
        mean = _draw_intervals(ax, conditions.at + shift, own, **style)
        entries.append((mean, shorten(name, name_room, SMALL)))
    if step >= NARROW * point:
        x = conditions.at[conditions.code(observations["condition"])]
        x = x + beside[levels.code(observations["group"])]
        entries.append(_draw_raw(ax, x, observations["response"].to_numpy(float), 1.2 * step))
    rooms = [width(text, SMALL) + 50 for _, text in entries]
    columns = len(entries) if sum(rooms) <= room else int(max(room // max(rooms), 1))
    key(ax, title, entries, columns, handlelength=3.2)


def _draw_raw(ax: Axes, x: np.ndarray, y: np.ndarray, wide: float) -> tuple[Artist, str]:
    """Draw observations at their places `x`, each about `wide`; return what to say in the key."""
    if len(y) <= MANY_POINTS:
        x = x + 0.5 * wide * jitter(len(y))
        style = {"color": MUTED, "markersize": 3.5, "alpha": 0.6, "markeredgewidth": 0}
        return ax.plot(x, y, "o", **style)[0], "observations"
    for place in np.unique(x):
        raw = draw_mirrored(ax, place, 0.32 * wide, y[x == place])
    return raw, f"{len(y):,} observations"


def _draw_intervals(ax: Axes, x: np.ndarray, means: pd.DataFrame, **style: Any) -> Artist:
    """Draw means and their intervals at `x` in front of the data; a line where `style` has one."""
    estimate, low, high = (means[c].to_numpy(float) for c in ("estimate", "ci_low", "ci_high"))
    front = {"color": style["color"], "zorder": 3}
    ax.vlines(x, low, high, linewidth=style["linewidth"], **front)
    caps = 2 * style["markersize"]
    ax.plot(np.tile(x, 2), np.concatenate([low, high]), "_", markersize=caps, **front)
    return ax.plot(x, estimate, **{"marker": "o", "linestyle": "none"} | style, zorder=3)[0]
