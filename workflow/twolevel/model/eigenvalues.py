"""The restricted likelihood of one variance in spectral form, for data sets of one design.

With the variance lambda sigma_w^2 of the one effect there is, whose columns are Z,

    d(lambda) = f log(R / f) + sum_k df_k log(1 + mu_k lambda) + constant,
    R(lambda) = sum_k s_k / (1 + mu_k lambda),    s_k / (1 + mu_k lambda) ~ sigma_w^2 chi^2(df_k)

with mu_k the distinct eigenvalues of Z' P Z, P = I - X (X'X)^-1 X', 0 among them, and df_k their
multiplicities, f = sum_k df_k = N - p (Crainiceanu & Ruppert 2004, sec. 3).

Rows are reduced to *pseudo-rows* first. Where Z Z' is diagonal in some rotation of the rows, all of
them for which it is n are as good as a root of the cross-products of their x, at most p rows, and
a sum of squares that X cannot touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twolevel.model.search import GRID, minimise
from twolevel.text.methods import Method

# An eigenvalue, relative to the largest possible, below which it is 0; and the relative distance
# below which two are the same.
_RANK = 1e-11
_SAME = 1e-9

# Of rows with one n: n, the cross-products (p, p) of their x, and how many there are.
OfSize = tuple[float, np.ndarray, int]


@dataclass(frozen=True, eq=False)
class PseudoRows:
    """X (D, p), and sizes (D,), their n; left_sizes and left_df (l,) of what X cannot touch."""

    X: np.ndarray
    sizes: np.ndarray
    left_sizes: np.ndarray
    left_df: np.ndarray


@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """What the restricted likelihood of one variance depends on: mu (K,), multiplicities df (K,).

    Data sets enter by sums of squares s (B, K).
    """

    mu: np.ndarray
    df: np.ndarray

    def rss(self, s: np.ndarray, lambda_: np.ndarray, power: int = 1) -> np.ndarray:
        """sum_k mu_k^(power - 1) s_k / (1 + mu_k lambda)^power, for s (B, K) and lambda (B,)."""
        weight = self.mu ** (power - 1) / (1 + self.mu * lambda_[:, None]) ** power
        return np.einsum("bk,bk->b", s, weight)

    def degrees_of_freedom(self, method: Method) -> int:
        """f, by REML all multiplicities together."""
        return int(self.df.sum())

    def log_det(self, lambda_: np.ndarray, method: Method) -> tuple[np.ndarray, ...]:
        """The determinants' part of the deviance, less log|X'X|, and its two derivatives (B,)."""
        share = self.mu / (1 + self.mu * lambda_[:, None])
        return (
            np.log1p(self.mu * lambda_[:, None]) @ self.df,
            share @ self.df,
            -(share**2) @ self.df,
        )

    def deviance(self, s: np.ndarray, lambda_: np.ndarray, method: Method) -> np.ndarray:
        """The deviance (B,) of data with sums of squares s (B, K) at lambda (B,), less log|X'X|."""
        f = self.degrees_of_freedom(method)
        constant = f * np.log(2 * np.pi / f) + f
        return constant + f * np.log(self.rss(s, lambda_)) + self.log_det(lambda_, method)[0]

    def estimate(self, s: np.ndarray, method: Method) -> np.ndarray:
        """The maximising lambda (B,) of B data sets with sums of squares s (B, K)."""
        f = self.degrees_of_freedom(method)

        def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
            r, r1, r2 = (self.rss(s[which], lambda_, power) for power in (1, 2, 3))
            value, slope, curvature = self.log_det(lambda_, method)
            return (
                f * np.log(r) + value,
                -f * r1 / r + slope,
                f * (2 * r2 / r - (r1 / r) ** 2) + curvature,
            )

        weight = 1 / (1 + self.mu[:, None] * GRID)  # (K, grid)
        on_grid = f * np.log(s @ weight).T + self.log_det(GRID, method)[0][:, None]
        return minimise(criterion, on_grid)

    def falls_by_chance(self, size: int, generator: np.random.Generator) -> np.ndarray:
        """By how much (size,) restricted deviances fall from lambda = 0 where that is true."""
        s = generator.chisquare(self.df, (size, len(self.df)))
        lambda_ = self.estimate(s, "REML")
        at_zero = self.deviance(s, np.zeros(size), "REML")
        return at_zero - self.deviance(s, lambda_, "REML")


def eigenvalues(parts: Sequence[OfSize], scale: np.ndarray) -> Eigenvalues:
    """Those of a design whose rows are given by size, once each; scale (p,) is that of x."""
    rows = pseudo_rows(parts, scale)
    _, found = rotated(rows, scale)
    mu, df, _ = distinct(
        np.concatenate([found, rows.left_sizes]),
        np.concatenate([np.ones(len(found)), rows.left_df]),
    )
    return Eigenvalues(mu, df)


def pseudo_rows(parts: Sequence[OfSize], scale: np.ndarray) -> PseudoRows:
    """As many rows for each size as their cross-products have dimensions."""
    rows, sizes, left = [], [], []
    for n, cross, available in parts:
        values, vectors = np.linalg.eigh(cross / np.outer(scale, scale))
        kept = np.flatnonzero(values > _RANK)[-available:] if available else np.array([], dtype=int)
        rows.append(np.sqrt(values[kept])[:, None] * vectors[:, kept].T * scale)
        sizes += [n] * len(kept)
        left.append(available - len(kept))
    left_df, every = np.array(left), np.array([n for n, *_ in parts])
    return PseudoRows(
        np.concatenate(rows), np.array(sizes), every[left_df > 0], left_df[left_df > 0]
    )


def rotated(rows: PseudoRows, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A basis (D, D - p) of what is outside the span of X, in which sizes are eigenvalues.

    These (D - p,) come with it.
    """
    complement = np.linalg.qr(rows.X / scale, mode="complete")[0][:, len(scale) :]
    mu, rotation = np.linalg.eigh(complement.T @ (rows.sizes[:, None] * complement))
    largest = max(rows.sizes.max(), rows.left_sizes.max(initial=0.0))
    return complement @ rotation, np.where(mu > _RANK * largest, mu, 0.0)


def distinct(mu: np.ndarray, df: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct of some eigenvalues (k,), their multiplicities, and which each one is (k,)."""
    order = np.argsort(mu, kind="stable")
    new = np.diff(mu[order], prepend=-1.0) > _SAME * mu.max()
    group = np.empty(len(mu), dtype=int)
    group[order] = np.cumsum(new) - 1
    return mu[order][new], np.bincount(group, df), group
