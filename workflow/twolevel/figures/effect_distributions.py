"""Where subjects have more than a mean of their own: how their effects and the residuals spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.density import draw_cloud
from twolevel.figures.effects_plane import deviation_labels, draw_ellipse, own_labels
from twolevel.figures.parts import key, limits, room_of
from twolevel.figures.spread import Sample, histogram, of_residuals
from twolevel.figures.theme import BETWEEN, INK, new_figure, themed
from twolevel.figures.words import Labels, shorten
from twolevel.findings.varying.of_own_effects import effects_in_words, nested_in_words
from twolevel.random.effect_names import INTERCEPT
from twolevel.text.confidence import percent

if TYPE_CHECKING:
    from twolevel.summaries.two_stage_summary import EffectCovarianceSummary, OwnEffectsSummary

FEW = 200
UP = 130.0  # points along a panel's vertical axis
MOST_EFFECTS = 3  # that have a histogram; the first two are drawn together
ESTIMATED = (0, (1, 1.6))


@themed
def effect_distributions(
    subjects: pd.DataFrame,
    residuals: pd.DataFrame,
    level1: OwnEffectsSummary,
    level2: EffectCovarianceSummary,
    labels: Labels,
    level: float,
) -> Figure:
    """Draw each of subjects' own effects, two of them together, what is nested, and the residuals.

    `subjects` has own_<effect> and deviation_<effect>, less what Level 2's regression predicts;
    `residuals` residual and, for each stratum, stratum_<group>. Solid: the normal, or the ellipse
    that holds this share of subjects, with the raw variances of what is drawn; dotted: with the
    corrected ones. What is in the response's unit has one scale.
    """
    samples = [
        *_own(subjects, level2),
        *_nested(residuals, level1, labels.subject),
        _residual(residuals, level1),
    ]
    pair = level2.effects[:2] if len(level2.effects) > 1 else []
    panels = len(samples) + bool(pair)
    figure = new_figure(0.3 + 1.65 * len(samples) + 2.8 * bool(pair))
    axes = figure.subplots(panels, height_ratios=[1.65] * len(samples) + [2.8] * bool(pair))
    room = room_of(figure)
    for ax, (sample, _, _) in zip(axes, samples, strict=False):
        histogram(ax, replace(sample, title=shorten(sample.title, room)))
    both = limits(*(sample.values for sample, _, in_unit in samples if in_unit))
    for ax, (_, label, in_unit) in zip(axes, samples, strict=False):
        if in_unit:
            ax.set_xlim(both)
            ax.set_xlabel(labels.in_unit(label, room))
        else:
            ax.set_xlabel(shorten(label, room))
        ax.set_ylabel("count")
    if pair:
        _together(axes[panels - 1], subjects, level2, labels, level, room)
    return figure


_Shown = tuple[
    Sample, str, bool
]  # with the text of its axis, and whether it has the response's unit


def _own(subjects: pd.DataFrame, level2: EffectCovarianceSummary) -> Iterator[_Shown]:
    named, means, deviations = effects_in_words(level2.effects), [], []
    for effect in level2.effects:
        own = subjects[[f"own_{effect}", f"deviation_{effect}"]].dropna().to_numpy(float)
        predicted = own[:, 0] - own[:, 1]
        alike = np.ptp(predicted) <= 1e-9 * np.abs(predicted).max()
        means.append(float(predicted.mean()) if alike else None)
        deviations.append(own[:, 1])
    shown = zip(level2.effects, deviation_labels(level2.effects, means), strict=True)
    for k, (effect, label) in enumerate(list(shown)[:MOST_EFFECTS]):
        sample = Sample(
            title=f"{len(deviations[k]):,} subjects’ own {named[k]}",
            what="estimates",
            name="SD between",
            colour=BETWEEN,
            values=deviations[k],
            sd=level2.raw[k][k] ** 0.5,
            sigma=max(level2.corrected[k][k], 0.0) ** 0.5,
        )
        yield sample, label, effect == INTERCEPT


def _nested(residuals: pd.DataFrame, level1: OwnEffectsSummary, subject: str) -> Iterator[_Shown]:
    for stratum in level1.strata:
        within = nested_in_words(stratum.grp, subject)
        sample = Sample(
            title=f"subjects’ own effects of {within}",
            what="estimates",
            name="SD of effects",
            colour=BETWEEN,
            values=residuals[f"stratum_{stratum.grp}"].to_numpy(float),
            sd=stratum.raw**0.5,
            sigma=max(stratum.corrected, 0.0) ** 0.5,
            # Rows of a level have the same effect, which counts once.
            weight=1 / stratum.per_level,
        )
        yield sample, f"own effect of {within}", True


def _residual(residuals: pd.DataFrame, level1: OwnEffectsSummary) -> _Shown:
    values = residuals["residual"].to_numpy(float)
    return of_residuals(values, level1.sigma_within), "residual ηᵢⱼ", True


def _together(
    ax: Axes,
    subjects: pd.DataFrame,
    level2: EffectCovarianceSummary,
    labels: Labels,
    level: float,
    room: float,
) -> None:
    one, other = level2.effects[:2]
    x, y = (subjects[f"deviation_{name}"].to_numpy(float) for name in (one, other))
    seen = np.isfinite(x + y)
    if seen.sum() <= FEW:
        ax.plot(x[seen], y[seen], "o", color=INK, markersize=4, markeredgewidth=0)
    else:
        draw_cloud(ax, x[seen], y[seen])
    raw, corrected = (np.array(m)[:2, :2] for m in (level2.raw, level2.corrected))
    entries = [(draw_ellipse(ax, raw, level, color=BETWEEN), "raw covariance")]
    if np.linalg.eigvalsh(corrected).min() > 0:
        style = {"color": BETWEEN, "linestyle": ESTIMATED, "linewidth": 2}
        entries.append((draw_ellipse(ax, corrected, level, **style), "corrected"))
    key(ax, f"Both deviations: {percent(level)}% ellipses", entries, columns=2)
    across, up = own_labels(level2.effects)[:2]
    ax.set_xlabel(shorten(across, room))
    ax.set_ylabel(shorten(up, UP))
