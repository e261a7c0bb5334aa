"""Step 1 of the walk: what one subject's data support."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import Conditions, key, limits, response_label, room_of
from twolevel.figures.theme import BETWEEN, INK, MUTED, WITHIN, new_figure, themed
from twolevel.figures.words import Labels, number, shorten


@themed
def one_subject(
    observations: pd.DataFrame,
    subject: object,
    condition_means: pd.DataFrame,
    labels: Labels,
) -> Figure:
    """Draw the two fits of one subject's observations, in the response's unit.

    Left: the subject's own mean per condition, which goes through the data; with one observation
    per condition nothing is left over. Right: the profile of all subjects' `condition_means`
    (condition, mean; one row per condition), shifted to the subject by an intercept, and the
    residuals that remain. `observations` has subject, condition, response; other subjects' rows are
    not used.
    """
    conditions = Conditions.of(condition_means["condition"])
    grand = condition_means["mean"].to_numpy(float)
    own = observations[observations["subject"] == subject]
    code = conditions.code(own["condition"])
    y = own["response"].to_numpy(float)
    counts = np.bincount(code, minlength=len(grand))
    with np.errstate(invalid="ignore"):
        means = np.bincount(code, y, len(grand)) / counts
    shift = float(np.mean(y - grand[code]))

    figure = new_figure(3.6)
    saturated, shared = figure.subplots(1, 2, sharey=True)
    room = room_of(figure, 2)
    for ax in (saturated, shared):
        conditions.label_axis(ax, labels, room)
    response_label(saturated, labels, room_of(figure, across=False))
    saturated.set_ylim(limits(y, grand, grand + shift, margin=0.12))

    kept = int(np.count_nonzero(counts))
    left = len(y) - kept
    line = conditions.profile(saturated, means, color=INK, linewidth=1.6)
    error = _residuals(saturated, conditions.at[code], means[code], y)
    key(
        saturated,
        shorten(f"{labels.subject} {subject}", 0.6 * room) + ": own fit",
        [
            (line, f"{_count(kept, 'mean')} from {_count(len(y), 'observation')}"),
            (error, "residuals" if left else "residuals: all 0"),
            (Line2D([], [], color=INK, linestyle="none"), f"{left} degrees of freedom left"),
        ],
    )

    base = conditions.profile(shared, grand, color=MUTED, linewidth=1.6)
    level = conditions.profile(shared, grand + shift, color=BETWEEN, linewidth=1.6)
    error = _residuals(shared, conditions.at[code], grand[code] + shift, y)
    sign = "+" if shift >= 0 else "−"
    key(
        shared,
        "An intercept, shared effects",
        [
            (base, "mean of all subjects"),
            (level, f"shifted by {sign}{number(abs(shift))}"),
            (error, "residuals"),
        ],
    )
    return figure


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _residuals(ax: Axes, x: np.ndarray, fitted: np.ndarray, y: np.ndarray) -> LineCollection:
    ax.plot(x, y, "o", color=INK, markersize=5.5, zorder=3)
    return ax.vlines(x, fitted, y, color=WITHIN, linewidth=2)
