"""The covariance of the conditions, observed and implied by the model."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from twolevel.figures.parts import note, slanted
from twolevel.figures.sources import StudySources
from twolevel.figures.theme import BETWEEN, INK, WIDTH, WITHIN, new_figure, themed
from twolevel.figures.words import SMALL, Labels, shorten, width
from twolevel.text.numbers import significant

MOST_BESIDE = 6  # conditions; of more, the two matrices stand one below the other
MOST_NUMBERED = 12
MOST_SQUARES = 60  # each way; of more conditions, squares stand for neighbouring ones together
DARKEST = 0.55  # opacity of the largest value: numbers stay readable on it


def draw(sources: StudySources) -> Figure:
    """Draw the figure from the results of a study."""
    summary = sources.checks.covariance
    levels, observed = summary.levels, summary.observed
    return covariance(
        None if observed is None else pd.DataFrame(observed.matrix, levels, levels),
        pd.DataFrame(summary.implied, levels, levels),
        sources.labels,
    )


@themed
def covariance(observed: pd.DataFrame | None, implied: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the conditions' covariance matrices, observed and implied, on one scale of shades.

    Both are condition x condition, in the response's unit squared; `observed` is None where it
    can't be estimated. Blue is positive, vermillion negative, opacity proportional to size. Up to
    12 conditions the numbers are printed; of more, the largest absolute value is named. Of more
    than 60, each square is the mean of the covariances of neighbouring conditions.
    """
    matrices = {"observed": observed, "implied by the model": implied}
    together = math.ceil(len(implied) / MOST_SQUARES)
    matrices = {
        title: _coarser(matrix, together)
        for title, matrix in matrices.items()
        if matrix is not None
    }
    largest = max(np.nanmax(np.abs(matrix.to_numpy(float))) for matrix in matrices.values())
    scale = _scale(largest)
    count = math.ceil(len(implied) / together)
    across = len(matrices) if count <= MOST_BESIDE else 1
    down = len(matrices) // across
    longest = max(width(shorten(name, 80, SMALL), SMALL) for name in implied.columns)
    side = min((WIDTH - 0.3 - longest / 72) / across - 0.1, 5.2)
    slant = 90 if longest + 6 > 72 * side / count else 0
    below = 0.45 + (longest / 72 if slant else 0.0)
    figure = new_figure(0.8 + (side + below) * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, (title, matrix) in zip(axes, matrices.items(), strict=True):
        _heat_map(ax, matrix / scale, largest / scale, slant, 72 * side)
        ax.set_title(title, loc="left", weight="bold", fontsize=10)
        ax.set_xlabel(shorten(labels.condition, 72 * side - 20))
    for ax in axes[1:across]:
        ax.set_yticklabels([])
    unit = f"in {shorten(labels.unit, 200)} squared" if labels.unit else "in squared units"
    if scale != 1:
        unit += f" / {scale:.0e}"
    words = f"Covariance {unit}; the stronger the colour, the larger."
    if count > MOST_NUMBERED:
        words += f" Strongest: {significant(largest)}."
    if together > 1:
        words += f" Each square is the mean of {together} × {together} covariances of neighbours."
    if observed is None:
        words += " The observed covariance can't be estimated from these data."
    note(figure, words)
    return figure


def _coarser(matrix: pd.DataFrame, together: int) -> pd.DataFrame:
    """Average so many neighbouring conditions at a time, each block named after its first."""
    if together == 1:
        return matrix
    names, block = list(map(str, matrix.index)), np.arange(len(matrix)) // together
    plain = pd.DataFrame(matrix.to_numpy(float)).groupby(block).mean().T.groupby(block).mean().T
    return plain.set_axis(names[::together], axis=0).set_axis(names[::together], axis=1)


def _scale(largest: float) -> float:
    """Return the power of 1000 that brings `largest` to a few digits, 1 if it has few already."""
    if largest == 0 or 1e-2 <= largest < 1e4:
        return 1.0
    return 1000.0 ** math.floor(math.log10(largest) / 3)


def _heat_map(ax: Axes, matrix: pd.DataFrame, largest: float, slant: int, room: float) -> None:
    """Shade a matrix on `room` points each way, with as many names as do not overlap."""
    values = matrix.to_numpy(float)
    count = len(values)
    share = np.nan_to_num(values / largest if largest > 0 else values)
    shades = np.array([[to_rgba(WITHIN if v < 0 else BETWEEN) for v in row] for row in share])
    shades[..., 3] = DARKEST * np.abs(share)
    edges = np.arange(count + 1) - 0.5
    mesh = ax.pcolormesh(edges, edges, np.zeros((count, count)), linewidth=0)
    mesh.set_array(None)
    mesh.set_facecolor(shades.reshape(-1, 4))
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    names = [shorten(name, 80, SMALL) for name in matrix.columns]
    named = slice(None, None, math.ceil(count * 1.25 * SMALL / room))
    ax.set_xticks(range(count)[named], names[named], **slanted(slant))
    ax.set_yticks(range(count)[named], names[named])
    if count <= MOST_NUMBERED:
        decimals = max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 0
        for (row, column), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{value:.{decimals}f}".replace("-", "−")
            style = {"ha": "center", "va": "center", "fontsize": SMALL, "color": INK}
            ax.text(column, row, text, **style)
