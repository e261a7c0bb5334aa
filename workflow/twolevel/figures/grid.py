"""Parts of figures over the grid of a replication study: panels, axes of subjects, intervals."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.parts import evenly, wrapped
from twolevel.figures.theme import SOFT
from twolevel.figures.words import SMALL, width

MOST_PANELS = 3
NORMAL_95 = 1.959963984540054


def some(values: Iterable[float], most: int) -> list[float]:
    """At most `most` of the distinct values in order, evenly chosen, the least and largest too."""
    distinct = sorted(set(values))
    return [distinct[k] for k in evenly(len(distinct), most)]


def left_out(table: pd.DataFrame, shown: dict[str, Sequence[float]]) -> str:
    """Say which grid values a figure shows, of axes that have more; nothing if all are shown."""
    words = {"subjects": "subjects", "sigma_between": "SD between", "missing": "share missing"}
    parts = [
        f"{words[axis]} {', '.join(f'{value:g}' for value in values)}"
        for axis, values in shown.items()
        if table[axis].nunique() > len(values)
    ]
    return f"Shown of the grid: {'; '.join(parts)}." if parts else ""


def measured(
    measures: pd.DataFrame, quantity: str, measure: str, *, method: str = "", **point: float
) -> pd.DataFrame:
    """One measure over the numbers of subjects: subjects, value, low, high (95%), theory.

    `point` holds the other axes of the grid; what has no value is left out.
    """
    chosen = measures[
        (measures["quantity"] == quantity)
        & (measures["measure"] == measure)
        & (measures["method"] == method)
    ]
    for axis, value in point.items():
        chosen = chosen[chosen[axis] == value]
    chosen = chosen[chosen["value"].notna()].sort_values("subjects")
    half = NORMAL_95 * chosen["mcse"]
    return chosen.assign(low=chosen["value"] - half, high=chosen["value"] + half)


def draw_series(
    ax: Axes, table: pd.DataFrame, colour: str, marker: str, *, shift: float = 0.0, **style: Any
) -> Artist:
    """Draw values over subjects with their intervals; `shift` counts places aside.

    Series are shifted so that their intervals stand side by side.
    """
    x = table["subjects"].to_numpy(float) * 1.025**shift
    ax.vlines(x, table["low"], table["high"], color=colour, linewidth=1.4)
    style = {"markersize": 5, "linewidth": 1.3, "markeredgewidth": 1.2} | style
    return ax.plot(x, table["value"], color=colour, marker=marker, **style)[0]


def subject_axis(ax: Axes, subjects: Iterable[float], room: float) -> None:
    """Number the subjects below `ax`, `room` points wide, on a logarithmic axis."""
    values = np.array(sorted(set(subjects)), dtype=float)
    ax.set_xscale("log")
    low, high = values[0] / 1.15, values[-1] * 1.15
    ax.set_xlim(low, high)
    at = room * np.log(values / low) / np.log(high / low)
    names = [f"{value:,.0f}" for value in values]
    kept: list[int] = []
    for k in (0, len(values) - 1, *range(1, len(values) - 1)):
        apart = [
            abs(at[k] - at[j]) > (width(names[k], SMALL) + width(names[j], SMALL)) / 2 + 5
            for j in kept
        ]
        if k not in kept and all(apart):
            kept.append(k)
    ax.set_xticks(values[kept], [names[k] for k in kept])
    ax.set_xticks([], minor=True)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("subjects")


def title(ax: Axes, text: str) -> None:
    """Name a panel."""
    ax.set_title(text, loc="left", weight="bold", fontsize=SMALL)


def legend(figure: Figure, entries: Sequence[tuple[Artist, str]], words: str = "") -> None:
    """Say above all panels what lines mean, and with `words` what is shown."""
    room = figure.get_figwidth() * 72 - 20
    longest = max(width(text, SMALL) for _, text in entries) + 40
    box = figure.legend(
        [handle for handle, _ in entries],
        [text for _, text in entries],
        loc="outside upper left",
        ncols=int(max(1, min(len(entries), room // longest))),
        title=wrapped(figure, words) if words else None,
        title_fontsize=SMALL,
        alignment="left",
    )
    box.get_title().set_color(SOFT)
