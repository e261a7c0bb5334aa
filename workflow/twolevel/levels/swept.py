"""Rows without what is each subject's own: every subject's random columns swept out of all others.

Least squares with coefficients of each subject's own (Frisch & Waugh 1933; Lovell 1963): subject
i's random columns Z_i = Q_i R_i are taken out of the fixed columns x and of the response, and what
is left of y is regressed on what is left of x: as many columns as effects that all subjects share.

All is in the sums of `model.subject_sums`, where R_i is a triangle: its first rows belong to
the first columns, and the rest is what these leave of the columns after them. So sums with many
columns swept out have those with the first few of them, and the rows are not looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.identifiability import residual_sum
from twolevel.design.moments import independent_columns
from twolevel.model.subject_sums import subject_sums, without_rounding
from twolevel.random.random_columns import RandomColumns, TermColumns


@dataclass(frozen=True, eq=False)
class Swept:
    """The sums of N rows z = [x | y] without the first `width` of Q random columns.

    triangles (n, Q, Q) are R_i, and directions (n, Q, q) Q_i' z_i, with all Q columns. products
    (q, q) are those of what all Q leave of z, total (q, q) those of z itself.
    """

    triangles: np.ndarray
    directions: np.ndarray
    products: np.ndarray
    total: np.ndarray
    nobs: int
    terms: tuple[TermColumns, ...]
    width: int

    @classmethod
    def of(cls, design: DesignMatrix, terms: tuple[TermColumns, ...]) -> Swept:
        """Sweep out all columns of some random terms."""
        random = RandomColumns(terms)
        sums, Q = subject_sums(design, random), random.width
        n, _, q = sums.projected.shape
        triangles, directions = np.zeros((n, Q, Q)), np.zeros((n, Q, q))
        triangles[:, sums.used] = np.moveaxis(sums.R, -1, 0)[sums.group]
        directions[:, sums.used] = sums.projected
        return cls(triangles, directions, sums.within, sums.total, sums.nobs, terms, Q)

    def first(self, terms: int) -> Swept:
        """With the columns of the first few terms only swept out."""
        return replace(self, width=RandomColumns(self.terms[:terms]).width)

    def columns(self, term: TermColumns) -> np.ndarray:
        """The positions of a term's columns among all Q."""
        places = RandomColumns(self.terms).places
        return places[self.terms.index(term)].ravel()

    @property
    def R(self) -> np.ndarray:
        """R_i (n, width, width) of what is swept out."""
        return self.triangles[:, : self.width, : self.width]

    @property
    def projected(self) -> np.ndarray:
        """Q_i' z_i (n, width, q) of what is swept out."""
        return self.directions[:, : self.width]

    @cached_property
    def within(self) -> np.ndarray:
        """The cross-products (q, q) of what is left of z."""
        rest = self.directions[:, self.width :]
        more = np.tensordot(rest, rest, ((0, 1), (0, 1)))
        return without_rounding(self.products + more, self.total, self.nobs)

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

    def residuals(self, design: DesignMatrix) -> np.ndarray:
        """The residuals (m,) of the rows of a design, with the random columns of its rows."""
        cells, y, _ = design.working_columns()
        gamma = np.zeros(cells.X.shape[1])
        gamma[self.shared] = self.fit[2]
        R, projected = self.R[design.positions], self.projected[design.positions]
        left = projected[..., -1:] - projected[..., :-1] @ gamma[:, None]
        # A column that is a combination of those before it adds nothing to a subject's fit.
        aliased = np.diagonal(R, axis1=1, axis2=2) == 0
        effects = np.linalg.solve(R + aliased[:, None] * np.eye(self.width), left)
        own = np.zeros((len(R), self.triangles.shape[1]))
        own[:, : self.width] = effects[..., 0]
        return y - cells.times(gamma) - RandomColumns(self.terms).times(own, design.codes)

    def rest(self, term: TermColumns) -> float:
        """What the columns of a further term add to the residual sum of squares.

        In expectation, if their effects have variance 1: the trace of Z'MZ, M being the residual
        projection of this fit (Searle, Casella & McCulloch 1992, sec. 5.5).
        """
        left, products = self.triangles[:, self.width :, self.columns(term)], self.shared_with(term)
        explained = np.einsum("nkm,kl,nlm->", products, self.fit[1], products, optimize=True)
        return float(np.sum(left * left) - explained)

    def shared_with(self, term: TermColumns) -> np.ndarray:
        """Each subject's products (n, k, m) of what is left of shared columns and of a term's."""
        left = self.triangles[:, self.width :, self.columns(term)]
        return self.directions[:, self.width :, self.shared].swapaxes(1, 2) @ left
