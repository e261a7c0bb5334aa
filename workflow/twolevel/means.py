"""Marginal means: predictions averaged over a reference grid, as emmeans defines them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from twolevel.design_matrix import DesignMatrix


def mean_rows(
    design: DesignMatrix, variable: str | None = None, by: str | None = None
) -> tuple[pd.Index, np.ndarray]:
    """The levels (m,) of `variable` and the rows L (m, p) whose L beta are its marginal means.

    Other factors are averaged with equal weights, covariates are held at their means. With `by`,
    the levels are those of `variable` within each level of `by` (pairs, `by` first). Without a
    variable there is one row: the grand mean.

    Raises ValueError for a variable that the formula does not have.
    """
    kept = [name for name in (by, variable) if name is not None]
    for name in kept:
        if name not in design.data:
            raise ValueError(
                f"found {name!r}, expected a variable of the formula '{design.formula}': "
                f"{', '.join(design.data) or 'it has none'}"
            )
    grid = design.reference_grid(keep=kept)
    rows = design.rows(grid)
    if len(rows) != len(grid):  # a bare intercept
        rows = np.broadcast_to(rows, (len(grid), rows.shape[1]))
    if variable is None:
        return pd.Index(["grand mean"]), rows.mean(axis=0, keepdims=True)
    axes = [design.levels(name) for name in kept]
    levels = pd.MultiIndex.from_product(axes, names=kept) if by else pd.Index(axes[0], name=kept[0])
    # The codes of the grid's rows count through the levels of `by`, within these of `variable`.
    codes = np.zeros(len(grid), dtype=int)
    for name, axis in zip(kept, axes, strict=True):
        codes = codes * len(axis) + pd.Index(axis).get_indexer(grid[name])
    L = np.stack([rows[codes == k].mean(axis=0) for k in range(len(levels))])
    return levels, L


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
    x = np.asarray(values, dtype=float)
    L = L.reshape(-1, len(x), L.shape[1])
    rise = (L[:, -1] - L[:, 0]) / (x[-1] - x[0])
    line = L[:, :1] + (x - x[0])[:, None] * rise[:, None]
    if (np.abs(L - line) > 1e-9 * np.abs(L).max(axis=(0, 1))).any():
        return None
    index = pd.Index([variable]) if by is None else levels.get_level_values(by).unique()
    return index, rise


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
    names = [f"{levels[a]} - {levels[b]}" for a, b in pairs]
    rows = np.stack([L[a] - L[b] for a, b in pairs]) if pairs else np.empty((0, L.shape[1]))
    return pd.Index(names, name="contrast"), rows
