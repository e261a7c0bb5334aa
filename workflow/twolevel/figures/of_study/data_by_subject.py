"""The data, subject by subject, with the condition means."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import (
    MANY_POINTS,
    Conditions,
    jitter,
    key,
    note,
    response_label,
    room_of,
)
from twolevel.figures.sources import StudySources
from twolevel.figures.svg import choosing
from twolevel.figures.theme import BETWEEN, INK, MUTED, new_figure, themed
from twolevel.figures.words import Labels, shorten

MANY_SUBJECTS = 60
SAMPLED = 40
BANDS = ((5, 95, 0.16), (25, 75, 0.3))  # percentiles and opacity


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    if sources.along is not None:
        _, labels = sources.axis_of([])
        return data_along(sources.along, labels)
    rows, cells = sources.by_cell, pd.Series(sources.cells, dtype=object)
    found = rows["response"].groupby(rows["condition"].to_numpy(dtype=object)).mean().to_dict()
    means = pd.DataFrame({"condition": cells, "mean": cells.map(found)})
    return data_by_subject(rows, means, sources.cell_labels)


@themed
def data_by_subject(
    observations: pd.DataFrame, condition_means: pd.DataFrame, labels: Labels
) -> Figure:
    """Draw one line per subject across the conditions, and the condition means on top.

    `observations`: subject, condition, response, one row each; replicates are drawn as points and
    joined at their mean; a line breaks at a missing cell. `condition_means`: condition, mean.
    Beyond 60 subjects bands of the observations' percentiles are drawn, with the lines of 40
    subjects evenly spread by their mean, and a note says so. A condition may be a cell of two
    factors, a pair; lines then run through the cells of one condition.
    """
    conditions = Conditions.of(condition_means["condition"])
    code = conditions.code(observations["condition"])
    y = observations["response"].to_numpy(float)
    who, subjects = pd.factorize(observations["subject"])
    many = len(subjects) > MANY_SUBJECTS

    figure = new_figure(3.4)
    ax = figure.subplots()
    conditions.label_axis(ax, labels, room_of(figure))
    response_label(ax, labels, room_of(figure, across=False))
    entries = []
    if many:
        entries = _bands(ax, conditions, code, y)
        chosen = _spread_by_mean(who, y, len(subjects))
        words = f"{len(chosen)} of {len(subjects):,} subjects drawn, evenly spread by mean"
        note(figure, f"{words}; bands: percentiles of all observations.")
    else:
        chosen = np.arange(len(subjects))
    cells = _cell_means(who, code, y, chosen, len(conditions.at))
    single = len(conditions.at) == 1
    offset = jitter(len(chosen)) * 0.5 * conditions.gap if single else np.zeros(len(chosen))
    width, alpha, size = (0.7, 0.6, 2) if many else (0.9, 0.75, 3)
    style = {"linewidth": width, "alpha": alpha, "markersize": size}
    places = conditions.broken(conditions.at + offset[:, None])
    lines = _profiles(ax, places, conditions.broken(cells), style)
    if not many and len(y) <= MANY_POINTS and len(y) > np.isfinite(cells).sum():
        ax.plot(conditions.at[code] + offset[who], y, "o", color=MUTED, markersize=2.5, alpha=0.7)
    every = np.zeros(len(subjects))
    every[chosen] = offset
    x = conditions.at + every[:, None]
    means = _cell_means(who, code, y, np.arange(len(subjects)), len(conditions.at))
    choosing.lines(ax, subjects, conditions.broken(x), conditions.broken(means))
    choosing.points(
        ax, [name for name in subjects for _ in conditions.at], x.ravel(), means.ravel()
    )
    bold: dict[str, Any] = {"color": INK, "linewidth": 2.4, "markersize": 7, "zorder": 4}
    mean = conditions.profile(
        ax, condition_means["mean"].to_numpy(float), marker="" if single else "o", **bold
    )
    names = "subjects" if many else f"{len(subjects)} subjects"
    of = "cell mean" if conditions.inner else "condition mean" if labels.condition else "mean"
    key(ax, "", [(mean, of), (lines, names), *entries], columns=4)
    return figure


@themed
def data_along(observations: pd.DataFrame, labels: Labels) -> Figure:
    """Draw one line per subject along a number, at times of each subject's own.

    `observations`: subject, condition (the number), response, one row each. Beyond 60 subjects the
    lines of 40 are drawn, evenly spread by their mean, and a note says so.
    """
    order = np.argsort(observations["condition"].to_numpy(float), kind="stable")
    who, subjects = pd.factorize(observations["subject"])
    who, y = who[order], observations["response"].to_numpy(float)[order]
    nth = pd.Series(who).groupby(who).cumcount().to_numpy()
    at, values = np.full((2, len(subjects), nth.max() + 1), np.nan)
    at[who, nth], values[who, nth] = observations["condition"].to_numpy(float)[order], y
    many = len(subjects) > MANY_SUBJECTS
    chosen = _spread_by_mean(who, y, len(subjects)) if many else np.arange(len(subjects))

    figure = new_figure(3.4)
    ax = figure.subplots()
    ax.set_xlabel(shorten(labels.condition, room_of(figure)))
    response_label(ax, labels, room_of(figure, across=False))
    if many:
        note(figure, f"{len(chosen)} of {len(subjects):,} subjects drawn, evenly spread by mean.")
    style = {"linewidth": 0.9, "alpha": 0.75, "markersize": 3}
    lines = _profiles(ax, at[chosen], values[chosen], style)
    choosing.lines(ax, subjects, at, values)
    known = np.isfinite(values)
    names = [subject for subject, of in zip(subjects, known, strict=True) for _ in range(of.sum())]
    choosing.points(ax, names, at[known], values[known])
    key(ax, "", [(lines, "subjects" if many else f"{len(subjects)} subjects")])
    return figure


def _bands(
    ax: Axes, conditions: Conditions, code: np.ndarray, y: np.ndarray
) -> list[tuple[Artist, str]]:
    percentiles = [p for low, high, _ in BANDS for p in (low, high)]
    values = np.full((len(conditions.at), len(percentiles)), np.nan)
    for j in np.unique(code):
        values[j] = np.percentile(y[code == j], percentiles)
    at, values = conditions.broken(conditions.at), conditions.broken(values.T).T
    if len(at) == 1:
        at, values = at + 0.35 * np.array([-1.0, 1.0]), np.repeat(values, 2, axis=0)
    entries = []
    for k, (low, high, alpha) in enumerate(BANDS):
        band = ax.fill_between(
            at, values[:, 2 * k], values[:, 2 * k + 1], color=BETWEEN, alpha=alpha, linewidth=0
        )
        entries.append((band, f"{low}–{high}%"))
    return entries


def _spread_by_mean(who: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    means = np.bincount(who, y, count) / np.bincount(who, minlength=count)
    # The middle of each of 40 groups: the extremes of many subjects would not be typical.
    middle = ((np.arange(SAMPLED) + 0.5) * count / SAMPLED).astype(int)
    return np.sort(np.argsort(means, kind="stable")[middle])


def _cell_means(
    who: np.ndarray, code: np.ndarray, y: np.ndarray, chosen: np.ndarray, width: int
) -> np.ndarray:
    """Return the mean of every chosen subject in every condition, NaN where it has none."""
    row = np.full(who.max() + 1, -1)
    row[chosen] = np.arange(len(chosen))
    of_chosen = row[who] >= 0
    cell = row[who[of_chosen]] * width + code[of_chosen]
    size = len(chosen) * width
    with np.errstate(invalid="ignore"):
        means = np.bincount(cell, y[of_chosen], size) / np.bincount(cell, minlength=size)
    return means.reshape(len(chosen), width)


def _profiles(ax: Axes, x: np.ndarray, cells: np.ndarray, style: dict[str, float]) -> Line2D:
    """Draw the rows of `cells` as one path, broken between subjects, which keeps the file small."""
    gap = np.full((len(cells), 1), np.nan)
    x, y = np.hstack([x, gap]).ravel(), np.hstack([cells, gap]).ravel()
    return ax.plot(x, y, "o-", color=MUTED, **style)[0]
