"""The covariance of a subject's conditions: as observed, and as the model implies it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import independent_columns


@dataclass(frozen=True, eq=False)
class ObservedCovariance:
    """A (J, J) covariance with its degrees of freedom and the number of complete subjects."""

    matrix: pd.DataFrame
    df: int
    n_subjects: int


def compound_symmetry(
    levels: pd.Index, sigma_between: float, sigma_within: float, replicates: float = 1
) -> pd.DataFrame:
    """The covariance (J, J) the model implies for cell means of `replicates` observations.

    sigma_b^2 everywhere, and sigma_w^2 / replicates more on the diagonal.
    """
    J = len(levels)
    matrix = np.full((J, J), sigma_between**2) + np.eye(J) * sigma_within**2 / replicates
    return pd.DataFrame(matrix, index=levels, columns=levels)


def cell_means(design: DesignMatrix, variable: str | None) -> pd.DataFrame:
    """Mean response of each subject (rows, n) under each level of `variable` (columns, J).

    Without a variable there is one column, "all".
    """
    levels = design.levels(variable) if variable else ["all"]
    values = design.data[variable] if variable else np.full(len(design.response), "all")
    codes = pd.Categorical(values, categories=levels).codes
    J, n = len(levels), len(design.subjects)
    cell = design.codes * J + codes
    with np.errstate(invalid="ignore"):  # an empty cell is 0 / 0, and stays NaN
        means = np.bincount(cell, design.response, n * J) / np.bincount(cell, minlength=n * J)
    return pd.DataFrame(means.reshape(n, J), index=design.subjects, columns=levels)


def residual_covariance(design: DesignMatrix, cells: pd.DataFrame) -> ObservedCovariance | None:
    """Covariance of the conditions over complete subjects, after the between-subjects terms.

    None when the complete subjects leave no degree of freedom.
    """
    complete = cells.notna().all(axis=1).to_numpy()
    first = design.first_rows
    own = [
        k for k, columns in design.tested_terms.items() if not _varies(design, columns)
    ]  # fmt: skip
    Q = np.column_stack(
        [np.ones(len(first)), *(design.cells.at(first)[:, list(design.terms[k])] for k in own)]
    )[complete]
    Q = Q[:, independent_columns(Q.T @ Q, np.einsum("ij,ij->j", Q, Q))]
    df = int(complete.sum()) - Q.shape[1]
    if df < 1:
        return None
    Y = cells.to_numpy()[complete]
    Y = Y - Y.mean(axis=0)
    residual = Y - Q @ np.linalg.lstsq(Q, Y, rcond=None)[0]
    matrix = pd.DataFrame(residual.T @ residual / df, index=cells.columns, columns=cells.columns)
    return ObservedCovariance(matrix, df, int(complete.sum()))


def _varies(design: DesignMatrix, columns: tuple[int, ...]) -> bool:
    cells = design.cells
    values = np.unique(cells.X[:, list(columns)], axis=0, return_inverse=True)[1].ravel()
    row = cells.spread(values)
    return bool(np.any(row[design.first_rows][design.codes] != row))
