"""Shrinkage: how far the mixed model pulls every subject towards the grand mean."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.effects_shrunk import effects_shrunk
from twolevel.figures.parts import MANY_POINTS, evenly, key, limits, note, room_of
from twolevel.figures.sources import StudySources
from twolevel.figures.svg import choosing
from twolevel.figures.theme import BETWEEN, INK, MUTED, new_figure, themed
from twolevel.figures.words import Labels, shorten
from twolevel.findings.varying.random_words import is_intercept
from twolevel.text.numbers import significant

MOST_ARROWS = 60
STYLES = ("-", (0, (5, 2)), (0, (3, 2, 1, 2)), (0, (1, 1.5)))


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    effects, labels = sources.random_effects, sources.labels
    if is_intercept(sources.mixed):
        return shrinkage(effects, **sources.deviations, labels=labels)
    own = list(sources.own_effects)
    if len(own) < 2:
        return shrinkage_of_effects(effects, sources.own_effects, labels, sources.slopes)
    # What Level 1 has of both together; a term's own deviations leave the other terms' out.
    level1 = sources.subjects if sources.level1.own else effects
    pair = own[:2]
    return effects_shrunk(
        effects["subject"],
        level1[[f"deviation_{name}" for name in pair]].to_numpy(float),
        effects[pair].to_numpy(float),
        pair,
        sources.own_covariance[:2, :2],
        sources.level,
    )


@themed
def shrinkage(
    random_effects: pd.DataFrame, *, sigma_between: float, sigma_within: float, labels: Labels
) -> Figure:
    """Draw every subject's prediction (BLUP) against its own mean deviation (least squares).

    `random_effects`: subject, n, deviation, random_effect, one row per subject, in the response's
    unit. Without shrinkage the points would lie on the identity line; with n observations they lie
    on a line of slope n sigma_b^2 / (n sigma_b^2 + sigma_w^2), named for at most four n. Of
    more than 1000 subjects a part evenly spread by rank is drawn.
    """
    order = np.argsort(random_effects["deviation"].to_numpy(float), kind="stable")
    drawn = random_effects.iloc[order[evenly(len(order), MANY_POINTS)]]
    x = drawn["deviation"].to_numpy(float)
    y = drawn["random_effect"].to_numpy(float)
    ends = np.array(limits(x, y))

    figure = new_figure(4.8)
    ax = figure.subplots()
    identity = ax.plot(ends, ends, color=INK, linewidth=0.9)[0]
    if len(x) <= MOST_ARROWS:
        ax.vlines(x, x, y, color=MUTED, linewidth=0.9, alpha=0.7)
    points = ax.plot(
        x, y, "o", color=BETWEEN, markersize=5 if len(x) <= 200 else 3, markeredgewidth=0, alpha=0.7
    )[0]
    choosing.points(ax, drawn["subject"], x, y)
    entries = [(identity, "no shrinkage"), (points, "subject")]
    sizes = np.unique(random_effects["n"])
    for k, n in enumerate(sizes[evenly(len(sizes), len(STYLES))]):
        factor = shrinkage_factor(n, sigma_between, sigma_within)
        style = {"color": BETWEEN, "linewidth": 1.3, "linestyle": STYLES[k]}
        line = ax.plot(ends, factor * ends, **style)[0]
        entries.append((line, f"n = {n}: × {significant(factor)}"))
    key(ax, "", entries, columns=3)
    ax.set_xlim(ends)
    ax.set_ylim(ends)
    room = room_of(figure)
    ax.set_xlabel(labels.in_unit("own deviation from the mean (least squares)", room))
    room = room_of(figure, across=False)
    ax.set_ylabel(labels.in_unit("predicted deviation Sᵢ (BLUP)", room))
    words = []
    if len(x) < len(order):
        words.append(f"{len(x):,} of {len(order):,} subjects drawn, evenly spread by rank.")
    if sigma_between == 0:
        words.append("SD between estimated as 0: every subject is pulled all the way to the mean.")
    if words:
        note(figure, " ".join(words))
    return figure


@themed
def shrinkage_of_effects(
    random_effects: pd.DataFrame,
    effects: Mapping[str, str],
    labels: Labels,
    slopes: Mapping[str, str],
) -> Figure:
    """Draw every subject's predictions (BLUPs) against what its own observations say, by effect.

    `random_effects`: subject, and for each of `effects`, which has the titles by column, the
    prediction and deviation_<effect> (least squares), one row per subject. The predictions of one
    effect depend on the other effects too, so that they are on no line. Effects that are `slopes`
    are per unit of a number, which these name. Of more than 1000 subjects
    a part is drawn.
    """
    drawn = random_effects.iloc[evenly(len(random_effects), MANY_POINTS)]
    figure = new_figure(2.6 * max(1, len(effects)))
    axes = figure.subplots(max(1, len(effects)), squeeze=False)[:, 0]
    for ax, (effect, title) in zip(axes, effects.items(), strict=len(effects) > 0):
        x = drawn[f"deviation_{effect}"].to_numpy(float)
        y = drawn[effect].to_numpy(float)
        ends = np.array(limits(x, y))
        identity = ax.plot(ends, ends, color=INK, linewidth=0.9)[0]
        if len(x) <= MOST_ARROWS:
            ax.vlines(x, x, y, color=MUTED, linewidth=0.9, alpha=0.7)
        points = ax.plot(x, y, "o", color=BETWEEN, markersize=5, markeredgewidth=0, alpha=0.7)[0]
        choosing.points(ax, drawn["subject"], x, y)
        if ax is axes[0]:
            key(ax, "", [(identity, "no shrinkage"), (points, "subject")], columns=2)
        said = f"own {title} (least squares)"
        ax.set_xlabel(labels.in_unit(said, room_of(figure), slopes.get(effect)))
        room = room_of(figure, max(1, len(effects)), across=False)
        ax.set_ylabel(shorten("predicted (BLUP)", room))
    return figure


def shrinkage_factor(n: int, sigma_between: float, sigma_within: float) -> float:
    """Return the share of its own deviation that a subject with `n` observations keeps."""
    between = n * sigma_between**2
    total = between + sigma_within**2
    return between / total if total > 0 else 0.0
