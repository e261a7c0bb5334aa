"""Marginal means: predictions averaged over a reference grid, as emmeans defines them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix

# The size below which an entry of a difference of rows, whose numbers are at most 1, is rounding.
_ROUNDING = 1e-12

# Values of variables to hold them at, instead of those of the reference grid.
At = Mapping[str, Any]


def mean_rows(
    design: DesignMatrix,
    variable: str | None = None,
    by: str | None = None,
    at: At | None = None,
) -> tuple[pd.Index, np.ndarray]:
    """The levels (m,) of `variable` and the rows L (m, p) whose L beta are its marginal means.

    Other factors, and numbers with two values, are averaged with equal weights, other covariates
    are held at their means. With `by`, the levels are those of `variable` within each level of `by`
    (pairs, `by` first). Variables in `at` are held at a value, or averaged over some. Without a
    variable there is one row: the grand mean.

    Raises ValueError for a variable that the formula does not have, or a level that a factor does
    not have.
    """
    kept = [name for name in (by, variable) if name is not None]
    at = {name: _values(design, name, given) for name, given in (at or {}).items()}
    for name in kept:
        _refuse_unknown(design, name)
    grid, at_means = design.reference_grid(keep=kept, at=at)
    rows = design.rows(grid, at_means)
    if variable is None:
        return pd.Index(["grand mean"]), rows.mean(axis=0, keepdims=True)
    axes = [at.get(name) or design.levels(name) for name in kept]
    levels = pd.MultiIndex.from_product(axes, names=kept) if by else pd.Index(axes[0], name=kept[0])
    # The codes of the grid's rows count through the levels of `by`, within these of `variable`.
    codes = np.zeros(len(grid), dtype=int)
    for name, axis in zip(kept, axes, strict=True):
        codes = codes * len(axis) + pd.Index(axis).get_indexer(grid[name])
    L = np.stack([rows[codes == k].mean(axis=0) for k in range(len(levels))])
    return levels, L


def difference(rows: np.ndarray, other: np.ndarray) -> np.ndarray:
    """rows - other (m, p), where what is 0 up to rounding is 0."""
    apart = rows - other
    return np.where(np.abs(apart) < _ROUNDING, 0.0, apart)


def _refuse_unknown(design: DesignMatrix, name: str) -> None:
    if name not in design.data:
        raise ValueError(
            f"found {name!r}, expected a variable of the formula '{design.formula}': "
            f"{', '.join(design.data) or 'it has none'}"
        )


def _values(design: DesignMatrix, name: str, given: Any) -> list:
    """The values at which a variable is held."""
    _refuse_unknown(design, name)
    values = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    unknown = [v for v in values if design.is_factor(name) and v not in design.levels(name)]
    if unknown or not values:
        raise ValueError(
            f"at: found {unknown or values!r} for {name!r}, expected some of its levels "
            f"{', '.join(map(str, design.levels(name)))}"
        )
    return values


def slope_rows(
    design: DesignMatrix, variable: str, by: str | None = None
) -> tuple[pd.Index, np.ndarray] | None:
    """The rows L (m, p) whose L beta is by how much the marginal means rise per unit of a number.

    One row, or with `by` one for each level of another variable. None for a factor, and where the
    marginal means do not lie on a line in the variable.
    """
    values = design.levels(variable)
    if design.is_factor(variable) or len(values) < 2:
        return None
    levels, L = mean_rows(design, variable, by)
    L = L.reshape(-1, len(values), L.shape[1])
    span = design.levels(variable)[-1] - design.levels(variable)[0]
    share = np.array([value - values[0] for value in values], dtype=float) / float(span)
    rise = difference(L[:, -1], L[:, 0])
    line = L[:, :1] + share[:, None] * rise[:, None]
    if (np.abs(L - line) > 1e-9 * np.abs(L).max(axis=(0, 1))).any():
        return None
    rise = rise / float(span)
    index = pd.Index([variable]) if by is None else levels.get_level_values(by).unique()
    return index, rise


def weighted_rows(
    levels: pd.Index, L: np.ndarray, weights: Mapping[str, Sequence[float]]
) -> tuple[pd.Index, np.ndarray]:
    """Named contrasts of rows, each with a weight for every level (within each first level).

    Raises ValueError where the weights are not as many as levels, or none is there.
    """
    pairs = isinstance(levels, pd.MultiIndex)
    outer = levels.get_level_values(0).unique() if pairs else [None]
    J = len(L) // len(outer)
    for name, row in weights.items():
        if len(row) != J or not np.isfinite(np.asarray(row, dtype=float)).all():
            raise ValueError(
                f"weights: found {list(row)!r} for {name!r}, expected a number for each of the {J} "
                f"levels {', '.join(map(str, levels.get_level_values(-1).unique()))}"
            )
    if not weights:
        raise ValueError("weights: found none, expected contrasts as {'linear': [-1, 0, 1]}")
    matrix = np.array([list(row) for row in weights.values()], dtype=float)
    rows = np.einsum("cj,ojp->ocp", matrix, L.reshape(len(outer), J, -1))
    rows = difference(rows.reshape(-1, L.shape[1]), np.zeros(L.shape[1]))
    names = list(weights)
    if not pairs:
        return pd.Index(names, name="contrast"), rows
    return pd.MultiIndex.from_product([outer, names], names=[levels.names[0], "contrast"]), rows


def pairwise_rows(levels: pd.Index, L: np.ndarray) -> tuple[pd.Index, np.ndarray]:
    """All differences of two rows, the earlier level minus the later, as emmeans' `pairs`.

    Of pairs of levels (see `mean_rows`), only those within the same first level.
    """
    if isinstance(levels, pd.MultiIndex):
        outer, inner = levels.names
        parts = {
            level: pairwise_rows(levels[at].get_level_values(inner), L[at])
            for level, at in (
                # In the order of the levels, which a MultiIndex may hold sorted.
                (k, levels.get_level_values(outer) == k)
                for k in levels.get_level_values(outer).unique()
            )
        }
        names = [(level, name) for level, (index, _) in parts.items() for name in index]
        index = pd.MultiIndex.from_tuples(names, names=[outer, "contrast"])
        return index, np.concatenate([rows for _, rows in parts.values()])
    pairs = list(combinations(range(len(levels)), 2))
    contrasts = [f"{levels[a]} - {levels[b]}" for a, b in pairs]
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    return pd.Index(contrasts, name="contrast"), difference(L[first], L[second])
