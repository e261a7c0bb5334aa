"""The condition means with their intervals, in front of the data."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.density import draw_mirrored
from twolevel.figures.groups import drawn_by, has_own_panel, is_a_line, on_the_axis
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
    by = drawn_by(sources.mixed, condition)
    if by is None:
        line, beside = is_a_line(sources.mixed, condition), None
        if own := has_own_panel(sources.mixed, condition):
            name, levels = own
            of_levels = pd.DataFrame(map(dict, levels)).rename(columns={"level": "condition"})
            beside = (name, data.assign(condition=data[ours[name]]), of_levels)
        return condition_means(data, means, labels, level=sources.level, line=line, beside=beside)
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
    beside: tuple[str, pd.DataFrame, pd.DataFrame] | None = None,
) -> Figure:
    """Draw each condition's estimated mean and its interval in front of its observations.

    `observations`: condition, response. `means`: condition, estimate, ci_low, ci_high of this
    level; one row per condition, in the response's unit. Beyond 1000 observations each condition's
    histogram is drawn, mirrored, instead of points. Up to 8 means alone are printed.
    With `line` they are those of a number, and lie on a line, which is drawn. `beside` is another
    factor with observations and means of its own in the same form, for a panel beside.

    With `groups` (group, condition, estimate, ci_low, ci_high; 2 to 6 levels of `factor`) each
    group's means are drawn instead, joined by a line; `observations` then has its column `group`.
    Where groups stand too close for their observations, there are only the means.
    """
    figure = new_figure(3.4)
    panels = [(labels.condition, observations, means), *([beside] if beside else [])]
    sizes = np.clip([len(of_levels) for _, _, of_levels in panels], 2, MOST_NUMBERED)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=sizes)[0]
    rooms = room_of(figure) * sizes / sizes.sum()
    response_label(axes[0], labels, room_of(figure, across=False))
    for ax, room, (named, rows, of_levels) in zip(axes, rooms, panels, strict=True):
        conditions = Conditions.of(of_levels["condition"])
        conditions.label_axis(ax, replace(labels, condition=named), room)
        if groups is not None:
            title = f"{shorten(factor, 0.4 * room)}: means and {percent(level)}% intervals"
            _draw_groups(ax, conditions, rows, groups, title, room)
            continue
        numbered = beside is None and len(of_levels) <= MOST_NUMBERED
        point, raw = _draw_means(ax, conditions, rows, of_levels, line and ax is axes[0], numbered)
        entries = [(point, f"mean and {percent(level)}% interval"), raw]
        if beside is None:
            key(ax, "", entries, columns=2)
    if groups is None and beside is not None:
        # One key above both panels, as wide as they are.
        figure.legend(*zip(*entries, strict=True), loc="outside upper left", ncols=2)
    return figure


def _draw_means(
    ax: Axes,
    conditions: Conditions,
    observations: pd.DataFrame,
    means: pd.DataFrame,
    line: bool,
    numbered: bool,
) -> tuple[Artist, tuple[Artist, str]]:
    """Draw means on `ax`; return what the key says of them, and of the observations."""
    at, gap = conditions.at, conditions.gap
    code = conditions.code(observations["condition"])
    if line:
        conditions.profile(ax, means["estimate"].to_numpy(float), color=INK, linewidth=1.4)
    raw = _draw_raw(ax, at[code], observations["response"].to_numpy(float), gap)
    point = _draw_intervals(ax, at, means, color=INK, linewidth=2.2, markersize=5.5)
    if numbered:
        for x, value in zip(at, means["estimate"], strict=True):
            place = (x + 0.36 * gap, value)
            ax.text(*place, significant(value), va="center", fontsize=SMALL, color=INK)
    return point, raw


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
