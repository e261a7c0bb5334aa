"""Marginal means: predictions averaged over a reference grid, as emmeans defines them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from twolevel.design_matrix import DesignMatrix


def mean_rows(design: DesignMatrix, variable: str | None = None) -> tuple[pd.Index, np.ndarray]:
    """The levels (m,) of `variable` and the rows L (m, p) whose L beta are its marginal means.

    Other factors are averaged with equal weights, covariates are held at their means. Without a
    variable there is one row: the grand mean.
    """
    grid = design.reference_grid(keep=[variable] if variable else [])
    rows = design.rows(grid)
    if len(rows) != len(grid):  # a bare intercept
        rows = np.broadcast_to(rows, (len(grid), rows.shape[1]))
    if variable is None:
        return pd.Index(["grand mean"]), rows.mean(axis=0, keepdims=True)
    levels = design.levels(variable)
    L = np.stack([rows[(grid[variable] == level).to_numpy()].mean(axis=0) for level in levels])
    return pd.Index(levels, name=variable), L


def pairwise_rows(levels: pd.Index, L: np.ndarray) -> tuple[pd.Index, np.ndarray]:
    """All differences of two rows, the earlier level minus the later, as emmeans' `pairs`."""
    pairs = list(combinations(range(len(levels)), 2))
    names = [f"{levels[a]} - {levels[b]}" for a, b in pairs]
    rows = np.stack([L[a] - L[b] for a, b in pairs]) if pairs else np.empty((0, L.shape[1]))
    return pd.Index(names, name="contrast"), rows
