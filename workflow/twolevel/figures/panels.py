"""Parts of figures over the grid of a replication study: panels, axes of subjects, intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from twolevel.figures.parts import columns_for, evenly, room_of, wrapped
from twolevel.figures.theme import SOFT
from twolevel.figures.words import SMALL, width
from twolevel.findings.of_replication.config_words import SpreadWords

MOST_PANELS = 2
# Monte Carlo errors are shown by intervals of 95 %, whatever level is studied.
MONTE_CARLO_95 = 1.959963984540054
INTERVALS = "Bars: 95% Monte Carlo intervals."

# Measures that are the share of experiments in which something happens.
SHARES = ("coverage", "power", "type_one_error")

MOST_SUBJECTS = 12  # across all panels of a row
APART = 6.0  # points between series that stand side by side


@dataclass(frozen=True)
class Look:
    """The name of a series and how it is drawn."""

    name: str
    colour: str
    marker: str
    line: Any = "-"


@dataclass(frozen=True)
class Subjects:
    """A logarithmic axis of subjects, `room` points wide, with `series` side by side at each."""

    values: np.ndarray
    room: float
    series: int = 1

    @classmethod
    def of(cls, measures: pd.DataFrame, figure: Figure, panels: int, series: int) -> "Subjects":
        """Return the axis of one of `panels` panels, with as many values as have room in it."""
        values = some(measures["subjects"], MOST_SUBJECTS // panels)
        return cls(np.array(values, dtype=float), room_of(figure, panels), series)

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis."""
        low, high = self.values[0], self.values[-1]
        margin = (high / low) ** 0.12 if high > low else 1.15
        return low / margin, high * margin

    @property
    def _per_point(self) -> float:
        low, high = self.limits
        return np.log(high / low) / self.room

    def beside(self, subjects: np.ndarray, place: float) -> np.ndarray:
        """Where the series at `place`, counted from the middle one, stands for `subjects`."""
        step = APART * self._per_point
        if len(self.values) > 1:
            step = min(step, 0.7 * np.diff(np.log(self.values)).min() / self.series)
        return np.asarray(subjects, dtype=float) * np.exp(step * place)

    def label(self, ax: Axes, *, named: bool = True) -> None:
        """Number the subjects below `ax`, as many as there is room for, both ends first."""
        low, high = self.limits
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        at = np.log(self.values / low) / self._per_point
        names = [f"{value:,.0f}" for value in self.values]
        half = np.array([width(name, SMALL) / 2 for name in names])
        kept: list[int] = []
        last = len(names) - 1
        for k in dict.fromkeys((0, last, *range(1, last))):
            if all(abs(at[k] - at[j]) > half[k] + half[j] + 5 for j in kept):
                kept.append(k)
        kept.sort()
        ax.set_xticks(self.values[kept], [names[k] for k in kept])
        ax.set_xticks([], minor=True)
        ax.grid(visible=False, axis="x")
        if named:
            ax.set_xlabel("subjects")


def some(values: Iterable[float], most: int) -> list[float]:
    """At most `most` of the distinct values in order, evenly chosen, the least and largest too."""
    distinct = sorted(set(values))
    return [distinct[k] for k in evenly(len(distinct), most)]


def percent(share: float) -> str:
    """Return `share` in percent, to three significant digits."""
    return f"{100 * share:.3g}%"


def complete(missing: float) -> str:
    """Say which share of the cells is missing."""
    return f"{percent(missing)} missing" if missing else "complete data"


def in_each_cell(replicates: float) -> str:
    """Say how many observations of a subject there are in each cell."""
    return f"{replicates:,.0f} observation{'' if replicates == 1 else 's'} in each cell"


NAMES = {"missing": complete, "replicates": in_each_cell}


def one_design(measures: pd.DataFrame) -> dict[str, Any]:
    """The point of the grid with the fewest cells missing and the most observations in each."""
    return {"missing": measures["missing"].min(), "replicates": measures["replicates"].max()}


def trials_or_missing(measures: pd.DataFrame, most: int) -> tuple[str, list[float], dict[str, Any]]:
    """The axis that lines or rows are for: trials where their number varies, else missing cells.

    Return its name, at most `most` of its values, and the value of the other that is shown.
    """
    axis = "replicates" if measures["replicates"].nunique() > 1 else "missing"
    others = {name: value for name, value in one_design(measures).items() if name != axis}
    return axis, some(measures[axis], most), others


def left_out(
    table: pd.DataFrame, shown: Mapping[str, np.ndarray | Sequence[float]], spread: SpreadWords
) -> str:
    """Say which grid values a figure shows, of axes that have more; nothing if all are shown."""
    words = {
        "subjects": lambda values: f"{_listed(f'{n:,.0f}' for n in values)} subjects",
        "sigma_between": lambda values: f"{spread.name} {_listed(map(spread.value, values))}",
    } | {axis: lambda values, name=name: _listed(map(name, values)) for axis, name in NAMES.items()}
    parts = [
        words[axis](values) for axis, values in shown.items() if table[axis].nunique() > len(values)
    ]
    return f"Shown of the grid: {'; '.join(parts)}." if parts else ""


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def measured(
    measures: pd.DataFrame, quantity: str, measure: str, method: str = "", **point: Any
) -> pd.DataFrame:
    """One measure over the numbers of subjects: subjects, value, low, high (95%), theory.

    `point` holds the other axes of the grid; what has no value is left out. The intervals of shares
    are Wilson's, which stay between 0 and 1 and do not vanish at either.
    """
    chosen = measures[
        (measures["quantity"] == quantity)
        & (measures["measure"] == measure)
        & (measures["method"] == method)
    ]
    for axis, value in point.items():
        chosen = chosen[chosen[axis] == value]
    chosen = chosen[np.isfinite(chosen["value"])].sort_values("subjects")
    centre, half = chosen["value"], MONTE_CARLO_95 * chosen["mcse"]
    if measure in SHARES:
        more = MONTE_CARLO_95**2 / chosen["n"]
        half = np.sqrt(half**2 + more**2 / 4) / (1 + more)
        centre = (centre + more / 2) / (1 + more)
    return chosen.assign(low=centre - half, high=centre + half)


def draw_series(
    ax: Axes, table: pd.DataFrame, look: Look, subjects: Subjects, place: float = 0.0
) -> Artist:
    """Draw values over subjects with their intervals, at a `place` beside the other series."""
    table = table[table["subjects"].isin(subjects.values)]
    x = subjects.beside(table["subjects"], place)
    ax.vlines(x, table["low"], table["high"], color=look.colour, linewidth=1.4)
    style = {"markersize": 6, "markeredgewidth": 0, "linewidth": 1.3, "linestyle": look.line}
    return ax.plot(x, table["value"], color=look.colour, marker=look.marker, **style)[0]


def say_nothing(ax: Axes) -> None:
    """Write into a panel that none of its methods has a result."""
    words = {"transform": ax.transAxes, "ha": "center", "va": "center", "color": SOFT}
    ax.text(0.5, 0.5, "no results", fontsize=SMALL, **words)


def in_percent(axis: Axis) -> None:
    """Write the numbers of an axis of shares in percent."""
    axis.set_major_formatter(lambda share, _: percent(round(share, 9)))


def title(ax: Axes, text: str) -> None:
    """Name a panel."""
    ax.set_title(text, loc="left", weight="bold", fontsize=SMALL)


def name_panel(ax: Axes, sigma_between: float, spread: SpreadWords) -> None:
    """Name the panel of one of the values that say how much subjects differ."""
    title(ax, f"{spread.name} = {spread.value(sigma_between)}")


def legend(figure: Figure, entries: Sequence[tuple[Artist, str]], *words: str) -> None:
    """Say above all panels what lines mean, and with `words` what is shown."""
    room = figure.get_figwidth() * 72 - 20
    said = " ".join(filter(None, words))
    box = figure.legend(
        [handle for handle, _ in entries],
        [text for _, text in entries],
        loc="outside upper left",
        ncols=columns_for((text for _, text in entries), room, len(entries)),
        title=wrapped(figure, said) if said else None,
        title_fontsize=SMALL,
        alignment="left",
    )
    box.get_title().set_color(SOFT)
