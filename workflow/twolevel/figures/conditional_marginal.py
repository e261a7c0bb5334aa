"""One subject's distribution beside the distribution over all subjects."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from twolevel.figures.density import bin_edges
from twolevel.figures.parts import Conditions, draw_normal, evenly, limits, room_of, wrapped
from twolevel.figures.theme import MARGINAL, MUTED, SOFT, WITHIN, new_figure, themed
from twolevel.figures.words import SMALL, Labels, number, shorten

MOST_PANELS = 4
QUANTILES = (0.05, 0.5, 0.95)


@themed
def conditional_marginal(
    observations: pd.DataFrame,
    condition_means: pd.DataFrame,
    random_effects: pd.DataFrame,
    *,
    grand_mean: float,
    sigma_between: float,
    sigma_within: float,
    labels: Labels,
) -> Figure:
    """Draw, per condition (at most four), three subjects' distributions and the marginal one.

    Conditional: N(m_j + s, sigma_within^2) for the subjects whose `random_effect` s is at the 5th,
    50th and 95th percentile, m_j the condition's mean. Marginal: N(m_j, sigma_between^2 +
    sigma_within^2). The observations lie behind as a histogram of unit area. At a boundary fit
    (sigma_between 0) all curves of a condition are one, and the figure says so. The horizontal axis
    is in the response's unit; the grand mean is marked in each panel.
    """
    conditions = Conditions.of(condition_means["condition"])
    code = conditions.code(observations["condition"])
    y = observations["response"].to_numpy(float)
    centre = condition_means["mean"].to_numpy(float)
    total = float(np.hypot(sigma_between, sigma_within))
    drawn = evenly(len(centre), MOST_PANELS)
    chosen = _at_quantiles(random_effects)

    figure = new_figure(1.1 + 1.45 * len(drawn))
    axes = figure.subplots(len(drawn), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for ax, j in zip(axes, drawn, strict=True):
        raw = _raw(ax, y[code == j])
        one = _conditional(ax, centre[j], chosen, sigma_between, sigma_within)
        every = draw_normal(ax, centre[j], total, color=MARGINAL, linewidth=4, alpha=0.55)
        ax.axvline(grand_mean, color=SOFT, linewidth=0.9, linestyle=(0, (1, 2)))
        ax.set_title(shorten(conditions.names[j], 300), loc="left", fontsize=SMALL, weight="bold")
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    axes[0].set_xlim(limits(y, centre - 3.2 * total, centre + 3.2 * total, margin=0))
    axes[0].set_ylim(0, 1.45 * axes[0].dataLim.y1)  # room for names above the peaks
    axes[-1].set_xlabel(labels.response_axis(room_of(figure)))
    which = "every subject" if sigma_between == 0 else "one subject"
    words = f"Dotted line: grand mean {number(grand_mean)}."
    if len(drawn) < len(centre):
        words = f"{len(drawn)} of {len(centre)} conditions. {words}"
    if sigma_between == 0:
        words += " SD between estimated as 0: both distributions are the same."
    else:
        words += " Named: subjects at the 5th, 50th and 95th percentile of the random effects."
    figure.legend(
        [every, one, raw],
        [
            f"marginal, any subject: SD {number(total)}",
            f"conditional, {which}: SD {number(sigma_within)}",
            "observations",
        ],
        title=wrapped(figure, words),
        title_fontproperties={"size": SMALL},
        alignment="left",
        loc="outside upper left",
        ncols=3,
    ).get_title().set_color(SOFT)
    return figure


def _at_quantiles(random_effects: pd.DataFrame) -> list[tuple[str, float]]:
    """Return name and random effect of the subjects nearest the quantiles, lowest first."""
    effects = random_effects["random_effect"].to_numpy(float)
    order = np.argsort(effects, kind="stable")
    ranks = np.unique(np.round(np.array(QUANTILES) * (len(effects) - 1)).astype(int))
    rows = order[ranks]
    names = random_effects["subject"].iloc[rows]
    return [(shorten(name, 70, SMALL), effects[k]) for name, k in zip(names, rows, strict=True)]


def _raw(ax: Axes, values: np.ndarray) -> StepPatch:
    edges = bin_edges(values)
    density, _ = np.histogram(values, edges, density=True)
    return ax.stairs(density, edges, fill=True, color=MUTED, alpha=0.3, linewidth=0)


def _conditional(
    ax: Axes,
    centre: float,
    chosen: list[tuple[str, float]],
    sigma_between: float,
    sigma_within: float,
) -> Line2D:
    if sigma_between == 0:
        return draw_normal(ax, centre, sigma_within, color=WITHIN, zorder=3)
    places = {0: ("right", 3), len(chosen) - 1: ("left", 3)}
    for k, (name, effect) in enumerate(chosen):
        line = draw_normal(ax, centre + effect, sigma_within, color=WITHIN, zorder=3)
        # Outer names extend outwards and the inner one stands higher, so that near peaks never
        # bring names together.
        side, up = places.get(k, ("center", 13))
        peak = line.get_ydata().max()
        ax.annotate(
            name,
            (centre + effect, peak),
            (0, up),
            textcoords="offset points",
            ha=side,
            color=WITHIN,
            fontsize=SMALL,
        )
    return line
