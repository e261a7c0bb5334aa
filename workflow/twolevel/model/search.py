"""The minimum of a criterion over the relative variance lambda >= 0, for many criteria at once.

Unbalanced data can have two local minima, so a grid over log(lambda) comes first and Newton's
method only polishes, kept inside a shrinking bracket. One data set is a batch of one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# The values of lambda at which every criterion is first looked at: from a sigma_b of 4e-6 sigma_w,
# which no data could tell from 0, to one of 7e7 sigma_w.
GRID = np.exp(np.arange(-25.0, 36.25, 0.5))

# Newton's method converges quadratically: after a step this small, the next is below rounding.
_LAST_STEP = 1e-8

# A criterion at 0 is lower than at the grid's first point by no more than this: it rises by at most
# one per observation and unit of lambda, up to 7e10 observations.
_RISE_FROM_ZERO = 1.0

# Takes lambda (B,) and the positions (B,) of the criteria that are asked for; returns their values
# and first two derivatives with respect to lambda, (B,) each.
Criterion = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def minimise(
    criterion: Criterion,
    on_grid: np.ndarray,
    grid: np.ndarray = GRID,
    likely: float | None = None,
) -> np.ndarray:
    """The minimising lambda (B,) of B criteria, whose values on grid (K,) are on_grid (K, B).

    0 where the boundary is the minimum: the sign of the derivative there decides, unless a second
    minimum in the interior is lower. Infinite where the criterion still falls at the grid's end.
    Every grid begins where GRID does.
    `likely` is a lambda near which most of the minima are, if one is known.
    """
    best = on_grid.argmin(axis=0)
    every = np.arange(on_grid.shape[1])
    endless = best == len(grid) - 1
    below, above = np.maximum(best - 1, 0), np.minimum(best + 1, len(grid) - 1)
    high = grid[above]
    low = np.where(best > 0, grid[below], high * 1e-6)
    value = on_grid[best, every]

    # What is no lower than its neighbour up to rounding may rise from the boundary.
    flat = np.flatnonzero((on_grid[below, every] - value <= 1e-9 * np.abs(value)) & ~endless)
    rising = np.zeros(len(every), dtype=bool)
    if len(flat):
        rising[flat] = criterion(low[flat], flat)[1] >= 0
    inner = np.flatnonzero(~rising & ~endless)
    found = np.zeros(len(every))
    start = _vertex(on_grid, grid)
    if likely:
        start[(low < likely) & (likely < high)] = np.log(likely)
    found[inner] = polish(criterion, low[inner], high[inner], inner, start[inner])
    inner = inner[on_grid[0, inner] - value[inner] < _RISE_FROM_ZERO]
    if len(inner):
        at_zero, slope_at_zero, _ = criterion(np.zeros(len(inner)), inner)
        doubtful = slope_at_zero >= 0
        rivals = inner[doubtful]
        lower = criterion(found[rivals], rivals)[0] < at_zero[doubtful]
        found[rivals[~lower]] = 0.0
    return np.where(endless, np.inf, found)


def _vertex(on_grid: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Where (B,) in log(lambda) a parabola through the lowest point and its neighbours turns."""
    best = np.minimum(np.maximum(on_grid.argmin(axis=0), 1), len(grid) - 2)
    at, around = np.log(grid), np.array([best - 1, best, best + 1])
    left, middle, right = at[around]
    before, lowest, after = on_grid[around, np.arange(on_grid.shape[1])]
    back, ahead = middle - left, right - middle
    fall, rise = (before - lowest) / back, (after - lowest) / ahead
    shift = 0.5 * (fall * ahead - rise * back)
    steeper = fall + rise
    return middle + np.divide(shift, steeper, out=np.zeros(len(best)), where=steeper > 0)


def polish(
    criterion: Criterion,
    low: np.ndarray,
    high: np.ndarray,
    which: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """Newton's method for a zero slope in log(lambda), inside the brackets low to high (B,).

    The criteria `which` (B,) have a minimum in their brackets; start (B,) is where in log(lambda)
    it is looked for first, and the middle of the bracket if that lies outside.
    """
    a, b = np.log(low), np.log(high)
    s = np.where((a < start) & (start < b), start, 0.5 * (a + b))
    moving = np.arange(len(which))
    for _ in range(200):
        at = s[moving]
        now = np.exp(at)
        _, slope, curvature = criterion(now, which[moving])
        falling = slope < 0
        a = np.where(falling, at, a)
        b = np.where(falling, b, at)
        second = now * curvature + slope  # d''(log lambda) / lambda
        newton = np.divide(-slope, second, out=np.full(len(moving), np.inf), where=second > 0)
        step = at + newton
        inside = (a <= step) & (step <= b)
        s[moving] = np.where(inside, step, 0.5 * (a + b))
        left = ~((np.abs(newton) <= _LAST_STEP) | (b - a <= 1e-15))
        moving, a, b = moving[left], a[left], b[left]
        if len(moving) == 0:
            break
    return np.exp(s)
