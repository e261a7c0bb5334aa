"""One subject's distribution and the distribution over all subjects."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from twolevel.figures.density import bin_edges
from twolevel.figures.parts import (
    Conditions,
    columns_for,
    draw_normal,
    evenly,
    limits,
    normal_density,
    room_of,
    wrapped,
)
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import MARGINAL, MUTED, SOFT, WITHIN, new_figure, themed
from twolevel.figures.words import SMALL, Labels, shorten
from twolevel.text.numbers import significant

MOST_PANELS = 4
MOST_CENTRES = 60  # of the normal distributions that make a marginal one
QUANTILES = (0.05, 0.5, 0.95)  # of the random effects: whose subjects are drawn


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    return conditional_marginal(
        sources.with_random_part,
        sources.conditions,
        grand_mean=sources.mixed.grand_mean.estimate,
        sigma_within=sources.mixed.sigma_within,
        labels=sources.labels,
    )


@themed
def conditional_marginal(
    observations: pd.DataFrame,
    conditions: Iterable[object],
    *,
    grand_mean: float,
    sigma_within: float,
    labels: Labels,
) -> Figure:
    """Draw, per condition (at most four), three subjects' distributions and the marginal one.

    `observations` has subject, condition, response, fixed (what the fixed effects predict), random
    (what the subject's own predicted effects add) and random_sd (the SD of that over all subjects);
    of `conditions`, all levels in their order. Conditional: N(f + s, sigma_within^2), with f and s
    the means of fixed and random in the cell of one subject, for those in whom random is on average
    at the 5th, 50th and 95th percentile; where a subject was not seen, it has no curve. Marginal:
    N(f, random_sd^2 + sigma_within^2), mixed over all observations where these differ. The
    observations lie behind as a histogram of unit area. Where random_sd is 0 throughout, the figure
    says so. The horizontal axis is in the response's unit; the grand mean is marked in each panel.
    """
    shown = Conditions.of(conditions)
    code = shown.code(observations["condition"])
    y, fixed, random, random_sd = (
        observations[name].to_numpy(float) for name in ("response", "fixed", "random", "random_sd")
    )
    between, totals = float(random_sd.max()), np.hypot(random_sd, sigma_within)
    total = float(totals.max())
    one_total = bool(np.ptp(totals) <= 1e-6 * total)
    drawn = evenly(len(shown.at), MOST_PANELS)
    centres = [_centres(fixed[code == j], 1e-6 * total) for j in drawn]
    alike = all(len(at) == 1 for at, _ in centres)
    chosen = _at_quantiles(observations["subject"], random)
    rows = [np.flatnonzero(observations["subject"] == name) for name in chosen]

    figure = new_figure(1.2 + 1.2 * len(drawn))
    axes = figure.subplots(len(drawn), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    one = None
    for ax, j, (at, weight) in zip(axes, drawn, centres, strict=True):
        raw = _raw(ax, y[code == j])
        if alike and between == 0:
            one = draw_normal(ax, at[0], sigma_within, color=WITHIN, zorder=3)
        else:
            own = [(fixed + random)[k][code[k] == j] for k in rows]
            seen = [
                (name, values.mean())
                for name, values in zip(chosen, own, strict=True)
                if len(values)
            ]
            one = _conditional(ax, seen, sigma_within) or one
        # Within a level, totals hardly differ where means do not: their root mean square stands.
        own_total = total if one_total else float(np.sqrt(np.mean(totals[code == j] ** 2)))
        every = _marginal(ax, at, weight, own_total)
        ax.axvline(grand_mean, color=SOFT, linewidth=0.9, linestyle=(0, (1, 2)))
        title = shorten(shown.names[j], 300)
        if not one_total:
            title += f"   marginal SD {significant(own_total)}"
        ax.set_title(title, loc="left", fontsize=SMALL, weight="bold")
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    axes[0].set_xlim(limits(y, fixed.min() - 3.2 * total, fixed.max() + 3.2 * total, margin=0))
    axes[0].set_ylim(0, 1.45 * axes[0].dataLim.y1)  # room for names above the peaks
    axes[-1].set_xlabel(labels.response_axis(room_of(figure)))
    same = alike and between == 0
    which = "every subject" if same else "one subject"
    words = f"Dotted line: grand mean {significant(grand_mean)}."
    if len(drawn) < len(shown.at):
        words = f"{len(drawn)} of {len(shown.at)} conditions. {words}"
    if not alike:
        words += " Marginal: over all subjects, each around what the fixed effects predict for it."
    if same:
        words += " SD between estimated as 0: both distributions are the same."
    elif between == 0:
        words += " SD between estimated as 0: subjects differ by the fixed effects alone."
    else:
        words += " Named: subjects at the 5th, 50th and 95th percentile of the random effects."
    spread = f": SD {significant(total)}{'' if alike else ' each'}" if one_total else ""
    curves = {
        f"marginal, any subject{spread}": every,
        f"conditional, {which}: SD {significant(sigma_within)}": one,
        "observations": raw,
    }
    curves = {text: curve for text, curve in curves.items() if curve is not None}
    figure.legend(
        list(curves.values()),
        list(curves),
        title=wrapped(figure, words),
        title_fontproperties={"size": SMALL},
        alignment="left",
        loc="outside upper left",
        ncols=columns_for(curves, 72 * figure.get_figwidth() - 20, 3),
    ).get_title().set_color(SOFT)
    return figure


def _at_quantiles(subjects: pd.Series, random: np.ndarray) -> list[str]:
    """Return the subjects nearest the quantiles of what is random in them, lowest first."""
    effects = pd.Series(random).groupby(subjects.to_numpy(), sort=False).mean()
    order = np.argsort(effects.to_numpy(), kind="stable")
    ranks = np.unique(np.round(np.array(QUANTILES) * (len(effects) - 1)).astype(int))
    return effects.index[order[ranks]].tolist()


def _centres(fixed: np.ndarray, small: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that fixed parts take, and the share of each; of many, binned ones."""
    if np.ptp(fixed) <= max(small, 1e-12 * np.abs(fixed).max()):
        return fixed[:1], np.ones(1)
    at, counts = np.unique(fixed, return_counts=True)
    if len(at) > MOST_CENTRES:
        counts, edges = np.histogram(fixed, MOST_CENTRES)
        at = (edges[1:] + edges[:-1]) / 2
    return at, counts / counts.sum()


def _marginal(ax: Axes, at: np.ndarray, weight: np.ndarray, sd: float) -> Line2D:
    style: dict[str, Any] = {"color": MARGINAL, "linewidth": 4, "alpha": 0.55}
    if len(at) == 1 or sd == 0:
        return draw_normal(ax, float(weight @ at), sd, **style)
    x = np.linspace(at.min() - 4 * sd, at.max() + 4 * sd, 241)
    return ax.plot(x, normal_density(x[:, None], at, sd) @ weight, **style)[0]


def _raw(ax: Axes, values: np.ndarray) -> StepPatch:
    edges = bin_edges(values)
    density, _ = np.histogram(values, edges, density=True)
    return ax.stairs(density, edges, fill=True, color=MUTED, alpha=0.3, linewidth=0)


def _conditional(ax: Axes, seen: list[tuple[str, float]], sigma_within: float) -> Line2D | None:
    line = None
    seen = sorted(seen, key=lambda one: one[1])
    places = {0: ("right", 3), len(seen) - 1: ("left", 3)}
    for k, (name, centre) in enumerate(seen):
        line = draw_normal(ax, centre, sigma_within, color=WITHIN, zorder=3)
        # Outer names extend outwards and the inner one stands higher, so that near peaks never
        # bring names together.
        side, up = places.get(k, ("center", 13))
        peak = line.get_ydata().max()
        ax.annotate(
            shorten(name, 70, SMALL),
            (centre, peak),
            (0, up),
            textcoords="offset points",
            ha=side,
            color=WITHIN,
            fontsize=SMALL,
        )
    return line
