"""Power over the number of subjects."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import ndtri

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
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, SOFT, WITHIN, new_figure, themed
from twolevel.text.confidence import LEVEL, alpha

LOOKS = [(BETWEEN, "o", "-"), (WITHIN, "s", (0, (5, 1.5))), (MARGINAL, "^", (0, (2, 1.5)))]

# Beyond this, and beyond Monte Carlo error, powers differ so much that each takes a panel.
MATTERS = 0.05


def draw(sources: ReplicationSources) -> Figure:
    """Draw the figure from the results of a replication study."""
    replication, answers = sources.replication, []
    for row in sources.plan.rows:
        sizes = (size for size in row.sizes if size.term == "condition")
        answers += [(row.sigma_between, row.missing, s.power, s.subjects) for s in sizes]
    return power_curves(
        sources.measures, test=replication.test, powers=replication.powers, answers=answers
    )


@themed
def power_curves(
    measures: pd.DataFrame,
    *,
    test: str,
    powers: Sequence[float],
    answers: Sequence[tuple[float, float, float, int | None]],
) -> Figure:
    """Draw the power of `test` to find the differences between conditions.

    `measures`: subjects, sigma_between, missing, quantity, method, measure, n, value, mcse, theory.
    `powers`: those that are asked for; `answers`: sigma_between, missing, a power and the fewest
    subjects that have it, which are marked. One line for each of up to three shares of missing
    cells; for complete data also the noncentral F of the ANOVA. The power of this test hardly
    depends on sigma_between: where it differs by no more than five points beyond Monte Carlo error,
    the largest sigma_between alone is drawn, otherwise up to two in panels.
    """
    shares = some(measures["missing"], len(LOOKS))
    differ, most = _differences(measures, test)
    standard_deviations = measures["sigma_between"]
    panels = some(standard_deviations, MOST_PANELS) if differ else [standard_deviations.max()]
    figure = new_figure(3.4)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    subjects = Subjects.of(measures, figure, len(panels), len(shares))
    entries = {}
    for ax, sigma_between in zip(axes, panels, strict=True):
        for goal in powers:
            ax.axhline(goal, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        for place, (missing, look) in enumerate(zip(shares, LOOKS, strict=False)):
            point: dict[str, Any] = {
                "method": test,
                "sigma_between": sigma_between,
                "missing": missing,
            }
            table = measured(measures, "condition", "power", **point)
            if len(table):  # the ANOVA has no power with cells missing
                name = complete(missing)
                entries[name] = draw_series(ax, table, Look(name, *look), subjects, place)
        point = {"method": "anova", "sigma_between": sigma_between, "missing": 0.0}
        known = measured(measures, "condition", "power", **point).dropna(subset="theory")
        if len(known):
            style = {"color": INK, "linewidth": 0.8, "markersize": 12, "markeredgewidth": 1.2}
            known = known[known["subjects"].isin(subjects.values)]
            line = ax.plot(known["subjects"], known["theory"], marker="_", zorder=1.5, **style)[0]
            entries["theory, complete data"] = line
        if not entries:
            say_nothing(ax)
        subjects.label(ax)
        first, last = subjects.values[0], subjects.values[-1]
        for between, share, power, n in answers:
            within = n is not None and first <= n <= last
            if within and between == sigma_between and share in shares:
                colour = LOOKS[shares.index(share)][0]
                ax.plot(n, power, "o", markersize=9, markerfacecolor="none", color=colour)
        name_panel(ax, sigma_between)
    axes[0].set_ylim(0, 1.02)
    axes[0].set_yticks(sorted({0, 0.2, 0.4, 0.6, 1, *powers}))
    in_percent(axes[0].yaxis)
    axes[0].set_ylabel("power")
    shown = {"subjects": subjects.values, "sigma_between": panels, "missing": shares}
    words = left_out(measures, shown)
    if not differ and most is not None and standard_deviations.nunique() > 1:
        words += f" At other SDs between, power differs by at most {100 * most:.2g} points."
    legend(figure, [(line, name) for name, line in entries.items()], words, INTERVALS)
    return figure


def _differences(measures: pd.DataFrame, test: str) -> tuple[bool, float | None]:
    """Whether powers differ from those at the largest sigma_between, and by how much at most.

    None where there are no powers.
    """
    powers = measures[
        (measures["quantity"] == "condition")
        & (measures["measure"] == "power")
        & (measures["method"] == test)
    ]
    axes = ["subjects", "missing"]
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
