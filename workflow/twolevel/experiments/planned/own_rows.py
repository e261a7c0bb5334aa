"""The sums of data sets that each have rows of their own, as some are absent: see `effect_sums`.

Every subject of every data set has an R of its own, so that the axis of the distinct R is that of
the n subjects. An absent row is a row of zeros, which changes no sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.model.effects.effect_criterion import relative_variance, variance_sums
from twolevel.model.effects.effect_sums import Three, orthogonalised, pairs, taken_out
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.numeric.small_matrices import inverse, product, sweep, trace
from twolevel.text.methods import Method

# A pivot, relative to a column's squares, below which it is a combination of others.
_RANK = 1e-9


@dataclass(frozen=True, eq=False)
class OwnRows:
    """B data sets: R (r, Q, n, B), projected (r, n, q, B) is z^, and the rest what z leaves.

    outer (B, P n, p p + p + 1) are the products z^_a z^_b' of each subject at the P pairs a <= b,
    by xx, xy and yy, both orders added up; rest (q, q, B) is W and nobs (B,) counts rows.
    """

    R: np.ndarray
    projected: np.ndarray
    outer: np.ndarray
    rest: np.ndarray
    nobs: np.ndarray

    @classmethod
    def of(cls, study: PlannedStudy, y: np.ndarray, observed: np.ndarray) -> OwnRows:
        """The sums of responses y (B, N), of which some are observed (B, N)."""
        B, N = y.shape
        codes = study.design.codes
        counts = np.tile(np.bincount(codes), B)
        n = len(counts) // B
        seen = observed.ravel().astype(float)
        z = np.concatenate([np.tile(study.X.T, B), y.reshape(1, -1)]) * seen
        basis, R = orthogonalised(np.tile(study.random.expanded(), B) * seen, counts)
        projected = taken_out(basis, z, counts).reshape(B, n, len(basis), len(z))
        R = np.ascontiguousarray(np.moveaxis(R.reshape(B, n, *R.shape[1:]), (0, 1), (-1, -2)))
        projected = np.ascontiguousarray(np.moveaxis(projected, (0, 1), (-1, 1)))
        rows = z.reshape(len(z), B, N)
        rest = np.einsum("qbn,sbn->qsb", rows, rows)
        return cls(R, projected, _outer(projected), rest, seen.reshape(B, N).sum(axis=1))

    def with_variance(self, study: PlannedStudy) -> OwnRows:
        """The same where responses that vary as I are made to vary as the study has it.

        With V = (I - Q Q') + Q M Q', it takes a root of M times Q' y for Q' y, and no more.
        """
        M = relative_variance(study.layout.directions(self.R), study.psi[:, None])
        root = np.linalg.cholesky(np.moveaxis(M, (0, 1), (-2, -1)))  # (n, B, r, r)
        projected = self.projected.copy()
        projected[:, :, -1] = np.einsum("nbrs,snb->rnb", root, projected[:, :, -1])
        return replace(self, projected=projected, outer=_outer(projected))

    @property
    def n_coefficients(self) -> int:
        """p."""
        return len(self.rest) - 1

    @property
    def size(self) -> int:
        """B."""
        return len(self.nobs)

    def degrees_of_freedom(self, method: Method) -> np.ndarray:
        """N - p under REML, N under ML (B,)."""
        return self.nobs - (self.n_coefficients if method == "REML" else 0)

    @property
    def within(self) -> Three:
        """W as xx (p, p, B), xy (p, B) and yy (B,)."""
        p = self.n_coefficients
        return self.rest[:p, :p], self.rest[:p, p], self.rest[p, p]

    def of_sets(self, which: np.ndarray) -> OwnRows:
        """The sums of some (b,) of the data sets."""
        if len(which) == self.size:
            return self
        return replace(
            self,
            R=self.R[..., which],
            projected=self.projected[..., which],
            outer=self.outer[which],
            rest=self.rest[..., which],
            nobs=self.nobs[which],
        )

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., B) over the subjects, the last axis but one."""
        return values.sum(axis=-2)

    def contracted(self, weights: np.ndarray) -> Three:
        """Sums of outer products by weights (k, P, n, B), each data set's own."""
        k, P, n, B = weights.shape
        p = self.n_coefficients
        flat = np.moveaxis(weights.reshape(k, P * n, B), -1, 0)
        found = np.moveaxis(np.matmul(flat, self.outer), 0, -1)  # (k, p p + p + 1, B)
        ends = p * p, p * p + p
        xx, xy, yy = np.split(found, ends, axis=1)
        return xx.reshape(k, p, p, -1).copy(), xy.copy(), yy[:, 0].copy()

    def regular(self, layout: RelativeCovariance) -> np.ndarray:
        """In which data sets (B,) all coefficients and variances, and an error, can be estimated.

        Variances can where their expected information, looked at where all effects are 0, is
        regular: tr(P C_s P C_t) with P = I - X (X'X)^-1 X'.
        """
        free = (self.nobs > self.n_coefficients + 1) & (self._subjects > 1)
        xx = self.within[0] + self.contracted(self._ones)[0][0]
        found = np.flatnonzero(free & (self.nobs > self._subjects) & _independent(xx))
        some, phi = self.of_sets(found), inverse(xx[..., found])
        C = layout.directions(some.R)
        sums = variance_sums(some, C, np.zeros((len(C), 1)))
        spread = [product(phi, part) for part in sums.first]
        information = np.array(
            [
                [
                    sums.traces[s, t] - 2 * trace(phi, sums.second[s, t]) + trace(one, other)
                    for t, other in enumerate(spread)
                ]
                for s, one in enumerate(spread)
            ]
        )
        regular = np.full(self.size, False)
        regular[found] = _independent(information)
        return regular

    @property
    def _subjects(self) -> np.ndarray:
        """How many subjects (B,) have a row."""
        return (np.abs(self.R).max(axis=(0, 1)) > 0).sum(axis=0)

    @property
    def _ones(self) -> np.ndarray:
        r, _, n, B = self.R.shape
        same = np.equal(*pairs(r)).astype(float)
        return np.broadcast_to(same[None, :, None, None], (1, len(same), n, B))


def _independent(gram: np.ndarray) -> np.ndarray:
    """In which data sets (B,) no column is a combination of those before, from gram (p, p, B)."""
    scale = np.sqrt(np.maximum(np.einsum("iib->ib", gram), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    pivots = sweep(gram / (scale[:, None] * scale), len(gram), _RANK)[1]
    return np.asarray((pivots > 0).all(axis=0))


def _outer(projected: np.ndarray) -> np.ndarray:
    """The products (B, P n, p p + p + 1) of z^ (r, n, q, B)."""
    r, _, q, B = projected.shape
    rows, columns = pairs(r)
    z = np.moveaxis(projected, -1, 0)  # (B, r, n, q)
    both = z[:, rows, :, :, None] * z[:, columns, :, None, :]
    off = (rows != columns)[:, None, None, None]
    both += off * np.swapaxes(z[:, rows, :, :, None] * z[:, columns, :, None, :], -1, -2)
    p = q - 1
    parts = [both[..., :p, :p].reshape(B, -1, p * p), both[..., :p, p].reshape(B, -1, p)]
    return np.concatenate([*parts, both[..., p, p].reshape(B, -1, 1)], axis=2)
