"""Two effects that subjects have of their own, in a plane, with the ellipses of covariances."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from twolevel.findings.varying.of_own_effects import effects_in_words
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


def deviation_labels(
    effects: Sequence[str], means: Sequence[float | None] | None = None
) -> list[str]:
    """What deviations of effects are called: from a mean, where all subjects have the same one."""
    found = []
    for k, plural in enumerate(effects_in_words(effects)):
        # Of a subject: its own mean, intercept, slope of day or effect of dose[T.high].
        name = "own " + re.sub("s(?= of |$)", "", plural, count=1)
        mean = means[k] if means else None
        found.append(f"{name}, deviation" if mean is None else f"{name} − {significant(mean)}")
    return found
