"""Type I error of each test over the number of subjects."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.panels import (
    INTERVALS,
    MOST_PANELS,
    Look,
    Subjects,
    complete,
    draw_series,
    in_percent,
    left_out,
    legend,
    measured,
    name_panel,
    say_nothing,
    some,
)
from twolevel.figures.replication_sources import ReplicationSources
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, MUTED, TRUTH, WITHIN, new_figure, themed
from twolevel.text.confidence import alpha, percent
from twolevel.text.methods import INTERCEPT_ALONE, REPLICATED

MOST_ROWS = 2
# In the order of their errors.
STYLES: dict[str, tuple[Any, ...]] = {
    INTERCEPT_ALONE: (INK, "v", (0, (4, 1.5, 1, 1.5))),
    "asymptotic": (WITHIN, "s", (0, (5, 1.5))),
    "satterthwaite": (MUTED, "D", (0, (1, 1.5))),
    "kenward-roger": (BETWEEN, "o"),
    "anova": (MARGINAL, "^", (0, (2, 1.5))),
}
TESTS = {test: Look(REPLICATED[test].name, *style) for test, style in STYLES.items()}


def draw(sources: ReplicationSources) -> Figure:
    """Draw the figure from the results of a replication study."""
    return type_one_error(sources.measures, level=sources.replication.level)


@themed
def type_one_error(measures: pd.DataFrame, *, level: float) -> Figure:
    """Draw how often each test, at one less `level`, rejects what is true.

    `measures`: subjects, sigma_between, missing, quantity, method, measure, n, value, mcse. One
    column for each of up to two sigma_between, one row for each of up to two shares of missing
    cells.
    """
    columns = some(measures["sigma_between"], MOST_PANELS)
    rows = some(measures["missing"], MOST_ROWS)
    errors = measures[(measures["measure"] == "type_one_error") & measures["value"].notna()]
    tests = [test for test in TESTS if test in set(errors["method"])]
    figure = new_figure(1.2 + 1.9 * len(rows))
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    subjects = Subjects.of(measures, figure, len(columns), len(tests))
    entries = {}
    for down, missing in zip(axes, rows, strict=True):
        for ax, sigma_between in zip(down, columns, strict=True):
            nominal = ax.axhline(alpha(level), **TRUTH)
            for k, test in enumerate(tests):
                point: dict[str, Any] = {
                    "method": test,
                    "sigma_between": sigma_between,
                    "missing": missing,
                }
                table = measured(measures, "condition", "type_one_error", **point)
                if len(table):
                    place, look = k - (len(tests) - 1) / 2, TESTS[test]
                    entries[test] = draw_series(ax, table, look, subjects, place)
            if not tests:
                say_nothing(ax)
            subjects.label(ax, named=missing == rows[-1])
        down[0].set_ylabel(f"type I error,\n{complete(missing)}")
    for ax, sigma_between in zip(axes[0], columns, strict=True):
        name_panel(ax, sigma_between)
    axes[0, 0].set_ylim(0, max(axes[0, 0].get_ylim()[1], 0.08))
    in_percent(axes[0, 0].yaxis)
    drawn = [(entries[test], TESTS[test].name) for test in tests if test in entries]
    words = left_out(
        measures, {"subjects": subjects.values, "sigma_between": columns, "missing": rows}
    )
    legend(figure, [*drawn, (nominal, f"nominal {percent(alpha(level))}%")], words, INTERVALS)
    return figure
