"""Why the raw variance of subject means is corrected: mean estimates beside the truth."""

import pandas as pd
from matplotlib.figure import Figure

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
from twolevel.figures.theme import BETWEEN, MARGINAL, TRUTH, WITHIN, new_figure, themed

SERIES = {
    "raw_variance": ("raw variance of subject means", WITHIN, "s", -1),
    "two_stage_variance": ("corrected (two-stage)", BETWEEN, "o", 0),
    "between_variance": ("REML", MARGINAL, "^", 1),
}


@themed
def two_stage_bias(measures: pd.DataFrame) -> Figure:
    """Draw the mean of three estimates of sigma_b^2 over the number of subjects, and the truth.

    `measures`: subjects, sigma_between, missing, quantity, method, measure, value, mcse. One panel
    for each of up to three sigma_between, at the smallest share of missing cells.
    """
    panels, missing = some(measures["sigma_between"], MOST_PANELS), measures["missing"].min()
    figure = new_figure(3.1)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    entries = {}
    for ax, sigma_between in zip(axes, panels, strict=True):
        truth = sigma_between**2
        entries["truth"] = ax.axhline(truth, **TRUTH)
        for quantity, (name, colour, marker, shift) in SERIES.items():
            point = {"sigma_between": sigma_between, "missing": missing}
            table = measured(measures, quantity, "bias", **point)
            table = table.assign(**{key: table[key] + truth for key in ("value", "low", "high")})
            entries[name] = draw_series(ax, table, colour, marker, shift=shift)
        subject_axis(ax, measures["subjects"], room_of(figure, len(panels)))
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
        title(ax, f"SD between = {sigma_between:g}")
    axes[0].set_ylabel("mean estimate")
    order = [name for name, *_ in SERIES.values()] + ["truth"]
    shown = {"sigma_between": panels, "missing": [missing]}
    legend(figure, [(entries[name], name) for name in order], left_out(measures, shown))
    return figure
