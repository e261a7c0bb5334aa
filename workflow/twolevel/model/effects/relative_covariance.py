"""The relative covariance Psi of a random part in two sets of coordinates: theta and psi.

psi (S,) are the variances and covariances themselves, in units of sigma_w^2, of which V is a linear
function; theta (S,), the entries of the triangles Lambda, can take any values, and psi is a
quadratic form in them: psi_s = theta' D_s theta / 2. Changing the sign of a column of Lambda
changes no Psi, so that a boundary is where Lambda has a zero, and no edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.random.random_columns import RandomColumns, TermColumns

# The share of a variance below which what other effects leave of it is 0.
_SINGULAR = 1e-7


@dataclass(frozen=True, eq=False)
class RelativeCovariance:
    """How a subject's Q random columns share S variances and covariances.

    places has, for each term, the columns (m, q) of its m levels within a subject: all levels of a
    term have the same covariance matrix.
    """

    terms: tuple[TermColumns, ...]
    places: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, random: RandomColumns) -> RelativeCovariance:
        """The layout of the columns that `model.subject_sums` makes."""
        return cls(random.terms, random.places)

    @property
    def size(self) -> int:
        """S."""
        return sum(k.stop - k.start for k in self.parts)

    @cached_property
    def parts(self) -> list[slice]:
        """The positions of each term's own coordinates."""
        lengths = [q * (q + 1) // 2 for q in (place.shape[1] for place in self.places)]
        ends = np.cumsum(lengths).tolist()
        return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]

    @property
    def n_columns(self) -> int:
        """Q."""
        return sum(place.size for place in self.places)

    @cached_property
    def back(self) -> np.ndarray:
        """What turns a subject's effects of the working columns into the formula's (Q, Q)."""
        B = np.zeros((self.n_columns,) * 2)
        for each, place in zip(self.terms, self.places, strict=True):
            for own in place:
                B[np.ix_(own, own)] = each.back
        return B

    def Psi(self, theta: np.ndarray) -> np.ndarray:
        """The covariance (Q, Q) of all of a subject's effects, from theta (S,)."""
        whole = np.zeros((self.n_columns,) * 2)
        for factor, place in zip(self.factors(theta), self.places, strict=True):
            for own in place:
                whole[np.ix_(own, own)] = factor @ factor.T
        return whole

    @cached_property
    def forms(self) -> np.ndarray:
        """D (S, S, S)."""
        D = np.zeros((self.size,) * 3)
        for part, place in zip(self.parts, self.places, strict=True):
            columns, rows = np.triu_indices(place.shape[1])
            pairs = zip(rows.tolist(), columns.tolist(), strict=True)
            at = {pair: part.start + k for k, pair in enumerate(pairs)}
            for (i, j), s in at.items():  # Psi_ij = sum over c <= j of Lambda_ic Lambda_jc
                for c in range(j + 1):
                    D[s, at[i, c], at[j, c]] += 1.0
                    D[s, at[j, c], at[i, c]] += 1.0
        return D

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Which coordinates (S,) are variances, or on the diagonal of a Lambda."""
        on = [np.equal(*np.triu_indices(place.shape[1])) for place in self.places]
        return np.concatenate(on)

    def directions(self, R: np.ndarray) -> np.ndarray:
        """C_s = R E_s R' (S, r, r, ...), by which M = I + sum_s psi_s C_s, from R (r, Q, ...)."""
        C = np.empty((self.size, len(R), len(R), *R.shape[2:]))
        for part, place in zip(self.parts, self.places, strict=True):
            columns, rows = np.triu_indices(place.shape[1])
            for s, i, j in zip(range(part.start, part.stop), rows, columns, strict=True):
                one = np.einsum("al...,bl...->ab...", R[:, place[:, i]], R[:, place[:, j]])
                C[s] = one if i == j else one + np.swapaxes(one, 0, 1)
        return C

    def axes(self, theta: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """The principal axes (q, q) of each term's Psi, and theta (S,) where they are its columns.

        There Lambda is diagonal, and what is small beside the largest variance is not rounded away.
        """
        parts = [np.linalg.svd(factor)[:2] for factor in self.factors(theta)]
        return [U for U, _ in parts], self.entries([np.diag(sizes) for _, sizes in parts])

    def turned(self, R: np.ndarray, axes: list[np.ndarray]) -> np.ndarray:
        """R (r, Q, ...) where the axes of each term are its columns."""
        turned = R.copy()
        for U, place in zip(axes, self.places, strict=True):
            for own in place:
                turned[:, own] = np.einsum("rq...,qk->rk...", R[:, own], U)
        return turned

    def turned_back(self, theta: np.ndarray, axes: list[np.ndarray]) -> np.ndarray:
        """theta (S,) of the columns, from that of the axes."""
        roots = zip(axes, self.factors(theta), strict=True)
        return self.entries([triangle(U @ factor) for U, factor in roots])

    def psi(self, theta: np.ndarray) -> np.ndarray:
        """psi (S, ...) at theta (S, ...)."""
        return 0.5 * np.einsum("skl,k...,l...->s...", self.forms, theta, theta)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """d psi / d theta (S, S, ...)."""
        return np.einsum("skl,l...->sk...", self.forms, theta)

    def matrices(self, psi: np.ndarray) -> Iterator[np.ndarray]:
        """Each term's Psi (q, q, ...) from psi (S, ...)."""
        for part, place in zip(self.parts, self.places, strict=True):
            q = place.shape[1]
            columns, rows = np.triu_indices(q)
            matrix = np.empty((q, q, *psi.shape[1:]))
            matrix[rows, columns] = matrix[columns, rows] = psi[part]
            yield matrix

    def factors(self, theta: np.ndarray) -> Iterator[np.ndarray]:
        """Each term's Lambda (q, q, ...) from theta (S, ...)."""
        for part, place in zip(self.parts, self.places, strict=True):
            q = place.shape[1]
            columns, rows = np.triu_indices(q)
            factor = np.zeros((q, q, *theta.shape[1:]))
            factor[rows, columns] = theta[part]
            yield factor

    def entries(self, factors: list[np.ndarray]) -> np.ndarray:
        """theta (S, ...) from each term's Lambda (q, q, ...)."""
        parts = [factor[np.triu_indices(len(factor))[::-1]] for factor in factors]
        return np.concatenate(parts)

    def canonical(self, theta: np.ndarray, C: np.ndarray) -> np.ndarray:
        """The same Psi (S, ...) by triangles with diagonals >= 0, exactly 0 where it is singular.

        An effect is also 0 where it is next to nothing beside the residuals, by the directions C.
        """
        sizes = np.einsum("siig...->sg...", C[self.diagonal]).max(axis=1)
        least = 1 / np.sqrt(sizes).reshape(*sizes.shape, *[1] * (theta.ndim - sizes.ndim))
        triangles, at = [], 0
        for factor in self.factors(theta):
            triangles.append(triangle(factor, least[at : at + len(factor)]))
            at += len(factor)
        return self.entries(triangles)

    def in_formula(self, theta: np.ndarray) -> np.ndarray:
        """theta (S, ...) of the formula's effects, from that of the working columns."""
        return self.entries([triangle(root) for root in self.formula_factors(theta)])

    def formula_factors(self, theta: np.ndarray) -> Iterator[np.ndarray]:
        """Roots (q, q, ...) of each term's covariance, for the effects that the formula has."""
        for each, factor in zip(self.terms, self.factors(theta), strict=True):
            yield np.einsum("ij,jk...->ik...", each.back, factor)

    def start(self) -> np.ndarray:
        """theta (S,) where every Psi is the identity, at which lme4 starts."""
        return self.diagonal.astype(float)


def triangle(root: np.ndarray, least: np.ndarray | float = 0.0) -> np.ndarray:
    """Lower triangular L (q, q, ...) with L L' = root root', root (q, m, ...), its diagonal >= 0.

    What is left of an effect beside those before it counts as 0 where it is next to nothing beside
    the effect, or beside `least` (q, ...).
    """
    rest = np.array(root)
    size = np.maximum(_length(rest), least)
    L = np.zeros((len(rest), *rest.shape[:1], *rest.shape[2:]))
    for k in range(len(rest)):
        left = _length(rest[k : k + 1])[0]
        counted = left > _SINGULAR * size[k]
        along = rest[k] * np.divide(1.0, left, out=np.zeros_like(left), where=counted)
        L[k:, k] = np.einsum("im...,m...->i...", rest[k:], along)
        rest[k:] -= L[k:, k][:, None] * along
    return L


def _length(rows: np.ndarray) -> np.ndarray:
    """The lengths (k, ...) of rows (k, m, ...)."""
    return np.sqrt((rows * rows).sum(axis=1))
