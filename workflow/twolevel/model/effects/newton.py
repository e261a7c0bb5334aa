"""Newton's method within a trust region, for many functions of a few numbers at once.

The functions are smooth everywhere (see `relative_covariance`), but neither convex nor, in some
directions, curved at all; steps are taken along the eigenvectors of the second derivatives, by
their sizes (Nocedal & Wright 2006, ch. 4). One function is a batch of one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twolevel.numeric.small_matrices import sweep

# Takes values (K, b) and the positions (b,) of the functions that are asked for; returns their
# values (b,), gradients (K, b) and second derivatives (K, K, b).
Function = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]

# Newton's method converges quadratically: after a step this small, relative to where it is, the
# next is below rounding.
_LAST_STEP = 1e-7
# By how much a value may rise by its rounding.
_ROUNDING = 1e-13
_MOST_STEPS = 200


def minimise(function: Function, start: np.ndarray, largest: float) -> np.ndarray:
    """Where (K, B) functions have a minimum near start (K, B).

    What goes beyond `largest` in some direction is left there.
    """
    at = start.copy()
    every = np.arange(at.shape[1])
    value, gradient, hessian = function(at, every)
    radius = np.maximum(1.0, _norm(at))
    moving = every
    for _ in range(_MOST_STEPS):
        step, last = _step(gradient[:, moving], hessian[:, :, moving], radius[moving])
        expected = -(
            np.einsum("kb,kb->b", gradient[:, moving], step)
            + 0.5 * np.einsum("kb,klb,lb->b", step, hessian[:, :, moving], step)
        )
        new = at[:, moving] + step
        now, slope, curvature = function(new, moving)
        gain = value[moving] - now
        tolerance = _ROUNDING * (1 + np.abs(value[moving]))
        better = gain >= -tolerance
        size = _norm(step)
        # What rounding hides of a gain is no reason to distrust a step.
        good = (gain >= 0.75 * expected) | (expected <= tolerance)
        poor = gain < 0.25 * expected - tolerance
        radius[moving] = np.where(
            poor, 0.25 * size, np.where(good, np.maximum(radius[moving], 3 * size), radius[moving])
        )
        kept = moving[better]
        at[:, kept], value[kept] = new[:, better], now[better]
        gradient[:, kept], hessian[:, :, kept] = slope[:, better], curvature[:, :, better]
        small = size <= _LAST_STEP * np.maximum(_norm(at[:, moving]), 1e-3)
        done = (small & (last | ~better)) | (_norm(at[:, moving]) > largest)
        moving = moving[~done]
        if len(moving) == 0:
            break
    return at


def _step(
    gradient: np.ndarray, hessian: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Steps (K, b) within the radius (b,), and which of them are Newton's own."""
    swept, pivots = sweep(hessian, len(gradient), least=np.zeros(len(radius)))
    convex = (pivots > 1e-12 * np.abs(hessian).max(axis=(0, 1))).all(axis=0)
    step = np.einsum("klb,lb->kb", swept, gradient)
    if not convex.all():
        bent = np.flatnonzero(~convex)
        values, axes = np.linalg.eigh(np.moveaxis(hessian[:, :, bent], -1, 0))
        sizes = np.abs(values)
        sizes = np.maximum(sizes, 1e-10 * sizes.max(axis=1, keepdims=True) + 1e-300)
        along = np.einsum("bkl,kb->bl", axes, gradient[:, bent]) / sizes
        step[:, bent] = -np.einsum("bkl,bl->kb", axes, along)
    size = _norm(step)
    within = size <= radius
    return np.where(within, step, step * (radius / np.where(within, 1.0, size))), within


def _norm(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt((vectors * vectors).sum(axis=0))
