"""Influence: what changes when one subject is left out."""

from collections.abc import Mapping, Sequence
from itertools import product
from operator import itemgetter

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from twolevel.figures.density import draw_cloud
from twolevel.figures.parts import MANY_POINTS, limits, note, room_of
from twolevel.figures.sources import DEVIATIONS, StudySources
from twolevel.figures.svg import choosing
from twolevel.figures.theme import BETWEEN, INK, MUTED, new_figure, themed
from twolevel.figures.words import SMALL, Labels, in_lines, shorten, width

MOST_NAMES = 5
MOST_DEVIATIONS = 3
STANDS_OUT = 2.0  # times the mean distance
MOST_MARKERS = 200  # of more subjects, the stems suffice
MOST_STEMS = 400  # more would be a hedge, and swell the file
MOST_STEPS = 300
SIDES = ((1, 0), (-1, 0), (0, 1), (1, 1), (-1, 1), (0, -1), (1, -1), (-1, -1))
SINGLED_OUT = {"color": BETWEEN, "markersize": 6.5, "markeredgewidth": 0, "zorder": 3}


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    return influence(
        sources.influence, sources.labels, sources.deviations, sources.deviation_titles
    )


@themed
def influence(
    influence: pd.DataFrame,
    labels: Labels,
    deviations: Mapping[str, float],
    titles: Mapping[str, str] = DEVIATIONS,
) -> Figure:
    """Draw each subject's Cook's distance (above) and how the SDs change without it (below).

    `influence`: subject, cooks_distance, and each of `deviations` (without the subject, in the
    response's unit), one row per subject, NaN where the model can't be fitted without it.
    `deviations` are the estimates from all subjects, the SD within them the last, and `titles` what
    they are called; each but the last has a panel, at most three. A change is in percent of its
    estimate, or in the response's unit where that is 0. Named are the most influential subject and
    up to four more whose distance is at least twice the mean. Beyond 400 subjects distances are
    drawn by rank, and beyond 1000 changes as cells shaded by their number.
    """
    columns = ["cooks_distance", *deviations]
    *between, within = deviations
    between = between[:MOST_DEVIATIONS]
    fitted = np.isfinite(influence[columns].to_numpy(float)).all(axis=1)
    distance = np.where(fitted, influence["cooks_distance"].to_numpy(float), np.nan)
    named = most_influential(distance)
    names = [shorten(name, 110, SMALL) for name in influence["subject"].iloc[named]]
    subject = shorten(labels.subject, 110, SMALL)

    below = len(between) if fitted.any() else 0
    figure = new_figure(2.2 + 2.7 * below)
    axes = figure.subplots(1 + below, squeeze=False, height_ratios=[1, *[1.35] * below])[:, 0]
    to_name = []
    if np.count_nonzero(fitted) > MOST_STEMS:
        _by_rank(axes[0], distance, named, names)
        axes[0].set_xlabel(shorten(f"rank of {labels.subject}, largest first", room_of(figure)))
    else:
        to_name.append((axes[0], *_in_order(axes[0], distance, named)))
        choosing.points(axes[0], influence["subject"], np.arange(1.0, len(distance) + 1), distance)
        axes[0].set_xlabel(shorten(f"{labels.subject}, in the data's order", room_of(figure)))
    axes[0].set_ylabel("Cook's distance")
    words = [f"Each {subject} left out in turn."]
    if fitted.any():
        change, unit = _change(influence[within], deviations[within], labels)
        for ax, name in zip(axes[1:], between, strict=True):
            ax.set_xlabel(shorten(f"change in {titles[within]} ({unit})", room_of(figure)))
            other, own_unit = _change(influence[name], deviations[name], labels)
            ax.set_ylabel(in_lines(f"change in {titles[name]} ({own_unit})", 160))
            to_name.append((ax, *_changes(ax, change, other, fitted, named)))
            choosing.points(ax, influence["subject"], change, other)
        if np.count_nonzero(fitted) > MANY_POINTS:
            words.append("Below: the stronger a cell's colour, the more of them in it.")
    words += [
        f"{titles[name]} estimated as 0 with all of them."
        for name in between
        if not deviations[name]
    ]
    if not fitted.any():
        words.append("The model can't be fitted without any one of them.")
    elif not fitted.all():
        lost = f"{np.count_nonzero(~fitted):,} of {len(fitted):,}"
        words.append(f"The model can't be fitted without {lost}: not drawn.")
    note(figure, " ".join(words))
    # Once and for good, for in the layout that is final names seek their places.
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    for ax, points, hidden in to_name:
        _name(ax, points, names, hidden)
    return figure


def most_influential(distance: np.ndarray) -> np.ndarray:
    """Return the rows to be named, largest distance first; none where all distances are 0."""
    order = np.argsort(-np.nan_to_num(distance), kind="stable")[:MOST_NAMES]
    largest = np.nan_to_num(distance[order])
    apart = largest >= STANDS_OUT * np.nansum(distance) / max(np.isfinite(distance).sum(), 1)
    apart[:1] = True
    return order[apart & (largest > 0)]


def _in_order(ax: Axes, distance: np.ndarray, named: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw a stem for every subject; return the singled-out points and what names should avoid."""
    at = np.arange(1, len(distance) + 1)
    gap = np.full(len(at), np.nan)
    stems = np.column_stack([np.zeros(len(at)), distance, gap])
    # One path of all stems, because a thousand would swell the file.
    ax.plot(np.repeat(at, 3), stems.ravel(), color=MUTED, linewidth=1.2 if len(at) <= 200 else 0.8)
    if len(at) <= MOST_MARKERS:
        ax.plot(at, distance, "o", color=MUTED, markersize=4, markeredgewidth=0)
    ax.plot(at[named], distance[named], "o", **SINGLED_OUT)
    largest = np.nanmax(distance, initial=0.0)
    ax.set_ylim(0, 1.2 * largest if largest > 0 else 1)
    if largest == 0:
        ax.set_yticks([0])
    ax.set_xlim(0.5 - 0.02 * len(at), 0.5 + 1.02 * len(at))
    ticks = MaxNLocator(nbins=8, integer=True, min_n_ticks=1).tick_values(1, len(at))
    ax.set_xticks([tick for tick in ticks if 1 <= tick <= len(at)])
    ax.grid(visible=False, axis="x")
    heights = np.linspace(0, 1, 12) * distance[:, None]
    stems = np.column_stack([np.repeat(at, 12), heights.ravel()])
    return np.column_stack([at, distance])[named], stems


def _by_rank(ax: Axes, distance: np.ndarray, named: np.ndarray, names: Sequence[str]) -> None:
    """Draw the distances by rank, on a logarithmic axis where the largest few have room."""
    ranked = -np.sort(-distance[np.isfinite(distance)])
    rank = np.unique(np.geomspace(1, len(ranked), MOST_STEPS).round().astype(int))
    ax.plot(rank, ranked[rank - 1], color=MUTED, linewidth=1.6)
    first = rank[rank <= 30]
    ax.plot(first, ranked[first - 1], "o", color=MUTED, markersize=4, markeredgewidth=0)
    ax.plot(np.arange(1, len(named) + 1), distance[named], "o", **SINGLED_OUT)
    # The curve falls, so that this corner is free.
    for k, name in enumerate(names):
        place = {"xycoords": "axes fraction", "textcoords": "offset points"}
        style = {"ha": "left", "va": "top", "fontsize": SMALL, "color": INK}
        ax.annotate(f"{k + 1}  {name}", (1, 1), (-125, -13 * k), **place, **style)
    ax.set_xscale("log")
    ax.set_xlim(0.85, 1.1 * len(ranked))
    ax.set_ylim(0, 1.1 * ranked[0] if ranked[0] > 0 else 1)
    ax.xaxis.set_major_locator(LogLocator(10))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _change(without: pd.Series, estimate: float, labels: Labels) -> tuple[np.ndarray, str]:
    """Return the changes of an estimate and their unit."""
    change = without.to_numpy(float) - estimate
    if estimate > 0:
        return 100 * change / estimate, "%"
    return change, shorten(labels.unit, 60) if labels.unit else "absolute"


def _changes(
    ax: Axes, x: np.ndarray, y: np.ndarray, fitted: np.ndarray, named: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    ax.axhline(0, color=INK, linewidth=0.9)
    ax.axvline(0, color=INK, linewidth=0.9)
    draw_cloud(ax, x[fitted], y[fitted])
    ax.plot(x[named], y[named], "o", **SINGLED_OUT)
    ax.set_xlim(limits(x, [0.0], margin=0.1))
    ax.set_ylim(limits(y, [0.0], margin=0.1))
    points = np.column_stack([x, y])
    drawn = named if np.count_nonzero(fitted) > MANY_POINTS else np.flatnonzero(fitted)
    # Names should not be struck through by the lines either.
    along, up, zero = (
        np.linspace(low, high, 25) for low, high in (ax.get_xlim(), ax.get_ylim(), (0, 0))
    )
    lines = np.concatenate([np.column_stack([along, zero]), np.column_stack([zero, up])])
    return points[named], np.concatenate([points[drawn], lines])


def _name(ax: Axes, points: np.ndarray, names: Sequence[str], hidden: np.ndarray) -> None:
    """Write `names` beside `points`, on each other never and on `hidden` points rarely.

    Where there is no room beside a point its name stands farther off, on a thin line; where there
    is none at all, as in a heap of points, it is left out.
    """
    inch = 72 / ax.figure.dpi
    frame = ax.get_window_extent().padded(-2)
    left, bottom, right, top = inch * np.array(frame.extents)
    hidden = inch * ax.transData.transform(hidden[np.isfinite(hidden).all(axis=1)])
    anchors = inch * ax.transData.transform(points) if len(points) else points
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in anchors]
    high = 1.25 * SMALL
    for anchor, point, name in zip(anchors, points, names, strict=True):
        wide = width(name, SMALL)
        others = anchors[np.abs(anchors - anchor).max(axis=1) > 5]
        free = []
        for far, (side, (across, up)) in product((0, 14, 30, 50), enumerate(SIDES)):
            offset = np.array([across * (6 + far), up * (high / 2 + 5 + far)])
            x, y = anchor + offset
            x -= wide * (1 - across) / 2
            box = (x, y - high / 2, x + wide, y + high / 2)
            inside = left <= box[0] and box[2] <= right and bottom <= box[1] and box[3] <= top
            if not inside or any(_overlap(box, other) for other in taken):
                continue
            covered = np.all((hidden > box[:2]) & (hidden < box[2:]), axis=1).sum()
            line = anchor + np.linspace(0, 1, 12)[:, None] * offset
            crossed = np.any(np.abs(line[:, None] - others).max(axis=2) < 5, axis=0).sum()
            free.append(((covered + 5 * crossed + far / 7, far, side), box, offset))
        if not free:
            continue
        (_, far, side), box, offset = min(free, key=itemgetter(0))
        taken.append(box)
        ax.annotate(
            name,
            point,
            tuple(offset),
            textcoords="offset points",
            ha={1: "left", 0: "center", -1: "right"}[SIDES[side][0]],
            va="center",
            fontsize=SMALL,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.8} if far else None,
            zorder=4,
        )


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
