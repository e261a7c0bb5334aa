"""Rows without what is each subject's own: every subject's random columns swept out of all others.

Least squares with coefficients of each subject's own (Frisch & Waugh 1933; Lovell 1963): subject
i's random columns Z_i = Q_i R_i are taken out of the fixed columns x and of the response, and what
is left of y is regressed on what is left of x: as many columns as effects that all subjects share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.identifiability import residual_sum
from twolevel.design.moments import independent_columns
from twolevel.model.effects.effect_sums import orthogonalised, taken_out
from twolevel.random.random_columns import RandomColumns, TermColumns

# Relative size of what rounding leaves of a column in the span of every subject's Z.
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class SubjectOrder:
    """The rows of a design's working columns z = [x | y] (q, N), subject by subject.

    order (N,) are their positions in the table, counts (n,) how many each subject has.
    """

    order: np.ndarray
    counts: np.ndarray
    z: np.ndarray

    @classmethod
    def of(cls, design: DesignMatrix) -> SubjectOrder:
        """Put a design's rows in order."""
        cells, y, _ = design.working_columns()
        order = np.argsort(design.codes, kind="stable")
        counts = np.bincount(design.codes, minlength=len(design.subjects))
        return cls(order, counts, np.vstack([cells.at(order).T, y[order]]))

    @property
    def subjects(self) -> np.ndarray:
        """The subject (N,) of each row, as a position."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Each subject's sum (n,) of values (N,)."""
        return np.add.reduceat(values, np.cumsum(self.counts) - self.counts)

    def columns(self, terms: tuple[TermColumns, ...]) -> np.ndarray:
        """All columns (Q, N) of some random terms, in this order of rows."""
        return RandomColumns(terms).expanded(self.order) if terms else self.z[:0]

    def swept(self, terms: tuple[TermColumns, ...]) -> SweptRows:
        """Sweep out all columns of some random terms."""
        basis, R = orthogonalised(self.columns(terms).copy(), self.counts)
        projected, left = project(basis, self.z, self.counts)
        return SweptRows(self, basis, R, projected, left)


@dataclass(frozen=True, eq=False)
class SweptRows:
    """What is left (q, N) of z beside the random columns, of which `basis` (Q, N) are all Q_i'.

    R (n, Q, Q) and projected (n, Q, q), Q_i' z_i, are each subject's.
    """

    rows: SubjectOrder
    basis: np.ndarray
    R: np.ndarray
    projected: np.ndarray
    left: np.ndarray

    @cached_property
    def within(self) -> np.ndarray:
        """The cross-products (q, q) of what is left of z."""
        products = self.left @ self.left.T
        inside = np.diag(products) <= _ROUNDING**2 * self.left.shape[1] * np.diag(
            self.rows.z @ self.rows.z.T
        )
        products[inside] = products[:, inside] = 0.0
        return products

    @cached_property
    def shared(self) -> np.ndarray:
        """Positions (k,) of the columns of x whose effects all subjects share."""
        gram = self.within[:-1, :-1]
        return independent_columns(gram, np.where(np.diag(gram) > 0, np.diag(gram), np.inf))

    @cached_property
    def fit(self) -> tuple[float, np.ndarray, np.ndarray]:
        """The residual sum of squares, the shared effects' inverse (k, k), and these (k,)."""
        return residual_sum(self.within, self.shared)

    @property
    def residuals(self) -> np.ndarray:
        """The residuals (N,), in this order of rows."""
        return self.left[-1] - self.fit[2] @ self.left[self.shared]

    @property
    def df_resid(self) -> int:
        """The residual degrees of freedom."""
        own = int((np.diagonal(self.R, axis1=1, axis2=2) > 0).sum())
        return self.left.shape[1] - own - len(self.shared)

    def rest(self, columns: np.ndarray) -> float:
        """What further columns (m, N) of each subject's own add to the residual sum of squares.

        In expectation, if their effects have variance 1: the trace of Z'MZ, M being the residual
        projection of this fit (Searle, Casella & McCulloch 1992, sec. 5.5).
        """
        _, left = project(self.basis, columns, self.rows.counts)
        products = self.products(left)
        explained = np.einsum("nkm,kl,nlm->", products, self.fit[1], products)
        return float(np.sum(left * left) - explained)

    def products(self, columns: np.ndarray) -> np.ndarray:
        """Each subject's products (n, k, m) of columns (m, N) and what is left of shared ones."""
        shared = self.left[self.shared]
        found = np.empty((len(self.rows.counts), len(shared), len(columns)))
        for k, one in enumerate(shared):
            for j, other in enumerate(columns):
                found[:, k, j] = self.rows.sums(one * other)
        return found


def project(
    basis: np.ndarray, columns: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each subject's Q_i' z_i (n, Q, m), and what is left (m, N) of columns (m, N) beside it."""
    left = np.array(columns)
    return taken_out(basis, left, counts), left
