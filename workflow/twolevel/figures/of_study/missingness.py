"""Which cells, one subject under one level of the condition, hold observations."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.parts import Conditions, note
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, MUTED, WIDTH, new_figure, themed
from twolevel.figures.words import SMALL, Labels, shorten, width

MOST_NUMBERED = 20  # levels; of more, not every one has its number

# In points.
NARROWEST, WIDEST = 110.0, 250.0  # all levels together
LOWEST, HIGHEST = 15.0, 24.0  # from row to row
LARGEST = 19.0  # the side of a square
BAR = 38.0  # the longest bar of a level

OPACITY = 0.5  # of squares that have room for numbers, which stay readable on them


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    design, found = sources.design, sources.design.patterns
    patterns = pd.DataFrame(found.counts, columns=design.conditions)
    return missingness(
        patterns.assign(n_subjects=found.n_subjects),
        pd.Series(list(design.seen_under.values()), design.conditions),
        sources.labels,
        found.rest,
        found.rest_subjects,
    )


@themed
def missingness(
    patterns: pd.DataFrame,
    per_condition: pd.Series,
    labels: Labels,
    rest: int = 0,
    rest_subjects: int = 0,
) -> Figure:
    """Draw which levels of the condition subjects were seen under: a row for every pattern.

    `patterns`: a column of numbers of observations per level, in order, and n_subjects last; at
    most 12 rows, most frequent first. `per_condition`: the number of subjects seen, by level.
    `rest` more patterns, of `rest_subjects` subjects, are only named. A filled square is a cell
    with observations, printed where they are more than one and have room; an empty one is missing.
    """
    observed = patterns.iloc[:, :-1].to_numpy(int)
    subjects = patterns.iloc[:, -1].to_numpy(int)
    levels = patterns.columns[:-1]
    seen = per_condition.loc[levels].to_numpy(int)
    # Levels that are numbers stand evenly too: squares have one size.
    conditions = Conditions.of(Conditions.of(levels).names)

    name = max(width(shorten(name, 90, SMALL), SMALL) for name in conditions.names)
    number = width(f"{seen.max():,}", SMALL)
    room = float(np.clip((max(name, number) + 12) * len(levels), NARROWEST, WIDEST))
    step = room / len(levels)
    over = BAR + (SMALL if number + 8 <= step else number)
    rows = float(np.clip(step, LOWEST, HIGHEST)) * len(patterns)
    below = 0.0 if name + 8 <= step else name
    figure = new_figure((over + rows + below) / 72 + 1.2)
    (above, corner), (cells, beside) = figure.subplots(
        2,
        2,
        sharex="col",
        sharey="row",
        width_ratios=(room, 72 * WIDTH - 30 - room),
        height_ratios=(over, rows),
    )
    conditions.label_axis(cells, labels, room)
    cells.set_ylim(len(patterns) - 0.5, -0.5)
    beside.set_xticks([])
    for ax in (above, corner, cells, beside):
        ax.grid(visible=False)
        ax.tick_params(length=0, labelleft=False)
        ax.spines[:].set_visible(False)
    above.set_title("subjects seen", loc="left", weight="bold", fontsize=SMALL)
    beside.set_title("per pattern", loc="left", weight="bold", fontsize=SMALL)
    note(figure, _words(observed, subjects, seen, conditions.names, rest, rest_subjects))

    # Only now is the layout final, on which sizes in points depend.
    figure.get_layout_engine().execute(figure)
    shown = cells.get_xticks() if labels.condition else conditions.at
    _bars_above(above, seen, shown.astype(int))
    _bars_beside(beside, subjects)
    squares = _squares(cells, observed)
    scale = SMALL / squares[0].get_markersize()
    corner.legend(squares, ["seen", "missing"], loc="lower left", markerscale=scale)
    return figure


def _words(
    observed: np.ndarray,
    subjects: np.ndarray,
    seen: np.ndarray,
    names: tuple[str, ...],
    rest: int,
    rest_subjects: int,
) -> str:
    count, total = len(subjects) + rest, subjects.sum() + rest_subjects
    if count > 1:
        words = f"{count:,} patterns of {_of(total)}, a row each, most frequent first."
    else:
        words = f"One pattern of {_of(total)}."
    if rest:
        words += f" Not drawn: the last {rest:,}, of {_of(rest_subjects)}."
    if observed.max() > 1:
        words += (
            f" Up to {observed.max():,} observations in a cell, printed from 2 on where they fit."
        )
    if len(seen) > MOST_NUMBERED:
        least = seen.argmin()
        words += f" Fewest seen: {_of(seen[least])}, under {shorten(names[least], 90)}."
    return words


def _of(count: int) -> str:
    return "1 subject" if count == 1 else f"{count:,} subjects"


def _size(ax: Axes) -> tuple[float, float]:
    """Return the width and height of `ax` in points."""
    box = ax.get_window_extent()
    return 72 * box.width / ax.figure.dpi, 72 * box.height / ax.figure.dpi


def _squares(ax: Axes, observed: np.ndarray) -> list[Line2D]:
    """Draw a square for every cell, with its number of observations where there is room."""
    across, down = _size(ax)
    rows, columns = observed.shape
    side = min(0.8 * across / (columns + 0.2), 0.8 * down / rows, LARGEST)
    style = {"markersize": side, "markeredgewidth": min(1.0, side / 5)}
    opacity = OPACITY if _holds(side, 2) else 1.0
    filled = {"markerfacecolor": (BETWEEN, opacity), "markeredgecolor": BETWEEN, **style}
    empty = {"markerfacecolor": "none", "markeredgecolor": MUTED, **style}
    (seen,) = ax.plot(*np.nonzero(observed.T), "s", **filled)
    (missing,) = ax.plot(*np.nonzero(observed.T == 0), "s", **empty)
    middle = {"ha": "center", "va": "center_baseline", "fontsize": SMALL, "color": INK}
    for (row, column), count in np.ndenumerate(observed):
        if count > 1 and _holds(side, count):
            ax.text(column, row, f"{count}", **middle)
    return [seen, missing]


def _holds(side: float, count: int) -> bool:
    return max(width(f"{count}", SMALL), SMALL) + 1 <= side


def _bars_above(ax: Axes, seen: np.ndarray, shown: np.ndarray) -> None:
    across, down = _size(ax)
    numbers = [f"{count:,}" for count in seen[shown]]
    widest = max(width(number, SMALL) for number in numbers)
    upright = widest + 6 <= across / (len(seen) + 0.2)
    taken = (SMALL if upright else widest) + 6
    ax.set_ylim(0, seen.max() * down / (down - taken))
    ax.bar(range(len(seen)), seen, width=0.7, color=MUTED, linewidth=0)
    style = {"ha": "center", "va": "bottom", "rotation": 0 if upright else 90}
    # Upended numbers are wider than thin bars, so they stand above the neighbours' as well.
    y = seen[shown] if upright else np.full(len(shown), seen.max())
    _number(ax, numbers, shown, y, (0, 3), **style)


def _bars_beside(ax: Axes, subjects: np.ndarray) -> None:
    numbers = [f"{count:,}" for count in subjects]
    rows = np.arange(len(subjects))
    across, _ = _size(ax)
    taken = max(width(number, SMALL) for number in numbers) + 8
    ax.set_xlim(0, subjects.max() * across / (across - taken))
    ax.barh(rows, subjects, height=0.5, color=MUTED, linewidth=0)
    _number(ax, numbers, subjects, rows, (4, 0), va="center_baseline")


def _number(
    ax: Axes,
    numbers: list[str],
    x: np.ndarray,
    y: np.ndarray,
    beyond: tuple[float, float],
    **style: object,
) -> None:
    """Write `numbers` beyond the ends of their bars."""
    style |= {"textcoords": "offset points", "fontsize": SMALL, "color": INK}
    for number, *end in zip(numbers, x, y, strict=True):
        ax.annotate(number, end, beyond, **style)
