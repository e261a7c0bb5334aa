"""Type I error of each test over the number of subjects."""

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
from twolevel.figures.theme import BETWEEN, MARGINAL, MUTED, TRUTH, WITHIN, new_figure, themed

MOST_ROWS = 2
TESTS = {
    "asymptotic": ("asymptotic", WITHIN, "s", -1.5),
    "satterthwaite": ("Satterthwaite", MUTED, "D", -0.5),
    "kenward-roger": ("Kenward–Roger", BETWEEN, "o", 0.5),
    "anova": ("ANOVA", MARGINAL, "^", 1.5),
}


@themed
def type_one_error(measures: pd.DataFrame) -> Figure:
    """Draw how often each test, at the 5% level, rejects what is true.

    `measures`: subjects, sigma_between, missing, quantity, method, measure, value, mcse. One column
    for each of up to three sigma_between, one row for each of up to two shares of missing cells.
    """
    columns = some(measures["sigma_between"], MOST_PANELS)
    rows = some(measures["missing"], MOST_ROWS)
    figure = new_figure(1.0 + 1.9 * len(rows))
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    entries = {}
    for down, missing in zip(axes, rows, strict=True):
        for ax, sigma_between in zip(down, columns, strict=True):
            entries["nominal 5 %"] = ax.axhline(0.05, **TRUTH)
            for test, (name, colour, marker, shift) in TESTS.items():
                point = {"method": test, "sigma_between": sigma_between, "missing": missing}
                table = measured(measures, "condition", "type_one_error", **point)
                if len(table):
                    entries[name] = draw_series(ax, table, colour, marker, shift=shift)
            words = f"SD between = {sigma_between:g}"
            title(ax, f"{words}; {100 * missing:g} % missing" if len(rows) > 1 else words)
        down[0].set_ylabel("type I error")
    for ax in axes[-1]:
        subject_axis(ax, measures["subjects"], room_of(figure, len(columns)))
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1.0, 0))
    order = [name for name, *_ in TESTS.values() if name in entries] + ["nominal 5 %"]
    shown = {"sigma_between": columns, "missing": rows}
    legend(figure, [(entries[name], name) for name in order], left_out(measures, shown))
    return figure
