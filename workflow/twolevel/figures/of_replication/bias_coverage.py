"""Bias and coverage over the number of subjects."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.panels import (
    INTERVALS,
    MOST_PANELS,
    Look,
    Subjects,
    draw_series,
    in_percent,
    left_out,
    legend,
    measured,
    name_panel,
    one_design,
    some,
)
from twolevel.figures.replication_sources import ReplicationSources
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, TRUTH, WITHIN, new_figure, themed
from twolevel.figures.words import SMALL, shorten
from twolevel.findings.of_replication.config_words import SpreadWords

ROOM = 80  # points for the name of a condition


def draw(sources: ReplicationSources) -> Figure:
    """Draw the figure from the results of a replication study."""
    level, spread = sources.replication.level, sources.spread
    return bias_coverage(sources.measures, level=level, spread=spread)


@themed
def bias_coverage(measures: pd.DataFrame, *, level: float, spread: SpreadWords) -> Figure:
    """Draw the bias, in empirical standard errors, and the coverage of intervals at `level`.

    `measures`: subjects, sigma_between, missing, replicates, quantity, method, measure, n, value,
    mcse. One column for each of up to two sigma_between, which `spread` names, of one design; bias
    of the grand mean, the first condition's effect or the slope, and both variances, coverage of
    the former two.
    """
    panels, design = some(measures["sigma_between"], MOST_PANELS), one_design(measures)
    effect = next(q for q in measures["quantity"] if q == "slope" or q.startswith("alpha["))
    called = "slope"
    if effect != "slope":
        called = f"effect of {shorten(effect[len('alpha[') : -1], ROOM, SMALL)}"
    looks = {
        "grand_mean": Look("grand mean", INK, "o", "none"),
        effect: Look(called, MARGINAL, "^", "none"),
        "between_variance": Look("variance between", BETWEEN, "s", "none"),
        "within_variance": Look("variance within", WITHIN, "D", "none"),
    }
    figure = new_figure(4.6)
    axes = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
    subjects = Subjects.of(measures, figure, len(panels), len(looks))
    entries = []
    for (above, below), sigma_between in zip(axes.T, panels, strict=True):
        point = {"sigma_between": sigma_between} | design
        above.axhline(0, **TRUTH)
        target = below.axhline(level, **TRUTH)
        drawn = []
        for place, (quantity, look) in enumerate(looks.items()):
            bias = _standardised(measures, quantity, **point)
            drawn.append((draw_series(above, bias, look, subjects, place - 1.5), look.name))
            # Variances have no intervals, so that the fixed effects have the place for themselves.
            covered = measured(measures, quantity, "coverage", **point)
            if len(covered):
                draw_series(below, covered, look, subjects, place - 0.5)
        entries = [*drawn, (target, "target")]
        name_panel(above, sigma_between, spread)
        subjects.label(above, named=False)
        subjects.label(below)
    _keep_in_view(axes[1, 0], level)
    axes[0, 0].set_ylabel("bias, in SEs")
    axes[1, 0].set_ylabel("coverage")
    in_percent(axes[1, 0].yaxis)
    shown: dict[str, Any] = {"subjects": subjects.values, "sigma_between": panels}
    shown |= {axis: [value] for axis, value in design.items()}
    words = left_out(measures, shown, spread)
    legend(figure, entries, words, INTERVALS)
    return figure


def _standardised(measures: pd.DataFrame, quantity: str, **point: Any) -> pd.DataFrame:
    """The bias in empirical SEs, without what did not vary."""
    bias = measured(measures, quantity, "bias", **point)
    spread = measured(measures, quantity, "empirical_se", **point).set_index("subjects")["value"]
    spread = bias["subjects"].map(spread).replace(0.0, np.nan)
    scaled = bias.assign(**{key: bias[key] / spread for key in ("value", "low", "high")})
    return scaled[scaled["value"].notna()]


def _keep_in_view(ax: Axes, level: float) -> None:
    """Show a range of coverage in which a percent can be seen, whatever the intervals are."""
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, level - 0.02), min(max(high, level + 0.02), 1 + 0.04 * (1 - low)))
