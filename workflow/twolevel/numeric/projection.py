"""Rows of many subjects, one below the other, projected on what each subject's columns span.

Columns run along the first axis: those of N rows are (Q, N), and of b subjects each has as many
neighbouring rows as counts (b,) say.
"""

from __future__ import annotations

import numpy as np

# The share of a column's norm that must be left of it beside the columns before, for it to count.
_RANK = 1e-10


def project(Z: np.ndarray, z: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (b, Q, Q) and z^ (b, Q, q) of b subjects, whose part in z (q, rows) is taken out in place.

    Z (Q, rows) is spent. Where all subjects have the same Z, that of the first does for all.
    """
    b, Q, width = len(counts), len(Z), int(counts[0])
    if b > 1 and Z.shape[1] == b * width and (counts == width).all():
        each = Z.reshape(Q, b, width)
        if (each == each[:, :1]).all():
            basis, R = orthogonalised(Z[:, :width].copy(), np.array([width]))
            rows = z.reshape(len(z), b, width)
            projected = rows @ basis.T  # (q, b, Q)
            rows -= projected @ basis
            return np.broadcast_to(R, (b, Q, Q)), np.moveaxis(projected, 0, -1)
    basis, R = orthogonalised(Z, counts)
    return R, taken_out(basis, z, counts)


def taken_out(basis: np.ndarray, z: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Each subject's Q_i' z_i (n, Q, q), which leaves z (q, N) in place; basis (Q, N) is Q'."""
    starts = np.cumsum(counts) - counts
    projected = np.empty((len(counts), len(basis), len(z)))
    for k, direction in enumerate(basis):
        for j, row in enumerate(z):
            part = np.add.reduceat(direction * row, starts)
            row -= direction * np.repeat(part, counts)
            projected[:, k, j] = part
    return projected


def orthogonalised(Z: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each subject's Q' (Q, rows), in place of Z, and R (b, Q, Q).

    Gram and Schmidt's method, each column against all before it twice, which is enough (Giraud,
    Langou & Rozloznik 2005). A column of which nothing is left becomes 0, and its row of R too.
    """
    starts = np.cumsum(counts) - counts
    R = np.zeros((len(counts), len(Z), len(Z)))

    def norm(column: np.ndarray) -> np.ndarray:
        return np.sqrt(np.add.reduceat(column * column, starts))

    for k, column in enumerate(Z):
        size = norm(column)
        for _ in range(2 if k else 0):
            for j in range(k):
                part = np.add.reduceat(Z[j] * column, starts)
                column -= Z[j] * np.repeat(part, counts)
                R[:, j, k] += part
        left = norm(column)
        counted = left > _RANK * size
        R[:, k, k] = np.where(counted, left, 0.0)
        inverse = np.divide(1.0, left, out=np.zeros(len(left)), where=counted)
        column *= np.repeat(inverse, counts)
    return Z, R
