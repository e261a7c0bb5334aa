"""The experiment again with another subject: what changes from one to the next, what does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

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
from twolevel.figures.theme import BETWEEN, MUTED, new_figure, themed
from twolevel.figures.words import Labels, shorten
from twolevel.text.numbers import significant

if TYPE_CHECKING:
    from twolevel.summaries.two_stage_summary import FirstSubject


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    level1, design = sources.level1, sources.design
    shared = design.n_observations - design.n_subjects - level1.df_resid
    fit = "own fit"
    if level1.own is None and sources.labels.condition:
        fit = "μᵢ + αⱼ" + (" + ⋯" if shared >= len(level1.condition_effects) else "")
    first = level1.first_subjects
    seen = [sources.places_of(each.subject) for each in first]
    along = sources.own_line is not None
    return three_subjects(first, seen, *sources.axis_of(seen), fit, level1.own is None, along=along)


@themed
def three_subjects(
    subjects: Sequence[FirstSubject],
    seen: Sequence[Sequence[Any]],
    conditions: Iterable[object],
    labels: Labels,
    fit: str = "μᵢ + αⱼ",
    own_mean: bool = True,
    along: bool = False,
) -> Figure:
    """Draw a panel for each of a few subjects, in the response's unit.

    Each has its observations, what Level 1 fits to them, which the key calls `fit`, and, where
    own_mean says that this is all that is a subject's own, its mean mu_i as a level line. `seen` is
    the condition of each of a subject's rows, `conditions` all of them, or cells of two factors;
    with `along`, values of a number, which the line of what is fitted joins.
    """
    shown = Conditions.of(conditions)
    figure = new_figure(0.5 + 1.6 * len(subjects))
    axes = figure.subplots(len(subjects), sharex=True, sharey=True, squeeze=False)[:, 0]
    room = room_of(figure)
    response_label(axes[len(axes) // 2], labels, room_of(figure, across=False))
    rows = [row for each in subjects for row in each.rows]
    fits = [row.fitted for row in rows] + [each.subject_mean for each in subjects]
    axes[0].set_ylim(limits([row.fitted + row.residual for row in rows], fits, margin=0.1))
    for ax, each, under in zip(axes, subjects, seen, strict=True):
        shown.label_axis(ax, labels, room)
        ax.set_xlabel(ax.get_xlabel() if ax is axes[-1] else "")
        places = Conditions.of(sorted(set(under))) if along else shown
        code = np.array([places.codes[condition] for condition in under])
        fitted = np.array([row.fitted for row in each.rows], dtype=float)
        y = fitted + np.array([row.residual for row in each.rows], dtype=float)
        entries = []
        if own_mean:
            ends = ax.get_xlim()
            (level,) = ax.plot(ends, [each.subject_mean] * 2, color=MUTED, linewidth=1.4)
            ax.set_xlim(ends)
            entries.append((level, f"μᵢ = {significant(each.subject_mean)}"))
        if labels.condition or not own_mean:
            entries.append((draw_fit(ax, places, code, fitted, BETWEEN), fit))
        entries.append((draw_residuals(ax, places.at[code], fitted, y), "ηᵢⱼ"))
        key(ax, shorten(f"{labels.subject} {each.subject}", room), entries, columns=3)
    return figure
