"""Step 1 of the walk: what one subject's data support, from its data alone."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import (
    Conditions,
    draw_fit,
    draw_residuals,
    key,
    limits,
    response_label,
    room_of,
)
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, new_figure, themed
from twolevel.figures.words import Labels, shorten
from twolevel.text.markdown import counted

# What the lower fit is, by whether the formula overrules what the data support.
SUPPORTED, GIVEN = "what one subject supports", "what the model gives one subject"


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    one, part = sources.design.one_subject, sources.design.random_part
    seen = sources.places_of(one.subject)
    return one_subject(
        one.subject,
        seen,
        [row.response for row in one.observations],
        part.own_fitted,
        part.own_coefficients,
        *sources.axis_of([seen]),
        SUPPORTED if part.random == part.supported.random else GIVEN,
        along=sources.own_line is not None,
    )


@themed
def one_subject(
    subject: object,
    condition: Sequence[object],
    response: Sequence[float],
    own_fitted: Sequence[float],
    own_coefficients: int,
    conditions: Iterable[object],
    labels: Labels,
    below: str = SUPPORTED,
    along: bool = False,
) -> Figure:
    """Draw two fits of one subject's observations (m,), in the response's unit.

    Above: its own mean under each condition, which goes through the data where there is one
    observation under each. Below: own_fitted (m,), by the own_coefficients that the model gives a
    subject; `below` says what that is. Without a condition both are its mean, drawn once.
    `conditions` are all levels, in their order, or cells of two factors, pairs; the means are those
    under the first. With `along` they are values of a number, and above is the mean of all.
    """
    shown = Conditions.of(conditions)
    code = np.array([shown.codes[level] for level in condition])
    y, own = np.array(response, dtype=float), np.array(own_fitted, dtype=float)
    under = np.zeros_like(code) if along else shown.condition[code]
    counts = np.bincount(under)
    with np.errstate(invalid="ignore"):
        means = (np.bincount(under, y) / counts)[under]
    fits = [(f"{labels.subject} {subject}: own fit", means, INK)]
    fits += [(below, own, BETWEEN)] if labels.condition else []
    counted_as = [(int(np.count_nonzero(counts)), "mean"), (own_coefficients, "coefficient")]

    figure = new_figure(0.4 + 2.4 * len(fits))
    axes = figure.subplots(len(fits), sharey=True, squeeze=False)[:, 0]
    room = room_of(figure)
    axes[0].set_ylim(limits(y, own, margin=0.12))
    for ax, (title, fitted, colour), (kept, what) in zip(axes, fits, counted_as, strict=False):
        shown.label_axis(ax, labels, room)
        response_label(ax, labels, room_of(figure, len(fits), across=False))
        line = draw_fit(ax, shown, code, fitted, colour)
        error = draw_residuals(ax, shown.at[code], fitted, y)
        left = len(y) - kept
        _key(ax, shorten(title, 0.9 * room), line, error, (kept, what), len(y), left)
    return figure


def _key(
    ax: Axes,
    title: str,
    line: Line2D,
    error: object,
    kept: tuple[int, str],
    rows: int,
    left: int,
) -> None:
    key(
        ax,
        title,
        [
            (line, f"{counted(*kept)} from {counted(rows, 'observation')}"),
            (error, "residuals" if left else "residuals: all 0"),
            (Line2D([], [], color=INK, linestyle="none"), f"{left} degrees of freedom left"),
        ],
    )
