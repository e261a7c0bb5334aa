"""Step 1 of the walk: what one subject's data support."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import Conditions, key, limits, response_label, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, MUTED, WITHIN, new_figure, themed
from twolevel.figures.words import Labels, shorten
from twolevel.text.numbers import significant


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    subject, table, own = sources.design.one_subject.subject, sources.with_fixed_part, None
    if sources.level1.own is not None:
        table = table.assign(own=sources.residuals["fitted"].to_numpy())
        own = sources.design.random_part.own_coefficients
    return one_subject(table, subject, sources.conditions, sources.labels, own)


@themed
def one_subject(
    observations: pd.DataFrame,
    subject: object,
    conditions: Iterable[object],
    labels: Labels,
    own_coefficients: int | None = None,
) -> Figure:
    """Draw the two fits of one subject's observations, in the response's unit.

    Left: the subject's own mean per condition, which goes through the data; with one observation
    per condition nothing is left over. With own_coefficients of more than a mean, what they predict
    by Level 1, `own`. Right: what the fixed effects that all share predict for the subject, shifted
    to it by an intercept, and the residuals that remain. `observations` has subject, condition,
    response and fixed, this prediction; other subjects' rows are not used. `conditions` are all
    levels, in their order.
    """
    shown = Conditions.of(conditions)
    own = observations[observations["subject"] == subject]
    code = shown.code(own["condition"])
    y = own["response"].to_numpy(float)
    fixed = own["fixed"].to_numpy(float)
    counts = np.bincount(code, minlength=len(shown.at))
    with np.errstate(invalid="ignore"):
        means, expected = (np.bincount(code, v, len(counts)) / counts for v in (y, fixed))
    shift = float(np.mean(y - fixed))

    figure = new_figure(3.6)
    saturated, shared = figure.subplots(1, 2, sharey=True)
    room = room_of(figure, 2)
    for ax in (saturated, shared):
        shown.label_axis(ax, labels, room)
    response_label(saturated, labels, room_of(figure, across=False))
    saturated.set_ylim(limits(y, fixed, fixed + shift, margin=0.12))

    fitted = means[code]
    kept, what = int(np.count_nonzero(counts)), "mean"
    if own_coefficients is not None:
        fitted, kept, what = own["own"].to_numpy(float), own_coefficients, "coefficient"
        with np.errstate(invalid="ignore"):
            means = np.bincount(code, fitted, len(counts)) / counts
    left = len(y) - kept
    line = shown.profile(saturated, means, color=INK, linewidth=1.6)
    error = _residuals(saturated, shown.at[code], fitted, y)
    key(
        saturated,
        shorten(f"{labels.subject} {subject}", 0.6 * room) + ": own fit",
        [
            (line, f"{_count(kept, what)} from {_count(len(y), 'observation')}"),
            (error, "residuals" if left else "residuals: all 0"),
            (Line2D([], [], color=INK, linestyle="none"), f"{left} degrees of freedom left"),
        ],
    )

    seen = counts > 0
    expected, there = expected[seen], replace(shown, at=shown.at[seen])
    base = there.profile(shared, expected, color=MUTED, linewidth=1.6)
    level = there.profile(shared, expected + shift, color=BETWEEN, linewidth=1.6)
    error = _residuals(shared, shown.at[code], fixed + shift, y)
    sign = "+" if shift >= 0 else "−"
    key(
        shared,
        "An intercept, shared effects",
        [
            (base, "what the fixed effects predict"),
            (level, f"shifted by {sign}{significant(abs(shift))}"),
            (error, "residuals"),
        ],
    )
    return figure


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _residuals(ax: Axes, x: np.ndarray, fitted: np.ndarray, y: np.ndarray) -> LineCollection:
    ax.plot(x, y, "o", color=INK, markersize=5.5, zorder=3)
    return ax.vlines(x, fitted, y, color=WITHIN, linewidth=2)
