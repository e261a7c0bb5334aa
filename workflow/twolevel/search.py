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

# Takes lambda (B,) and the positions (B,) of the criteria that are asked for; returns their values
# and first two derivatives with respect to lambda, (B,) each.
Criterion = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def minimise(criterion: Criterion, on_grid: np.ndarray, grid: np.ndarray = GRID) -> np.ndarray:
    """The minimising lambda (B,) of B criteria, whose values on grid (K,) are on_grid (K, B).

    0 where the boundary is the minimum: the sign of the derivative there decides, unless a second
    minimum in the interior is lower. Infinite where the criterion still falls at the grid's end.
    """
    best = on_grid.argmin(axis=0)
    every = np.arange(on_grid.shape[1])
    endless = best == len(grid) - 1
    high = grid[np.minimum(best + 1, len(grid) - 1)]
    low = np.where(best > 0, grid[best - 1], high * 1e-6)

    inner = np.flatnonzero((criterion(low, every)[1] < 0) & ~endless)
    found = np.zeros(len(every))
    found[inner] = polish(criterion, low[inner], high[inner], inner)
    at_zero, slope_at_zero, _ = criterion(np.zeros(len(inner)), inner)
    lower = criterion(found[inner], inner)[0] < at_zero
    found[inner] = np.where((slope_at_zero < 0) | lower, found[inner], 0.0)
    return np.where(endless, np.inf, found)


def polish(
    criterion: Criterion, low: np.ndarray, high: np.ndarray, which: np.ndarray
) -> np.ndarray:
    """Newton's method for a zero slope in log(lambda), inside the brackets low to high (B,).

    The slopes of the criteria `which` (B,) are negative at low and not at high.
    """
    a, b = np.log(low), np.log(high)
    s = 0.5 * (a + b)
    moving = np.arange(len(which))
    for _ in range(200):
        now = np.exp(s[moving])
        _, slope, curvature = criterion(now, which[moving])
        falling = slope < 0
        a[moving] = np.where(falling, s[moving], a[moving])
        b[moving] = np.where(falling, b[moving], s[moving])
        second = now * curvature + slope  # d''(log lambda) / lambda
        newton = np.divide(-slope, second, out=np.full(len(moving), np.inf), where=second > 0)
        step = s[moving] + newton
        inside = (a[moving] <= step) & (step <= b[moving])
        s[moving] = np.where(inside, step, 0.5 * (a[moving] + b[moving]))
        small = (np.abs(newton) <= _LAST_STEP) | (b[moving] - a[moving] <= 1e-15)
        moving = moving[~small]
        if len(moving) == 0:
            break
    return np.exp(s)
