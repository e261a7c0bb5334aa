"""Profile likelihood: how far from quadratic is it, and where do the intervals end?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from scipy.special import ndtri

from twolevel.figures.parts import limits, note
from twolevel.figures.sources import DEVIATIONS, StudySources
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, MUTED, WIDTH, WITHIN, new_figure, themed
from twolevel.figures.words import SMALL, Labels, in_lines, width
from twolevel.text.confidence import LEVEL, percent

ACROSS = 2
MOST_PANELS = 12
# How far the axis reaches, as a multiple of where intervals end.
REACH = 1.375
FEWEST = 4  # points of a curve that tell its slope
RATIOS = {"icc": "ICC"}
# Columns of the table of intervals, and what the figure calls them.
PROFILE = {"ml_estimate": "estimate", "profile_low": "ci_low", "profile_high": "ci_high"}
ROOM = (WIDTH / ACROSS - 0.5) * 72  # points along an axis


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    intervals = pd.DataFrame(map(dict, sources.mixed.intervals))[["parameter", *PROFILE]]
    intervals = intervals.rename(columns=PROFILE).dropna()  # of many coefficients, none is profiled
    correlations = [row for row in sources.mixed.varcorr if row.var2 is not None]
    ratios = RATIOS | {
        row.parameter: "correlation" if len(correlations) == 1 else f"r: {row.var1}, {row.var2}"
        for row in correlations
    }
    return profile_zeta(
        sources.profile,
        intervals,
        sources.labels,
        sources.level,
        sources.deviation_titles,
        ratios,
        sources.slopes,
    )


@themed
def profile_zeta(
    curves: pd.DataFrame,
    intervals: pd.DataFrame,
    labels: Labels,
    level: float = LEVEL,
    deviations: Mapping[str, str] = DEVIATIONS,
    ratios: Mapping[str, str] = RATIOS,
    slopes: Mapping[str, str] | None = None,
) -> Figure:
    """Draw every parameter's profile: zeta against the parameter's value.

    `curves`: parameter, value, zeta (the signed root of the change in deviance, 0 at the
    maximum-likelihood estimate). `intervals`: parameter, estimate, ci_low, ci_high of this level,
    one row per parameter. `deviations` and `ratios` are the titles of the parameters that say how
    much varies; the former are SDs in the response's unit, those of `slopes` per unit of a number,
    which these name. They come first, then the coefficients
    in the order of `intervals`, at most 12 panels in all. The thin straight line has the curve's
    slope at the estimate: of a quadratic likelihood it is the curve.
    """
    order = intervals["parameter"].tolist()
    titles = {**deviations, **ratios}
    first = [name for name in titles if name in order]
    coefficients = [name for name in order if name not in titles]
    drawn = (first + coefficients)[:MOST_PANELS]
    rows = intervals.drop_duplicates("parameter").set_index("parameter")
    points = dict(list(curves.groupby("parameter", sort=False)))

    cut = float(ndtri(0.5 + level / 2))
    down = -(-len(drawn) // ACROSS)
    figure = new_figure(0.85 + 1.3 * down)
    axes = figure.subplots(down, ACROSS, sharey=True, squeeze=False).ravel()
    for k, (ax, name) in enumerate(zip(axes, drawn, strict=False)):
        title, colour = titles.get(name, name), MARGINAL if name in ratios else INK
        if name in deviations:
            colour = WITHIN if name == "sigma_within" else BETWEEN
            title = labels.in_unit(title, 2 * ROOM, (slopes or {}).get(name))
        estimate, low, high = rows.loc[name, ["estimate", "ci_low", "ci_high"]]
        _panel(ax, points[name], estimate, low, high, colour, cut)
        ax.set_title(in_lines(title, ROOM), loc="left", weight="bold", fontsize=SMALL)
        if k % ACROSS == 0:
            ax.set_ylabel("ζ", rotation=0)
    for ax in axes[len(drawn) :]:
        ax.set_visible(False)
    axes[0].set_yticks([-cut, 0, cut], [f"−{cut:.2f}", "0", f"{cut:.2f}"])
    axes[0].set_ylim(-REACH * cut, REACH * cut)
    words = (
        f"ζ: signed root of the rise in deviance. A {percent(level)}% interval ends (drop lines)"
        f" where the curve meets ±{cut:.2f}, or at a boundary (open). Thin: straight, as for a"
        " quadratic likelihood."
    )
    if len(drawn) < len(order):
        words += f" The last {len(order) - len(drawn)} of {len(order)} parameters are not drawn."
    note(figure, words)
    return figure


def _panel(
    ax: Axes,
    points: pd.DataFrame,
    estimate: float,
    low: float,
    high: float,
    colour: str,
    cut: float,
) -> None:
    points = points[np.isfinite(points["zeta"])].sort_values("value")
    value, zeta = points["value"].to_numpy(float), points["zeta"].to_numpy(float)
    for height in (-cut, cut):
        ax.axhline(height, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    ax.axhline(0, color=MUTED, linewidth=0.8)
    span = limits(value, estimate, low, high)
    slope = slope_at(estimate, value, zeta)
    if slope is not None:
        ends = np.array(span)
        ax.plot(ends, slope * (ends - estimate), color=MUTED, linewidth=0.9)
    ax.plot(value, zeta, color=colour, linewidth=2)
    for end, expected in ((low, -cut), (high, cut)):
        if not np.isfinite(end):
            continue
        height = float(np.interp(end, value, zeta))
        ax.vlines(end, -REACH * cut, height, color=colour, linewidth=1.1, linestyle=(0, (1.5, 1.5)))
        if abs(height - expected) > 0.1:
            style = {"markersize": 5.5, "markerfacecolor": "none", "markeredgewidth": 1.3}
            ax.plot(end, height, "o", color=colour, zorder=3, clip_on=False, **style)
    ax.plot(estimate, 0, "o", color=colour, markersize=5.5, markeredgewidth=0, zorder=3)
    ax.set_xlim(span)
    ax.grid(visible=False)
    _tick(ax, span)


def slope_at(estimate: float, value: np.ndarray, zeta: np.ndarray) -> float | None:
    """Return the slope of a curve at the estimate, where it is 0; None at the end of its range.

    A cubic through the estimate is fitted to the nearest points of the curve.
    """
    distance = value - estimate
    scale = np.abs(distance).max(initial=0.0)
    inside = np.any(distance < 0) and np.any(distance > 0)
    if len(value) < FEWEST or scale == 0 or not inside:
        return None
    near = np.argsort(np.abs(distance), kind="stable")[: FEWEST + 2]
    scaled = distance[near] / scale
    terms = np.column_stack([scaled, scaled**2, scaled**3])
    return float(np.linalg.lstsq(terms, zeta[near], rcond=None)[0][0] / scale)


def _tick(ax: Axes, span: tuple[float, float]) -> None:
    """Put as many ticks on the horizontal axis as have room for their numbers."""
    for most in (4, 3, 2, 1):
        ticks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], min_n_ticks=1).tick_values(*span)
        ticks = ticks[(ticks >= span[0]) & (ticks <= span[1])]
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        words = ax.xaxis.get_major_formatter().format_ticks(ticks)
        longest = max((width(word, SMALL) for word in words), default=0.0)
        step = ROOM * np.diff(ticks).min() / (span[1] - span[0]) if len(ticks) > 1 else ROOM
        if longest + 8 <= step:
            break
    # A long number at an end would reach into the neighbouring panel.
    inner = ROOM * np.minimum(ticks - span[0], span[1] - ticks) / (span[1] - span[0])
    ax.xaxis.set_major_locator(FixedLocator(ticks[inner >= longest / 2 - 12]))
