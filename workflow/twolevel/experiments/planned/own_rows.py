"""The sums of data sets that each have rows of their own, as some are absent: see `effect_sums`.

Subjects of a data set who have the same R are one there: the axis of the distinct R has as many
places as the data set with the most of them takes, and those that others do not need count for no
subject.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.experiments.planned.projected_rows import ProjectedRows
from twolevel.model.effects.effect_criterion import variance_sums
from twolevel.model.effects.effect_sums import Three, pairs
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.numeric.small_matrices import inverse, product, sweep, trace
from twolevel.text.methods import Method

# A pivot, relative to a column's squares, below which it is a combination of others.
_RANK = 1e-9
# Differences of R, relative to the largest, that are rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class OwnRows:
    """B data sets: R (Q, Q, G, B), which counts (G, B) subjects have; one (Q, G, B) is Q' 1.

    outer (B, P G, p p + p + 1) are the sums of the products z^_a z^_b' at the P pairs a <= b, by
    xx, xy and yy, both orders added up; rest (q, q, B) is W and nobs (B,) counts rows.
    """

    R: np.ndarray
    counts: np.ndarray
    one: np.ndarray
    outer: np.ndarray
    rest: np.ndarray
    nobs: np.ndarray

    @classmethod
    def of(cls, study: PlannedStudy, rows: ProjectedRows) -> OwnRows:
        """Add up what subjects with the same R have."""
        B, n = rows.R.shape[:2]
        place = _alike(rows.R.reshape(B, n, -1))
        each = np.equal(place[:, None], np.arange(place.max() + 1)[:, None])  # (B, G, n)
        first = each.argmax(axis=2)[..., None]
        R = np.take_along_axis(rows.R, first[..., None], axis=1)
        k = study.constant
        one = np.take_along_axis(rows.z[..., k], first, axis=1) / study.X[0, k]
        outer = np.matmul(each[:, None].astype(float), _products(rows.z))  # (B, P, G, ...)
        return cls(
            _last(R),
            np.ascontiguousarray(each.sum(axis=2).T),
            _last(one),
            outer.reshape(B, -1, outer.shape[-1]),
            rows.rest,
            rows.nobs,
        )

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
            counts=self.counts[:, which],
            one=self.one[..., which],
            outer=self.outer[which],
            rest=self.rest[..., which],
            nobs=self.nobs[which],
        )

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., B) over the subjects of what those with the same R have in common."""
        return np.einsum("gb,...gb->...b", self.counts, values)

    def contracted(self, weights: np.ndarray) -> Three:
        """Sums of outer products by weights (k, P, G, B), each data set's own."""
        k, P, G, B = weights.shape
        p = self.n_coefficients
        flat = np.moveaxis(weights.reshape(k, P * G, B), -1, 0)
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
        return (self.counts * (np.abs(self.R).max(axis=(0, 1)) > 0)).sum(axis=0)

    @property
    def _ones(self) -> np.ndarray:
        r, _, G, B = self.R.shape
        same = np.equal(*pairs(r)).astype(float)
        return np.broadcast_to(same[None, :, None, None], (1, len(same), G, B))


def _independent(gram: np.ndarray) -> np.ndarray:
    """In which data sets (B,) no column is a combination of those before, from gram (p, p, B)."""
    scale = np.sqrt(np.maximum(np.einsum("iib->ib", gram), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    pivots = sweep(gram / (scale[:, None] * scale), len(gram), _RANK)[1]
    return np.asarray((pivots > 0).all(axis=0))


def _alike(R: np.ndarray) -> np.ndarray:
    """Which of each data set's distinct R each of its subjects has (B, n), from R (B, n, Q Q)."""
    # Along one direction, with irrational weights, different matrices fall on different points.
    along = R @ np.sqrt(np.arange(2.0, 2 + R.shape[2]) + np.pi)
    order = np.argsort(along, axis=1, kind="stable")
    steps = np.diff(np.take_along_axis(along, order, axis=1), axis=1, prepend=-np.inf)
    rank = np.cumsum(steps > _ROUNDING * np.abs(along).max(), axis=1) - 1
    place = np.empty_like(rank)
    np.put_along_axis(place, order, rank, axis=1)
    return place


def _products(z: np.ndarray) -> np.ndarray:
    """The products (B, P, n, p p + p + 1) of z^ (B, n, r, q), by xx, xy and yy."""
    B, n, r, q = z.shape
    rows, columns = pairs(r)
    one, other = (np.moveaxis(z[:, :, at], 2, 1) for at in (rows, columns))  # (B, P, n, q)
    both = one[..., :, None] * other[..., None, :]
    off = (rows != columns)[:, None, None, None]
    both += off * np.swapaxes(both, -1, -2)
    p = q - 1
    xx = both[..., :p, :p].reshape(B, len(rows), n, p * p)
    return np.concatenate([xx, both[..., :p, p], both[..., p, p, None]], axis=3)


def _last(parts: np.ndarray) -> np.ndarray:
    """Arrays (B, G, ...) as (..., G, B)."""
    return np.ascontiguousarray(np.moveaxis(parts, (0, 1), (-1, -2)))
