"""Power over the number of subjects."""

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
from twolevel.figures.theme import (
    BETWEEN,
    INK,
    MARGINAL,
    SOFT,
    WITHIN,
    new_figure,
    themed,
)

GOALS = (0.8, 0.9)
LOOKS = [(BETWEEN, "o", "-"), (WITHIN, "s", (0, (5, 1.5))), (MARGINAL, "^", (0, (2, 1.5)))]


@themed
def power_curves(measures: pd.DataFrame, *, test: str) -> Figure:
    """Draw the power of `test` to find the differences between conditions.

    `measures`: subjects, sigma_between, missing, quantity, method, measure, value, mcse, theory.
    One panel for each of up to three sigma_between, one line for each of up to three shares of
    missing cells; for complete data also the noncentral F of the ANOVA.
    """
    panels = some(measures["sigma_between"], MOST_PANELS)
    shares = some(measures["missing"], len(LOOKS))
    figure = new_figure(3.4)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    entries = {}
    for ax, sigma_between in zip(axes, panels, strict=True):
        for goal in GOALS:
            ax.axhline(goal, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        for k, (missing, (colour, marker, line)) in enumerate(zip(shares, LOOKS, strict=False)):
            point = {"method": test, "sigma_between": sigma_between, "missing": missing}
            table = measured(measures, "condition", "power", **point)
            if len(table) == 0:  # as the ANOVA's with cells missing
                continue
            name = f"{100 * missing:g} % missing" if missing else "complete data"
            entries[name] = draw_series(ax, table, colour, marker, shift=k, linestyle=line)
        point = {"method": "anova", "sigma_between": sigma_between, "missing": 0.0}
        theory = measured(measures, "condition", "power", **point)
        if len(theory):
            x, y = theory["subjects"], theory["theory"]
            look = {"markersize": 9, "color": INK, "markeredgewidth": 1.2}
            entries["noncentral F"] = ax.plot(x, y, "_", zorder=3, **look)[0]
        subject_axis(ax, measures["subjects"], room_of(figure, len(panels)))
        title(ax, f"SD between = {sigma_between:g}")
    axes[0].set_ylim(0, 1.02)
    axes[0].set_yticks([0, 0.2, 0.4, 0.6, 0.8, 0.9, 1])
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, 0))
    axes[0].set_ylabel("power")
    shown = {"sigma_between": panels, "missing": shares}
    legend(figure, [(handle, name) for name, handle in entries.items()], left_out(measures, shown))
    return figure
