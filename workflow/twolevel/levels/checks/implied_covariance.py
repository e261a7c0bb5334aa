"""The covariance that a fit implies for the condition's levels, and the one that subjects show."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from twolevel.mixed import MixedFit
from twolevel.strata.condition_covariance import (
    ObservedCovariance,
    cell_means,
    compound_symmetry,
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
    per_cell = fit.nobs / int(cells.notna().to_numpy().sum())
    implied = compound_symmetry(cells.columns, fit.sigma_between, fit.sigma_within, per_cell)
    observed = residual_covariance(fit.design, cells)
    return ImpliedCovariance(cells.columns, per_cell, implied, observed)
