"""Algebra on stacks of small matrices (p, p, ...): a batch's data sets run along the last axis.

numpy.linalg calls LAPACK for each matrix of a stack, which costs more than the arithmetic where a
matrix has a few columns; here each step of an elimination is one operation on the whole batch.
Without a last axis there is one matrix, of any size, and LAPACK does it.
"""

from __future__ import annotations

import numpy as np


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix products a b (m, k, ...), for a (m, p, ...) and b (p, k, ...)."""
    if a.ndim == b.ndim == 2:
        return a @ b
    return np.einsum("ij...,jk...->ik...", a, b)


def sandwich(L: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """L M L' (q, q, ...), for L (q, p) or (q, p, ...) and M (p, p, ...)."""
    return product(product(L, matrix), np.swapaxes(L, 0, 1))


def trace(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """tr(a b) (...), for a and b (p, p, ...)."""
    return np.einsum("ij...,ji...->...", a, b)


def weighted(weights: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """sum_g w_g M_g (p, p, ...), for weights (g, ...) and matrices (g, p, p, ...)."""
    return np.einsum("g...,gij...->ij...", weights, matrices)


def inverse(matrix: np.ndarray) -> np.ndarray:
    """The inverses of positive definite matrices (p, p, ...)."""
    if matrix.ndim == 2:
        return np.linalg.inv(matrix)
    return -sweep(matrix, len(matrix))[0]


def sweep(
    matrix: np.ndarray, p: int, least: np.ndarray | float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Sweep symmetric matrices (q, q, B) on their first p rows; also the pivots (p, B).

    Of [[A, b], [b', c]] with A positive definite this leaves [[-A^-1, A^-1 b], [b' A^-1,
    c - b' A^-1 b]]; the pivots' product is |A| (Goodnight 1979, The American Statistician 33, with
    the sign that keeps symmetry). With `least` (B,), a row whose pivot is not larger is taken for a
    combination of earlier ones, and becomes 0, and so does its pivot.
    """
    swept = matrix.copy()
    pivots = np.empty((p, *matrix.shape[2:]))
    for k in range(p):
        column = swept[k].copy()
        pivots[k] = column[k]
        scale = 1 / pivots[k] if least is None else _inverse_above(pivots[k], least)
        row = column * scale
        swept -= column[:, None] * row
        swept[k] = swept[:, k] = row
        swept[k, k] = -scale
        if least is not None:
            pivots[k][scale == 0] = 0.0
    return swept, pivots


def _inverse_above(values: np.ndarray, least: np.ndarray | float) -> np.ndarray:
    return np.divide(1, values, out=np.zeros_like(values), where=values > least)
