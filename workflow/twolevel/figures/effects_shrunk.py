"""Shrinkage of two effects at once: from each subject's own estimates to its predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from twolevel.figures.effects_plane import deviation_labels, draw_ellipse
from twolevel.figures.parts import MANY_POINTS, evenly, key, limits, note, room_of
from twolevel.figures.svg import choosing
from twolevel.figures.theme import BETWEEN, INK, MUTED, new_figure, themed
from twolevel.figures.words import shorten
from twolevel.text.confidence import percent

MOST_ARROWS = 60


@themed
def effects_shrunk(
    subjects: Sequence[object],
    own: np.ndarray,
    predicted: np.ndarray,
    effects: Sequence[str],
    covariance: np.ndarray,
    level: float,
) -> Figure:
    """Draw two effects of these n subjects, from their own estimates to what is predicted of them.

    own (n, 2) are least-squares estimates from a subject's rows alone, NaN where these cannot tell,
    and predicted (n, 2) BLUPs, both as deviations from what the fixed effects predict; the ellipse
    holds this share of subjects by the model's covariance (2, 2). Of many subjects a part is drawn,
    evenly spread by the first effect, and up to 60 have an arrow.
    """
    order = np.argsort(predicted[:, 0], kind="stable")
    drawn = order[evenly(len(order), MANY_POINTS)]
    own, ahead = own[drawn], predicted[drawn]
    who = np.asarray(subjects, dtype=object)[drawn]
    figure = new_figure(4.6)
    ax = figure.subplots()
    if len(drawn) <= MOST_ARROWS:
        arrows = LineCollection(np.stack([own, ahead], axis=1)[np.isfinite(own).all(axis=1)])
        arrows.set(color=MUTED, linewidth=0.9, alpha=0.7)
        ax.add_collection(arrows)
    size = 5 if len(drawn) <= 200 else 3
    style = {"linestyle": "none", "marker": "o", "markersize": size}
    hollow = ax.plot(*own.T, **style, color=MUTED, markerfacecolor="none")[0]
    points = ax.plot(*ahead.T, **style, color=BETWEEN, markeredgewidth=0, alpha=0.8)[0]
    moves = np.stack([own, ahead], axis=2)
    choosing.lines(ax, who, moves[:, 0], moves[:, 1])
    choosing.points(ax, who, *ahead.T)
    ellipse = draw_ellipse(ax, covariance, level, color=BETWEEN, linewidth=1.4)
    mean = ax.plot(0, 0, "+", color=INK, markersize=11, markeredgewidth=1.6)[0]
    entries = [
        (hollow, "own estimate (least squares)"),
        (points, "predicted (BLUP)"),
        (ellipse, f"{percent(level)}% of subjects"),
        (mean, "fixed effects"),
    ]
    key(ax, "", entries, columns=2)
    for axis, k in ((ax.set_xlim, 0), (ax.set_ylim, 1)):
        axis(limits(own[:, k], ahead[:, k], ellipse.get_data()[k]))
    across, up = deviation_labels(effects)
    ax.set_xlabel(shorten(across, room_of(figure)))
    ax.set_ylabel(shorten(up, room_of(figure, across=False)))
    if len(drawn) < len(order):
        note(figure, f"{len(drawn):,} of {len(order):,} subjects drawn, evenly spread by rank.")
    return figure
