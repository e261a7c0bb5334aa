"""Two effects that subjects have of their own, in a plane, with the ellipses of covariances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from twolevel.findings.varying.of_own_effects import effects_in_words
from twolevel.findings.varying.random_words import in_singular
from twolevel.text.confidence import alpha
from twolevel.text.numbers import significant


def draw_ellipse(ax: Axes, covariance: np.ndarray, level: float, **style: object) -> Line2D:
    """Draw the ellipse around 0 that holds this share of normal pairs with a covariance (2, 2).

    A segment where the covariance is singular: the two effects then determine each other.
    """
    values, vectors = np.linalg.eigh(covariance)
    radius = np.sqrt(-2 * np.log(alpha(level)) * np.clip(values, 0, None))
    turn = np.linspace(0, 2 * np.pi, 181)
    x, y = (vectors * radius) @ np.array([np.cos(turn), np.sin(turn)])
    return ax.plot(x, y, **style)[0]


def own_labels(effects: Sequence[str]) -> list[str]:
    """What effects of a subject are called: own mean, own intercept, own slope of day."""
    return [f"own {in_singular(plural)}" for plural in effects_in_words(effects)]


def deviation_labels(
    effects: Sequence[str], means: Sequence[float | None] | None = None
) -> list[str]:
    """What deviations of effects are called: from a mean, where all subjects have the same one."""
    return [
        f"{name}, deviation" if mean is None else f"{name} − {significant(mean)}"
        for name, mean in zip(own_labels(effects), means or [None] * len(effects), strict=True)
    ]
