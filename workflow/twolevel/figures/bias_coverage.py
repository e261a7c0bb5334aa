"""Bias and coverage over the number of subjects."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from twolevel.figures.grid import (
    MOST_PANELS,
    draw_series,
    left_out,
    legend,
    measured,
    some,
    subject_axis,
    title,
)
from twolevel.figures.parts import room_of
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, TRUTH, WITHIN, new_figure, themed
from twolevel.figures.words import shorten

ROOM = 120  # points for the name of a condition


@themed
def bias_coverage(measures: pd.DataFrame) -> Figure:
    """Draw the bias, in empirical standard errors, and the coverage of 95% intervals.

    `measures`: subjects, sigma_between, missing, quantity, method, measure, value, mcse. One column
    for each of up to three sigma_between, at the smallest share of missing cells; bias of the grand
    mean, the first condition's effect and both variances, coverage of the former two.
    """
    panels, missing = some(measures["sigma_between"], MOST_PANELS), measures["missing"].min()
    effect = next(q for q in measures["quantity"] if q.startswith("alpha["))
    series = {
        "grand_mean": ("grand mean", INK, "o", -1.5),
        effect: (f"effect of {shorten(effect[6:-1], ROOM)}", MARGINAL, "^", -0.5),
        "between_variance": ("variance between", BETWEEN, "s", 0.5),
        "within_variance": ("variance within", WITHIN, "D", 1.5),
    }
    figure = new_figure(4.6)
    axes = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
    entries = {}
    for (above, below), sigma_between in zip(axes.T, panels, strict=True):
        point = {"sigma_between": sigma_between, "missing": missing}
        above.axhline(0, **TRUTH)
        entries["nominal"] = below.axhline(0.95, **TRUTH)
        for quantity, (name, colour, marker, shift) in series.items():
            bias = measured(measures, quantity, "bias", **point)
            spread = measured(measures, quantity, "empirical_se", **point)["value"].to_numpy()
            scaled = {key: bias[key] / spread for key in ("value", "low", "high")}
            look = {"shift": shift, "linestyle": "none"}
            entries[name] = draw_series(above, bias.assign(**scaled), colour, marker, **look)
            covered = measured(measures, quantity, "coverage", **point)
            if len(covered):
                draw_series(below, covered, colour, marker, **look)
        title(above, f"SD between = {sigma_between:g}")
        subject_axis(below, measures["subjects"], room_of(figure, len(panels)))
    _keep_in_view(axes[1, 0])
    axes[0, 0].set_ylabel("bias, in SEs")
    axes[1, 0].set_ylabel("coverage")
    axes[1, 0].yaxis.set_major_formatter(PercentFormatter(1.0, 0))
    order = [name for name, *_ in series.values()]
    shown = {"sigma_between": panels, "missing": [missing]}
    words = left_out(measures, shown)
    drawn = [(entries[name], name) for name in order] + [(entries["nominal"], "0 and 95 %")]
    legend(figure, drawn, words)
    return figure


def _keep_in_view(ax) -> None:
    """Show a range of coverage in which a percent can be seen, whatever the intervals are."""
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.93), max(high, 0.97))
