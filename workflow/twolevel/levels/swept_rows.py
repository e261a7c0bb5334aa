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
from twolevel.model.effects.effect_sums import orthogonalised, subject_sums, taken_out
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
        within, N = left @ left.T, left.shape[1]
        inside = np.diag(within) <= _ROUNDING**2 * N * np.diag(self.z @ self.z.T)
        within[inside] = within[:, inside] = 0.0
        return SweptRows(R, projected, within, N, self, basis, left)


@dataclass(frozen=True, eq=False)
class Swept:
    """The sums of N rows with random columns swept out of z: those (q, q) of what is left, within.

    R (n, Q, Q) and projected (n, Q, q), Q_i' z_i, are each subject's.
    """

    R: np.ndarray
    projected: np.ndarray
    within: np.ndarray
    nobs: int

    @classmethod
    def of(cls, design: DesignMatrix, random: RandomColumns) -> Swept:
        """From all rows, also of a table in shards."""
        sums, Q = subject_sums(design, random), random.width
        n, _, q = sums.projected.shape
        R, projected = np.zeros((n, Q, Q)), np.zeros((n, Q, q))
        R[:, sums.used] = np.moveaxis(sums.R, -1, 0)[sums.group]
        projected[:, sums.used] = sums.projected
        return cls(R, projected, sums.within, sums.nobs)

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
    def df_resid(self) -> int:
        """The residual degrees of freedom."""
        own = int((np.diagonal(self.R, axis1=1, axis2=2) > 0).sum())
        return self.nobs - own - len(self.shared)

    def residuals_of(self, design: DesignMatrix, random: RandomColumns) -> np.ndarray:
        """The residuals (m,) of a design's rows, whose random columns are those swept out."""
        cells, y, _ = design.working_columns()
        gamma = np.zeros(cells.X.shape[1])
        gamma[self.shared] = self.fit[2]
        R, projected = self.R[design.positions], self.projected[design.positions]
        left = projected[..., -1:] - projected[..., :-1] @ gamma[:, None]
        # A column that is a combination of those before it adds nothing to a subject's fit.
        aliased = np.diagonal(R, axis1=1, axis2=2) == 0
        effects = np.linalg.solve(R + aliased[:, None] * np.eye(R.shape[1]), left)[..., 0]
        return y - cells.times(gamma) - random.times(effects, design.codes)


@dataclass(frozen=True, eq=False)
class SweptRows(Swept):
    """What is left (q, N) of z beside the random columns, of which `basis` (Q, N) are all Q_i'."""

    rows: SubjectOrder
    basis: np.ndarray
    left: np.ndarray

    @property
    def residuals(self) -> np.ndarray:
        """The residuals (N,), in this order of rows."""
        return self.left[-1] - self.fit[2] @ self.left[self.shared]

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
