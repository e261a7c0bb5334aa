"""Why the raw variance of subject means is corrected: mean estimates and the truth."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from twolevel.figures.panels import (
    INTERVALS,
    MOST_PANELS,
    Look,
    Subjects,
    draw_series,
    left_out,
    legend,
    measured,
    name_panel,
    one_design,
    some,
)
from twolevel.figures.replication_sources import ReplicationSources
from twolevel.figures.theme import BETWEEN, MARGINAL, TRUTH, WITHIN, new_figure, themed
from twolevel.findings.of_replication.config_words import SpreadWords

SERIES = {
    "raw_variance": Look("raw variance of subject means", WITHIN, "s"),
    "two_stage_variance": Look("corrected (two-stage)", BETWEEN, "o"),
    "between_variance": Look("REML", MARGINAL, "^", (0, (4, 3))),
}


def draw(sources: ReplicationSources) -> Figure:
    """Draw the figure from the results of a replication study."""
    return two_stage_bias(sources.measures, spread=sources.spread)


@themed
def two_stage_bias(measures: pd.DataFrame, *, spread: SpreadWords) -> Figure:
    """Draw the mean of three estimates of sigma_b^2 over the number of subjects, and the truth.

    `measures`: subjects, sigma_between, missing, replicates, quantity, method, measure, value,
    mcse. One panel for each of up to two sigma_between, which `spread` names, of one design.
    """
    panels, design = some(measures["sigma_between"], MOST_PANELS), one_design(measures)
    figure = new_figure(3.3)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    subjects = Subjects.of(measures, figure, len(panels), len(SERIES))
    entries = {}
    for ax, sigma_between in zip(axes, panels, strict=True):
        truth = sigma_between**2
        entries["truth"] = ax.axhline(truth, **TRUTH)
        for place, (quantity, look) in enumerate(SERIES.items(), start=-1):
            point = {"sigma_between": sigma_between} | design
            table = measured(measures, quantity, "bias", **point)
            table = table.assign(**{key: table[key] + truth for key in ("value", "low", "high")})
            entries[look.name] = draw_series(ax, table, look, subjects, place)
        subjects.label(ax)
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
        name_panel(ax, sigma_between, spread)
    axes[0].set_ylabel("mean estimate")
    order = [look.name for look in SERIES.values()] + ["truth"]
    shown: dict[str, Any] = {"subjects": subjects.values, "sigma_between": panels}
    shown |= {axis: [value] for axis, value in design.items()}
    words = left_out(measures, shown, spread)
    legend(figure, [(entries[name], name) for name in order], words, INTERVALS)
    return figure
