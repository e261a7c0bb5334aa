"""One pass over the rows: what the likelihood of any random part needs of each subject.

W comes from residuals, never as a difference of sums, which would lose the digits of what is small
next to an offset.

Where a subject's rows lie in several parts of a table, each part has its own R and z^. They stand
for the part's rows: those of two parts, one below the other, are projected like rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.identifiability import residual_sum
from twolevel.design.moments import independent_columns
from twolevel.design.reduction import parts_of
from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.numeric.projection import project
from twolevel.random.random_columns import RandomColumns

# Relative size of what rounding leaves of a column in the span of every subject's Z.
_ROUNDING = 1e-13
# The share of what Z leaves of the response that is rounding, where X explains it.
_NOTHING = 1e-13
# Numbers in a block of rows: a few megabytes, which stay near the processor.
_BLOCK = 400_000
# Subjects with the same R on average, from which one matrix product for each R pays.
_MANY = 8


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

    @cached_property
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

    @cached_property
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
