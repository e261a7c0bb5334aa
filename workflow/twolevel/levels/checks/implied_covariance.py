"""The covariance that a fit implies for the condition's levels, and the one that subjects show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.levels.random_spread import random_roots
from twolevel.mixed import MixedFit
from twolevel.strata.condition_covariance import (
    ObservedCovariance,
    cell_means,
    residual_covariance,
)


@dataclass(frozen=True, eq=False)
class ImpliedCovariance:
    """The covariance (J, J) of the cell means of J levels, implied, and observed if it can be.

    per_cell is the mean number of observations in a cell that holds any.
    """

    levels: pd.Index
    per_cell: float
    implied: pd.DataFrame
    observed: ObservedCovariance | None

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        found = self.observed
        return {
            "levels": self.levels,
            "per_cell": self.per_cell,
            "implied": self.implied.to_numpy().tolist(),
            "observed": found and {**vars(found), "matrix": found.matrix.to_numpy().tolist()},
        }


def implied_covariance(fit: MixedFit, variable: str | None) -> ImpliedCovariance:
    """What a fit implies for the levels of a variable, and what complete subjects show.

    Without a variable there is one level, "all".
    """
    cells = cell_means(fit.design, [variable] if variable else [])
    per_cell = len(fit.design.response) / int(cells.notna().to_numpy().sum())
    error = fit.sigma_within**2 / per_cell * np.eye(len(cells.columns))
    implied = pd.DataFrame(_of_random_part(fit, variable) + error, cells.columns, cells.columns)
    observed = residual_covariance(fit.design, cells)
    return ImpliedCovariance(cells.columns, per_cell, implied, observed)


def _of_random_part(fit: MixedFit, variable: str | None) -> np.ndarray:
    """The covariance (J, J) of what is random in the means of a subject's cells.

    The mean over the subjects that met both levels; of two levels that no subject met, what it is
    for subjects whose rows are as those are on average.
    """
    design = fit.design
    J, n, place = 1, len(design.subjects), np.zeros(len(design.response), dtype=np.intp)
    if variable is not None:
        levels = design.levels(variable)
        J, place = len(levels), pd.Categorical(design.data[variable], levels).codes.astype(np.intp)
    cell = design.codes * J + place
    counts = np.bincount(cell, minlength=n * J)
    met = (counts > 0).reshape(n, J).astype(float)
    both = met.T @ met
    covariance = np.zeros((J, J))
    for U, levels_of_rows in random_roots(fit):
        own = np.zeros(len(cell), dtype=np.intp) if levels_of_rows is None else levels_of_rows
        for level in range(int(own.max()) + 1):
            rows = own == level
            sums = [np.bincount(cell[rows], u[rows], n * J) for u in U.T]
            means = (np.stack(sums) / np.maximum(counts, 1)).reshape(-1, n, J)  # 0 in empty cells
            products = np.einsum("qnj,qnk->jk", means, means, optimize=True)
            average = means.sum(axis=1) / met.sum(axis=0)
            covariance += np.where(both > 0, products / np.maximum(both, 1), average.T @ average)
    return covariance
