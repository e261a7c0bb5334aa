"""The covariance of a subject's conditions: as observed, and as the model implies it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import independent_columns


@dataclass(frozen=True, eq=False)
class ObservedCovariance:
    """A covariance (C, C) with its degrees of freedom and the number of complete subjects."""

    matrix: pd.DataFrame
    df: int
    n_subjects: int


def cell_means(design: DesignMatrix, variables: Sequence[str]) -> pd.DataFrame:
    """Mean response of each subject (rows, n) in each cell of some variables (columns, C).

    Without variables there is one cell, "all"; of several, columns run through the levels of the
    last one fastest. A cell without rows is NaN.
    """
    n, levels = len(design.subjects), [design.levels(name) for name in variables]
    codes = [
        pd.Categorical(design.data[name], own).codes
        for name, own in zip(variables, levels, strict=True)
    ]
    cell = np.ravel_multi_index((design.codes, *codes), (n, *map(len, levels)))
    size = n * prod(map(len, levels))
    with np.errstate(invalid="ignore"):  # an empty cell is 0 / 0, and stays NaN
        means = np.bincount(cell, design.response, size) / np.bincount(cell, minlength=size)
    if len(levels) > 1:
        columns = pd.MultiIndex.from_product(levels, names=variables)
    else:
        columns = pd.Index(levels[0] if levels else ["all"])
    return pd.DataFrame(means.reshape(n, -1), index=design.subjects, columns=columns)


def residual_covariance(design: DesignMatrix, cells: pd.DataFrame) -> ObservedCovariance | None:
    """Covariance of the conditions over complete subjects, after the between-subjects terms.

    None when the complete subjects leave no degree of freedom.
    """
    complete = cells.notna().all(axis=1).to_numpy()
    Q = design.cells.at(design.first_rows)[complete]
    Q = np.column_stack([np.ones(len(Q)), Q[:, between_columns(design)]])
    Q = Q[:, independent_columns(Q.T @ Q, np.einsum("ij,ij->j", Q, Q))]
    df = int(complete.sum()) - Q.shape[1]
    if df < 1:
        return None
    Y = cells.to_numpy()[complete]
    Y = Y - Y.mean(axis=0)
    residual = Y - Q @ np.linalg.lstsq(Q, Y, rcond=None)[0]
    matrix = pd.DataFrame(residual.T @ residual / df, index=cells.columns, columns=cells.columns)
    return ObservedCovariance(matrix, df, int(complete.sum()))


def between_columns(design: DesignMatrix) -> list[int]:
    """The positions of the columns of all terms that do not vary within subjects."""
    terms = design.tested_terms.values()
    return [k for columns in terms if not _varies(design, columns) for k in columns]


def _varies(design: DesignMatrix, columns: tuple[int, ...]) -> bool:
    cells = design.cells
    values = np.unique(cells.X[:, list(columns)], axis=0, return_inverse=True)[1].ravel()
    row = cells.spread(values)
    return bool(np.any(row[design.first_rows][design.codes] != row))
