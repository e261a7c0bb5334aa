"""Type I error of each test over the number of subjects."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.panels import (
    INTERVALS,
    MOST_PANELS,
    NAMES,
    Look,
    Subjects,
    draw_series,
    in_percent,
    left_out,
    legend,
    measured,
    name_panel,
    say_nothing,
    some,
    trials_or_missing,
)
from twolevel.figures.replication_sources import ReplicationSources
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, MUTED, TRUTH, WITHIN, new_figure, themed
from twolevel.findings.of_replication.config_words import SpreadWords
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
    level, spread = sources.replication.level, sources.spread
    return type_one_error(sources.measures, level=level, spread=spread)


@themed
def type_one_error(measures: pd.DataFrame, *, level: float, spread: SpreadWords) -> Figure:
    """Draw how often each test, at one less `level`, rejects what is true.

    `measures`: subjects, sigma_between, missing, replicates, quantity, method, measure, n, value,
    mcse. One column for each of up to two sigma_between, which `spread` names, one row for each of
    up to two numbers of trials, or else shares of missing cells.
    """
    columns = some(measures["sigma_between"], MOST_PANELS)
    across, rows, others = trials_or_missing(measures, MOST_ROWS)
    errors = measures[(measures["measure"] == "type_one_error") & measures["value"].notna()]
    tests = [test for test in TESTS if test in set(errors["method"])]
    figure = new_figure(1.2 + 1.9 * len(rows))
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    subjects = Subjects.of(measures, figure, len(columns), len(tests))
    entries = {}
    for down, row in zip(axes, rows, strict=True):
        for ax, sigma_between in zip(down, columns, strict=True):
            nominal = ax.axhline(alpha(level), **TRUTH)
            for k, test in enumerate(tests):
                point: dict[str, Any] = {"sigma_between": sigma_between, across: row} | others
                table = measured(measures, "condition", "type_one_error", **point, method=test)
                if len(table):
                    place, look = k - (len(tests) - 1) / 2, TESTS[test]
                    entries[test] = draw_series(ax, table, look, subjects, place)
            if not tests:
                say_nothing(ax)
            subjects.label(ax, named=row == rows[-1])
        name = NAMES[across](row).replace(" in ", "\nin ")  # as high as its panel
        down[0].set_ylabel(f"type I error,\n{name}")
    for ax, sigma_between in zip(axes[0], columns, strict=True):
        name_panel(ax, sigma_between, spread)
    axes[0, 0].set_ylim(0, max(axes[0, 0].get_ylim()[1], 0.08))
    in_percent(axes[0, 0].yaxis)
    drawn = [(entries[test], TESTS[test].name) for test in tests if test in entries]
    shown: dict[str, Any] = {"subjects": subjects.values, "sigma_between": columns, across: rows}
    shown |= {axis: [value] for axis, value in others.items()}
    words = left_out(measures, shown, spread)
    legend(figure, [*drawn, (nominal, f"nominal {percent(alpha(level))}%")], words, INTERVALS)
    return figure
