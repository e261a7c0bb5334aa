"""One pass over the rows: the sums that the likelihood of any random part is a function of.

Subject i's rows have the random columns Z_i = Q_i R_i, of any rank, and z = [x | y]. With z^_i =
Q_i' z_i (r, q) and W the pooled cross-products of what is left of z outside the span of Z_i,

    sum_i z_i' M_i^-1 z_i = W + sum_i z^_i' (I + R_i Psi R_i')^-1 z^_i.

Subjects with the same R share the inverse, so that sums of outer products of z^_i over them are
all that is kept. W comes from residuals, never as a difference of sums, which would lose the digits
of what is small next to an offset.

Where a subject's rows lie in several parts of a table, each part has its own R and z^. They stand
for the part's rows: those of two parts, one below the other, are projected like rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, Self

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.identifiability import residual_sum
from twolevel.design.moments import independent_columns
from twolevel.design.reduction import parts_of
from twolevel.random.random_columns import RandomColumns
from twolevel.text.methods import Method

# The share of a column's norm that must be left of it beside the columns before, for it to count.
_RANK = 1e-10
# Relative size of what rounding leaves of a column in the span of every subject's Z.
_ROUNDING = 1e-13
# The share of what Z leaves of the response that is rounding, where X explains it.
_NOTHING = 1e-13
# Numbers in a block of rows: a few megabytes, which stay near the processor.
_BLOCK = 400_000
# Subjects with the same R on average, from which one matrix product for each R pays.
_MANY = 8


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


@dataclass(frozen=True, eq=False)
class SubjectSums:
    """The parts of n subjects: z^ (n, r, q), and which of the distinct R (r, Q, G) each has (n,).

    used (Q,) are the columns that count in some subject beside those before them: r of them.
    column_sums (n, Q) are Z_i' 1. within (q, q) is W, and total (q, q) the cross-products of z over
    all rows.
    """

    projected: np.ndarray
    group: np.ndarray
    used: np.ndarray
    R: np.ndarray
    column_sums: np.ndarray
    within: np.ndarray
    total: np.ndarray
    nobs: int

    @property
    def ranks(self) -> tuple[int, int]:
        """Those of Z and of [X Z], over all rows."""
        of_Z = int(self.R.any(axis=1).sum(axis=0)[self.group].sum())
        return of_Z, of_Z + len(self._beside_Z)

    @property
    def explained(self) -> bool:
        """Whether [X Z] explain the response to its last digits, or any response."""
        if self.ranks[1] == self.nobs:
            return True
        left = residual_sum(self.within, self._beside_Z)[0]
        return bool(left <= _NOTHING * self.within[-1, -1])

    @property
    def _beside_Z(self) -> np.ndarray:
        """The columns of X that are no combination of Z and of those before them."""
        return independent_columns(self.within[:-1, :-1], np.diag(self.total)[:-1])

    def pooled(self) -> EffectSums:
        """The sums over subjects with the same R, of the one data set that there is."""
        r, G, q = self.projected.shape[1], self.R.shape[2], self.projected.shape[2]
        counts = np.bincount(self.group, minlength=G)
        outer = _outer_sums(self.projected, self.group, counts).reshape(-1, G, q, q)
        assert len(outer) == r * (r + 1) // 2
        p = q - 1
        return EffectSums(
            self.R,
            counts,
            self.nobs,
            within_xx=self.within[:p, :p],
            within_xy=self.within[:p, p:],
            within_yy=self.within[p, p:],
            outer_xx=np.ascontiguousarray(outer[..., :p, :p]),
            outer_xy=np.ascontiguousarray(outer[..., :p, p:]),
            outer_yy=np.ascontiguousarray(outer[..., p, p:]),
        )


@cache
def pairs(r: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (P,) of the pairs a <= b, in the order of all sums."""
    return np.triu_indices(r)


def subject_sums(design: DesignMatrix, random: RandomColumns) -> SubjectSums:
    """Project every subject's rows on its random columns; of a table in shards, all rows."""
    n, Q, q = len(design.all_subjects), random.width, len(design.names) + 1
    R, projected, column_sums = np.zeros((n, Q, Q)), np.zeros((n, Q, q)), np.zeros((n, Q))
    within, total = np.zeros((q, q)), np.zeros((q, q))
    for at, counts, Z, z in _all_blocks(design, random):
        total += z @ z.T
        column_sums[at] += np.add.reduceat(Z, np.cumsum(counts) - counts, axis=1).T
        own = project(Z, z, counts)
        within += z @ z.T
        if design.whole is not None and R[at].any():  # of a part before
            own, left = _joined((R[at], projected[at]), own)
            within += left @ left.T
        R[at], projected[at] = own
    N = design.nobs
    within = without_rounding(within, total, N)
    used = np.asarray(R.any(axis=(0, 2)))
    R, projected = R[:, used], projected[:, used]
    group, first = _alike(R)
    R = np.moveaxis(R[first], 0, -1)
    return SubjectSums(projected, group, used, R, column_sums, within, total, N)


def without_rounding(within: np.ndarray, total: np.ndarray, N: int) -> np.ndarray:
    """W (q, q) of N rows with 0 for columns of which rounding alone is left, of `total` (q, q)."""
    kept = np.diag(within) > _ROUNDING**2 * N * np.diag(total)
    return np.where(kept & kept[:, None], within, 0.0)


def _all_blocks(
    design: DesignMatrix, random: RandomColumns
) -> Iterator[tuple[slice | np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """As `row_blocks`, of all parts of a table in shards: which, of all subjects."""
    if design.whole is None:
        yield from row_blocks(design, random)
        return
    for table, part in parts_of(design):
        own = random.at(table, part.positions[part.codes])
        for some, counts, Z, z in row_blocks(part, own):
            yield part.positions[some], counts, Z, z


def _joined(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """R and z^ of b subjects from those of two parts of their rows, and what is left (q, rows)."""
    Z, z = (np.concatenate(both, axis=1) for both in zip(one, other, strict=True))
    b, rows, _ = Z.shape
    Z, z = (np.moveaxis(each, -1, 0).reshape(-1, b * rows) for each in (Z, z))
    return project(Z, z, np.full(b, rows)), z


def row_blocks(
    design: DesignMatrix, random: RandomColumns
) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
    """The rows of neighbouring subjects (b,): which, their counts, Z (Q, rows) and z (q, rows)."""
    cells, y, _ = design.working_columns()
    codes, order = design.codes, None
    if np.any(codes[1:] < codes[:-1]):
        order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=len(design.subjects))
    q = cells.X.shape[1] + 1
    for some, start, end in _blocks(counts, random.width + q):
        rows = slice(start, end) if order is None else order[start:end]
        z = np.empty((q, end - start))
        z[:-1], z[-1] = cells.at(rows).T, y[rows]
        yield some, counts[some], random.expanded(rows), z


def _blocks(counts: np.ndarray, width: int) -> Iterator[tuple[slice, int, int]]:
    """Neighbouring subjects, and where their rows start and end."""
    end = np.cumsum(counts)
    first, most = 0, max(1, _BLOCK // width)
    while first < len(counts):
        start = end[first] - counts[first]
        last = max(first + 1, int(np.searchsorted(end, start + most, side="right")))
        yield slice(first, last), int(start), int(end[last - 1])
        first = last


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


def _alike(R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the distinct R each of n subjects has (n,), and the first subject with each (G,).

    Those that differ by rounding alone, as by the order of rows, are one.
    """
    n = len(R)
    flat = R.reshape(n, -1)
    if n == 1 or np.ptp(flat, axis=0).max() <= 1e-13 * np.abs(flat[0]).max():
        return np.zeros(n, dtype=int), np.zeros(1, dtype=int)
    # Along one direction, with irrational weights, different matrices fall on different points.
    along = flat @ np.sqrt(np.arange(2.0, 2 + flat.shape[1]) + np.pi)
    order = np.argsort(along, kind="stable")
    jumps = np.diff(along[order]) > 1e-13 * np.abs(along).max()
    group = np.empty(n, dtype=int)
    group[order] = np.concatenate([[0], np.cumsum(jumps)])
    first = np.full(group.max() + 1, n)
    np.minimum.at(first, group, np.arange(n))
    if np.abs(flat - flat[first][group]).max() > 1e-11 * np.abs(flat).max():
        _, first, group = np.unique(flat, axis=0, return_index=True, return_inverse=True)
        group = group.ravel()
    return group, first


def _outer_sums(projected: np.ndarray, group: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sums (P, G, q * q) of z^_a z^_b' over the subjects of each group, from z^ (n, r, q)."""
    n, r, q = projected.shape
    G, rows, columns = len(counts), *pairs(r)
    off = (rows != columns)[:, None, None]
    order = np.argsort(group, kind="stable") if G > 1 else slice(None)
    ordered = projected[order]
    ends = np.cumsum(counts)
    if n >= G * _MANY:
        sums = np.empty((len(rows), G, q, q))
        for g, end in enumerate(ends):
            own = ordered[end - counts[g] : end].reshape(counts[g], r * q)
            gram = (own.T @ own).reshape(r, q, r, q)
            both = gram[rows, :, columns]  # (P, q, q)
            sums[:, g] = both + off * np.swapaxes(both, 1, 2)
        return sums
    sums = np.empty((len(rows), G, q, q))
    starts = ends - counts
    for k, (a, b) in enumerate(zip(rows, columns, strict=True)):
        both = ordered[:, a, :, None] * ordered[:, b, None, :]
        if a != b:
            both = both + np.swapaxes(both, 1, 2)
        sums[k] = both if n == G else np.add.reduceat(both, starts)
    return sums
