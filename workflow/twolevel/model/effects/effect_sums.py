"""The sums over subjects that the likelihood of any random part is a function of.

Subject i's rows have the random columns Z_i = Q_i R_i, of any rank, and z = [x | y]. With z^_i =
Q_i' z_i (r, q) and W the pooled cross-products of what is left of z outside the span of Z_i,

    sum_i z_i' M_i^-1 z_i = W + sum_i z^_i' (I + R_i Psi R_i')^-1 z^_i.

Subjects with the same R share the inverse, so that sums of outer products of z^_i over them are
all that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, Self

import numpy as np

from twolevel.text.methods import Method

Three = tuple[np.ndarray, np.ndarray, np.ndarray]


class OverSubjects(Protocol):
    """What is summed over the subjects of B data sets of one design."""

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., B) over all subjects of what those with the same R have in common."""

    def contracted(self, weights: np.ndarray) -> Three:
        """Sums xx (k, p, p, B), xy (k, p, B), yy (k, B) of outer products, by weights.

        weights (k, P, G, B) are each data set's own, or (k, P, G, 1) those of all; xx then may have
        1 for B.
        """


class Sums(OverSubjects, Protocol):
    """What a likelihood is evaluated from: the sums of B data sets of one design."""

    @property
    def n_coefficients(self) -> int:
        """p."""

    @property
    def size(self) -> int:
        """B."""

    @property
    def nobs(self) -> int | np.ndarray:
        """N, of all data sets or of each (B,)."""

    @property
    def within(self) -> Three:
        """W as xx (p, p, B), xy (p, B) and yy (B,); B is 1 where all data sets have the same."""

    def degrees_of_freedom(self, method: Method) -> int | np.ndarray:
        """N - p under REML, N under ML."""

    def of_sets(self, which: np.ndarray) -> Self:
        """The sums of some (b,) of the data sets; of one data set there is nothing to choose."""


@dataclass(frozen=True, eq=False)
class EffectSums:
    """Sums of B data sets of one design, in its working coordinates; p columns, G distinct R.

    R (r, Q, G) are the triangles, of which counts (G,) subjects each have one. within_xx (p, p),
    within_xy (p, B) and within_yy (B,) are W; outer_xx (P, G, p, p), outer_xy (P, G, p, B) and
    outer_yy (P, G, B) are the sums of z^_a z^_b' over subjects, for the P pairs a <= b of their r
    rows; both orders are added up where a < b.
    """

    R: np.ndarray
    counts: np.ndarray
    nobs: int
    within_xx: np.ndarray
    within_xy: np.ndarray
    within_yy: np.ndarray
    outer_xx: np.ndarray
    outer_xy: np.ndarray
    outer_yy: np.ndarray

    @property
    def n_coefficients(self) -> int:
        """p."""
        return len(self.within_xx)

    @property
    def size(self) -> int:
        """B."""
        return len(self.within_yy)

    def degrees_of_freedom(self, method: Method) -> int:
        """N - p under REML, N under ML."""
        return self.nobs - (self.n_coefficients if method == "REML" else 0)

    def of_sets(self, which: np.ndarray) -> Self:
        """The sums of some (b,) of the data sets."""
        if self.size == 1 or len(which) == self.size:
            return self
        return replace(
            self,
            within_xy=self.within_xy[:, which],
            within_yy=self.within_yy[which],
            outer_xy=self.outer_xy[..., which],
            outer_yy=self.outer_yy[..., which],
        )

    def of_matrices(self, some: slice) -> EffectSums:
        """The sums over the subjects with some of the R; W and N are those of all."""
        return replace(
            self,
            R=self.R[..., some],
            counts=self.counts[some],
            outer_xx=self.outer_xx[:, some],
            outer_xy=self.outer_xy[:, some],
            outer_yy=self.outer_yy[:, some],
        )

    def of_some(self, step: int) -> EffectSums:
        """About the sums of the subjects with every step-th R: of W, their share."""
        counts = self.counts[::step]
        share = counts.sum() / self.counts.sum()
        return EffectSums(
            self.R[..., ::step],
            counts,
            round(share * self.nobs),
            *(share * within for within in (self.within_xx, self.within_xy, self.within_yy)),
            *(
                np.ascontiguousarray(outer[:, ::step])
                for outer in (self.outer_xx, self.outer_xy, self.outer_yy)
            ),
        )

    @property
    def within(self) -> Three:
        """W as xx (p, p, 1), xy (p, B) and yy (B,)."""
        return self.within_xx[..., None], self.within_xy, self.within_yy

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., B) over all subjects of what those with the same R have in common."""
        return np.einsum("g,...gb->...b", self.counts, values)

    def contracted(self, weights: np.ndarray) -> Three:
        """Sums of outer products by weights, matrix by matrix."""
        k, P, G, B = weights.shape
        p = self.n_coefficients
        flat = weights.reshape(k, P * G, B)
        outer_xx, outer_xy = self.outer_xx.reshape(P * G, -1), self.outer_xy.reshape(P * G, -1)
        outer_yy = self.outer_yy.reshape(P * G, -1)
        if B == 1:
            rows = flat[..., 0]
            xx, xy, yy = rows @ outer_xx, rows @ outer_xy, rows @ outer_yy
        else:
            xx = outer_xx.T @ flat
            if self.size == 1:
                xy, yy = outer_xy.T @ flat, (outer_yy.T @ flat)[:, 0]
            else:
                xy = np.einsum("kab,apb->kpb", flat, outer_xy.reshape(P * G, p, B))
                yy = np.einsum("kab,ab->kb", flat, outer_yy)
        return xx.reshape(k, p, p, B), xy.reshape(k, p, -1), yy


@cache
def pairs(r: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (P,) of the pairs a <= b, in the order of all sums."""
    return np.triu_indices(r)
