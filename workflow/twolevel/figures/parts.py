"""Parts that several figures share: condition axes, keys, notes, limits, choices among many."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.theme import INK, SOFT, WITHIN
from twolevel.figures.words import SIZE, SMALL, Labels, shorten, width
from twolevel.text.literal import plain

MANY_POINTS = 1000  # beyond this, points hide each other and swell the file: aggregate


@dataclass(frozen=True)
class Conditions:
    """Where conditions stand on an axis: numbers at their value, names at 0, 1, 2, ...

    Where they are cells of two factors, those of one condition stand together around its place;
    `inner` are the names of the second factor's levels, `middles` the conditions' own places.
    """

    names: tuple[str, ...]
    at: np.ndarray
    codes: dict[object, int]
    inner: tuple[str, ...] = ()
    middles: np.ndarray | None = None

    @classmethod
    def of(cls, conditions: Iterable[object]) -> "Conditions":
        """Return the positions of `conditions`, given once each and in their order.

        Pairs are those of each condition with each level of a second factor, which runs faster.
        """
        values = list(conditions)
        pairs = [value for value in values if isinstance(value, tuple)]
        if pairs:
            outer, inner = (cls.of(dict.fromkeys(each)) for each in zip(*pairs, strict=True))
            levels = inner.names
            beside = (np.arange(len(levels)) - (len(levels) - 1) / 2) / len(levels)
            at = (outer.at[:, None] + 0.8 * outer.gap * beside).ravel()
            codes = {value: code for code, value in enumerate(values)}
            return cls(outer.names, at, codes, levels, outer.at)
        numeric = all(isinstance(v, int | float | np.number) for v in values)
        numeric = numeric and not any(isinstance(v, bool) for v in values)
        return cls(
            names=tuple(f"{v:g}" if numeric else str(v) for v in values),
            at=np.array(values if numeric else range(len(values)), dtype=float),
            codes={value: code for code, value in enumerate(values)},
        )

    @property
    def gap(self) -> float:
        """The smallest distance between two neighbours."""
        return float(np.diff(np.sort(self.at)).min()) if len(self.at) > 1 else 1.0

    def code(self, column: pd.Series) -> np.ndarray:
        """Return the number 0..J-1 of each row's condition."""
        codes, values = pd.factorize(column)
        unknown = [value for value in values if value not in self.codes]
        if unknown:
            raise ValueError(f"condition {plain(unknown[0])!r} has observations but no mean")
        return np.array([self.codes[value] for value in values], dtype=int)[codes]

    @property
    def condition(self) -> np.ndarray:
        """The number of the condition of each place: its own, or that of its cell."""
        return np.arange(len(self.at)) // max(len(self.inner), 1)

    def broken(self, values: np.ndarray) -> np.ndarray:
        """Return values (..., places) with a NaN between two conditions' cells, as lines break."""
        ends = np.flatnonzero(np.diff(self.condition)) + 1 if self.inner else np.empty(0, int)
        return np.insert(values, ends, np.nan, axis=-1)

    def profile(self, ax: Axes, values: np.ndarray, **style: object) -> Line2D:
        """Draw one value per place as a line, a level stroke where there is one condition."""
        if len(self.at) > 1:
            return ax.plot(self.broken(self.at), self.broken(values), **style)[0]
        return ax.plot(self.at + np.array([-0.3, 0.3]), np.repeat(values, 2), **style)[0]

    def label_axis(self, ax: Axes, labels: Labels, room: float) -> None:
        """Name the conditions below `ax`, `room` points wide: upright, slanted or thinned.

        Data without a condition have nothing to name.
        """
        at, gap = self.at, self.gap
        if self.middles is not None:
            at, gap = self.middles, self.gap * len(self.inner) / 0.8
        beside = max(0.6 * gap, 0.03 * float(np.ptp(at)))
        low, high = at.min() - beside, at.max() + beside
        ax.set_xlim(low, high)
        ax.grid(visible=False, axis="x")
        if not labels.condition:
            ax.set_xticks([])
            return
        ax.set_xlabel(shorten(labels.condition, room))
        step = room * gap / (high - low)
        if self.inner:
            self._name_cells(ax, at, step)
            return
        widest = max(width(shorten(name, 90), SMALL) for name in self.names)
        slant = 0 if widest + 8 <= step else 45 if step >= 18 else 90
        every = 1 if slant == 0 else int(np.ceil(13 / step))
        if every > 1 and not np.array_equal(self.at, np.arange(len(self.at))):
            return  # numbers at uneven distances: ticks of the axis' own
        names = [shorten(name, 90, SMALL) for name in self.names[::every]]
        ax.set_xticks(self.at[::every], names, **slanted(slant))

    def _name_cells(self, ax: Axes, middles: np.ndarray, step: float) -> None:
        """Name the second factor's levels under their cells, and below these the conditions."""
        inner = [shorten(name, 60, SMALL) for name in self.inner]
        widest = max(width(name, SMALL) for name in inner)
        upright = widest + 3 <= 0.8 * step / len(inner)
        ax.xaxis.remove_overlapping_locs = False  # the middle cell stands at its condition's place
        ax.set_xticks(self.at, inner * len(middles), minor=True, **slanted(0 if upright else 90))
        ax.set_xticks(middles, [shorten(name, step - 6, SMALL) for name in self.names])
        ax.tick_params(axis="x", which="major", length=0, pad=(SMALL if upright else widest) + 8)


def slanted(angle: int) -> dict[str, object]:
    """Return how tick labels at `angle` hang by their end, whatever font the browser has."""
    if angle == 0:
        return {}
    vertical = "center" if angle == 90 else "top"
    return {"rotation": angle, "ha": "right", "va": vertical, "rotation_mode": "anchor"}


def wrapped(figure: Figure, text: str) -> str:
    """Return `text` in lines as long as `figure` is wide."""
    room = figure.get_figwidth() * 72 - 30
    letters = int(len(text) * room / max(width(text, SMALL), 1.0))
    return "\n".join(textwrap.wrap(text, letters))


def note(figure: Figure, text: str) -> None:
    """Say above the panels of `figure` what is shown."""
    figure.suptitle(wrapped(figure, text), x=0.015, ha="left", color=SOFT, fontsize=SMALL)


def columns_for(texts: Iterable[str], room: float, most: int) -> int:
    """Return in how many columns, at most, the words of a key fit in `room` points."""
    longest = max((width(text, SMALL) for text in texts), default=0.0) + 40
    return int(max(1, min(most, room // longest)))


def key(
    ax: Axes,
    title: str,
    entries: Sequence[tuple[Artist, str]] = (),
    columns: int = 1,
    **style: object,
) -> None:
    """Write a panel's title and what its lines mean above it, where no data can lie beneath.

    In at most so many columns as are asked for, and as have room.
    """
    room = 72 * ax.figure.get_figwidth() - 40
    legend = ax.legend(
        [handle for handle, _ in entries],
        [text for _, text in entries],
        title=title,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        alignment="left",
        ncols=columns_for((text for _, text in entries), room, columns),
        **style,
    )
    legend.get_title().set_fontweight("bold")


def room_of(figure: Figure, panels: int = 1, across: bool = True) -> float:
    """Return how many points of text fit along an axis of one of `panels` panels.

    Slanted names and keys may take nearly half of the height.
    """
    if across:
        return (figure.get_figwidth() / panels - 0.75) * 72
    return 0.55 * figure.get_figheight() / panels * 72


def limits(*values: object, margin: float = 0.05) -> tuple[float, float]:
    """Return the range of all finite `values` with a margin; of width 1 where they are equal."""
    joined = np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in values])
    joined = joined[np.isfinite(joined)]
    low, high = (joined.min(), joined.max()) if joined.size else (0.0, 0.0)
    # Differences at the level of rounding are no spread to be drawn.
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high == low:
        return float(low) - 0.5, float(high) + 0.5
    pad = margin * (high - low)
    return float(low - pad), float(high + pad)


def evenly(count: int, most: int) -> np.ndarray:
    """Return at most `most` of the indices 0..count-1, evenly spread, both ends among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def jitter(count: int) -> np.ndarray:
    """Return `count` fixed offsets in (-0.5, 0.5), evenly spread however many are used."""
    return (0.5 + np.arange(count) * 0.6180339887498949) % 1 - 0.5


def normal_density(x: np.ndarray, mean: float | np.ndarray, sd: float) -> np.ndarray:
    """Return the density of N(mean, sd^2) at `x`."""
    return np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))


def draw_normal(ax: Axes, mean: float, sd: float, *, area: float = 1.0, **style: object) -> Line2D:
    """Draw `area` times the density of N(mean, sd^2) on `ax`; a vertical line where sd is 0."""
    style = {"color": INK, "linewidth": 1.6} | style
    if sd <= 0:
        return ax.axvline(mean, **style)
    x = mean + sd * np.linspace(-4, 4, 121)
    return ax.plot(x, area * normal_density(x, mean, sd), **style)[0]


def response_label(ax: Axes, labels: Labels, room: float) -> None:
    """Name the response on the vertical axis of `ax`, `room` points high."""
    ax.set_ylabel(labels.response_axis(room), fontsize=SIZE)


def draw_fit(
    ax: Axes, shown: Conditions, code: np.ndarray, fitted: np.ndarray, colour: str
) -> Line2D:
    """Draw what is fitted to rows (m,) at the places of their codes: the line through the places.

    Where a place has different values, as where another factor or a number tells its rows apart,
    the line is at their mean, and each has a level stroke; return the line.
    """
    counts = np.bincount(code, minlength=len(shown.at))
    with np.errstate(invalid="ignore"):
        profile = np.bincount(code, fitted, len(counts)) / counts
    if not np.allclose(fitted, profile[code], rtol=1e-9):
        ax.plot(shown.at[code], fitted, "_", color=colour, markersize=16, markeredgewidth=1.6)
    return shown.profile(ax, profile, color=colour, linewidth=1.6)


def draw_residuals(ax: Axes, x: np.ndarray, fitted: np.ndarray, y: np.ndarray) -> LineCollection:
    """Draw observations (m,) with a stroke from each to what is fitted; return the strokes."""
    ax.plot(x, y, "o", color=INK, markersize=5.5, zorder=3)
    return ax.vlines(x, fitted, y, color=WITHIN, linewidth=2)
