"""Many values at once: histograms, and clouds drawn as points or as shaded cells."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from twolevel.figures.parts import MANY_POINTS, limits
from twolevel.figures.theme import MUTED

SHADES = (0.12, 0.25, 0.4, 0.6, 0.85)
COLUMNS, ROWS = 60, 36


def draw_cloud(ax: Axes, x: np.ndarray, y: np.ndarray) -> bool:
    """Draw the points (x, y) on `ax` and return whether they were aggregated into shaded cells.

    A cell's shade stands for its number of points on a square-root scale. All cells of a shade are
    one path, so that the file does not grow with the data.
    """
    if len(x) <= MANY_POINTS:
        ax.plot(x, y, "o", color=MUTED, markersize=3.5, alpha=0.65, markeredgewidth=0)
        return False
    counts, x_edges, y_edges = np.histogram2d(
        x, y, bins=(COLUMNS, ROWS), range=(limits(x, margin=0.01), limits(y, margin=0.01))
    )
    share = np.sqrt(counts / counts.max())
    shade = np.ceil(share * len(SHADES)).astype(int)
    for level, alpha in enumerate(SHADES, start=1):
        cells = [
            _rectangle(x_edges[i], x_edges[i + 1], y_edges[first], y_edges[last])
            for i in range(COLUMNS)
            for first, last in _runs(shade[i] == level)
        ]
        if cells:
            path = Path.make_compound_path(*cells)
            ax.add_patch(PathPatch(path, facecolor=MUTED, alpha=alpha, linewidth=0))
    ax.update_datalim(np.column_stack([x_edges[[0, -1]], y_edges[[0, -1]]]))
    ax.autoscale_view()
    return True


def _runs(member: np.ndarray) -> list[tuple[int, int]]:
    """Return start and end of each run of true values, so that neighbours become one rectangle."""
    steps = np.diff(member.astype(int), prepend=0, append=0)
    return list(zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True))


def _rectangle(left: float, right: float, bottom: float, top: float) -> Path:
    corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    return Path(corners, closed=True)


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Return equal-width histogram edges by Freedman and Diaconis' rule, 6 to 40 bins."""
    low, high = values.min(), values.max()
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        left, right = limits(values)
        return np.array([low - 0.05 * (right - left), low + 0.05 * (right - left)])
    quarter, three_quarters = np.percentile(values, (25, 75))
    step = 2 * (three_quarters - quarter) / np.cbrt(len(values))
    bins = (high - low) / step if step > 0 else 40
    return np.linspace(low, high, int(np.clip(np.ceil(bins), 6, 40)) + 1)


def draw_mirrored(ax: Axes, at: float, half: float, values: np.ndarray) -> Artist:
    """Draw a histogram of `values` upright on `ax`, mirrored at `at` and at most `half` wide."""
    edges = bin_edges(values)
    counts, _ = np.histogram(values, edges)
    wide = half * counts / counts.max()
    return ax.fill_betweenx(
        np.repeat(edges, 2)[1:-1],
        np.repeat(at - wide, 2),
        np.repeat(at + wide, 2),
        color=MUTED,
        alpha=0.4,
        linewidth=0,
    )
