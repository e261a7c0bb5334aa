"""Power over the number of subjects."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import ndtri

from twolevel.experiments.planned.planned_study import CONDITION
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
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, SOFT, WITHIN, new_figure, themed
from twolevel.findings.of_replication.config_words import SpreadWords
from twolevel.text.confidence import LEVEL, alpha

LOOKS = [(BETWEEN, "o", "-"), (WITHIN, "s", (0, (5, 1.5))), (MARGINAL, "^", (0, (2, 1.5)))]

# Beyond this, and beyond Monte Carlo error, powers differ so much that each takes a panel.
MATTERS = 0.05


def draw(sources: ReplicationSources) -> Figure:
    """Draw the figure from the results of a replication study."""
    replication, plan = sources.replication, sources.plan
    sizes = [
        row.model_dump(include={"sigma_between", "missing", "replicates"})
        | size.model_dump(include={"power", "subjects"})
        for row in plan.rows
        for size in row.sizes
        if size.term == CONDITION
    ]
    return power_curves(
        sources.measures,
        test=replication.test,
        powers=replication.powers,
        answers=sizes,
        spread=sources.spread,
    )


@themed
def power_curves(
    measures: pd.DataFrame,
    *,
    test: str,
    powers: Sequence[float],
    answers: Sequence[Mapping[str, Any]],
    spread: SpreadWords,
) -> Figure:
    """Draw the power of `test` to find the differences between conditions.

    `measures`: subjects, sigma_between, missing, replicates, quantity, method, measure, n, value,
    mcse, theory. `powers`: those that are asked for; `answers`: sigma_between, missing, replicates,
    power and the fewest subjects that have it, which are marked. One line for each of up to three
    numbers of trials, or else shares of missing cells; for complete data also the noncentral F of
    the ANOVA. The power of this test often hardly depends on sigma_between, which `spread` names:
    where it differs by no more than five points beyond Monte Carlo error, the largest alone is
    drawn, otherwise up to two in panels.
    """
    across, lines, others = trials_or_missing(measures, len(LOOKS))
    differ, most = _differences(measures, test)
    standard_deviations = measures["sigma_between"]
    panels = some(standard_deviations, MOST_PANELS) if differ else [standard_deviations.max()]
    figure = new_figure(3.4)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    subjects = Subjects.of(measures, figure, len(panels), len(lines))
    entries, theory = {}, None
    for ax, sigma_between in zip(axes, panels, strict=True):
        for goal in powers:
            ax.axhline(goal, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        for place, (line, look) in enumerate(zip(lines, LOOKS, strict=False)):
            point: dict[str, Any] = {"sigma_between": sigma_between, across: line} | others
            table = measured(measures, CONDITION, "power", **point, method=test)
            if len(table):  # the ANOVA has no power with cells missing
                name = NAMES[across](line)
                entries[name] = draw_series(ax, table, Look(name, *look), subjects, place)
            known = measured(measures, CONDITION, "power", **point, method="anova")
            known = known[known["theory"].notna() & known["subjects"].isin(subjects.values)]
            if len(known):
                style = {"color": INK, "linewidth": 0.8, "markersize": 12, "markeredgewidth": 1.2}
                x, y = known["subjects"], known["theory"]
                theory = ax.plot(x, y, marker="_", zorder=1.5, **style)[0]
            for answer in answers:
                n = answer["subjects"]
                within = n is not None and subjects.values[0] <= n <= subjects.values[-1]
                if within and all(answer[axis] == value for axis, value in point.items()):
                    style = {"markersize": 9, "markerfacecolor": "none", "color": look[0]}
                    ax.plot(n, answer["power"], "o", **style)
        if not entries:
            say_nothing(ax)
        subjects.label(ax)
        name_panel(ax, sigma_between, spread)
    axes[0].set_ylim(0, 1.02)
    axes[0].set_yticks(sorted({0, 0.2, 0.4, 0.6, 1, *powers}))
    in_percent(axes[0].yaxis)
    axes[0].set_ylabel("power")
    shown: dict[str, Any] = {"subjects": subjects.values, "sigma_between": panels, across: lines}
    shown |= {axis: [value] for axis, value in others.items()}
    words = left_out(measures, shown, spread)
    if not differ and most is not None and standard_deviations.nunique() > 1:
        words += f" At other values of the {spread.name}, power differs by at most "
        words += f"{100 * most:.2g} points."
    drawn = [(line, name) for name, line in entries.items()]
    drawn += [(theory, "theory, complete data")] if theory else []
    legend(figure, drawn, words, INTERVALS)
    return figure


def _differences(measures: pd.DataFrame, test: str) -> tuple[bool, float | None]:
    """Whether powers differ from those at the largest sigma_between, and by how much at most.

    None where there are no powers.
    """
    powers = measures[
        (measures["quantity"] == CONDITION)
        & (measures["measure"] == "power")
        & (measures["method"] == test)
    ]
    axes = ["subjects", "missing", "replicates"]
    last = powers[powers["sigma_between"] == powers["sigma_between"].max()]
    both = powers.merge(last, on=axes, suffixes=("", "_last"))
    both = both[both["value"].notna() & both["value_last"].notna()]
    one, other, n, m = (both[name] for name in ("value", "value_last", "n", "n_last"))
    apart = (one - other).abs()
    # Two counts more of each kind, so that shares of 0 or 1 do not pass for certain (Agresti and
    # Coull); by Bonferroni, because one point of a large grid is far off by chance.
    pooled = (n * one + m * other + 2) / (n + m + 4)
    limit = -ndtri(alpha(LEVEL) / 2 / max(len(both), 1))
    error = limit * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return bool((apart > MATTERS + error).any()), float(apart.max()) if len(both) else None
