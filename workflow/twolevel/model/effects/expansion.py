"""The sums over subjects as a power series in the variances, near values of them.

Where all subjects have an R of their own, sums at new variances go through all of them. Data sets
that are nearly alike have their maxima near each other, where a series is as good. With N = M^-1
at the values psi, and M + sum_s d_s C_s a step d away,

    N(d) = sum_a T_a d^a,    T_0 = N,    T_a = -sum_(s: a_s > 0) T_(a - e_s) C_s N,

over multi-indices a, and log|M(d)| = log|M| + sum_a d^a / |a| sum_(s: a_s > 0) tr(T_(a - e_s) C_s),
as d(log|M|) = tr(M^-1 dM). Both are summed over subjects once, and cost nothing of their number
thereafter.

The series converges as a geometric one with the ratio rho, the largest of the absolute eigenvalues
of N^1/2 (sum_s d_s C_s) N^1/2 over all subjects. It is no larger than that of (Psi + I / c)^-1 D, D
the change of Psi, as M = I + R Psi R' is no smaller than R (Psi + I / c) R', where c is no smaller
than the largest eigenvalue of R R'; with several terms, c is their number times that, and the
largest rho of a term counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product as every_combination

import numpy as np

from twolevel.model.effects.effect_criterion import Contracted, inverse_and_log_det, packed
from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.numeric.small_matrices import product

# Terms of the series at most, and the degree up to which it then goes.
_MOST_TERMS, _HIGHEST = 500, 14
# Distinct R whose terms are held in memory at a time.
_BLOCK = 2_000
# Data sets at a time, whose powers stay near the processor.
_TOGETHER = 200
# The share of a derivative by Psi that may be left out.
_LEFT_OUT = 1e-14


@dataclass(frozen=True, eq=False)
class Expansion:
    """The series at psi (S,): its exponents (m, S), and the sums over subjects of each term.

    coefficients (k, m, 1 + p p + p + 1) are those of logs, xx, xy and yy as of `Contracted`, and of
    its derivatives, which are series in the same powers. roots are those of each term's
    (Psi + I / c)^-1, and nearest is the ratio rho up to which the series is exact.
    """

    psi: np.ndarray
    exponents: np.ndarray
    coefficients: np.ndarray
    layout: RelativeCovariance
    roots: list[np.ndarray]
    nearest: float

    @classmethod
    def at(
        cls, sums: EffectSums, C: np.ndarray, layout: RelativeCovariance, psi: np.ndarray
    ) -> Expansion:
        """Expand the sums of one data set, in the directions C, at psi (S,)."""
        degree = _degree(layout.size)
        exponents = [a for k in range(degree + 1) for a in _of_order(layout.size, k)]
        terms = np.zeros((len(exponents), 2 + (1 + sums.n_coefficients) * sums.n_coefficients))
        for start in range(0, len(sums.counts), _BLOCK):
            some = slice(start, start + _BLOCK)
            terms += _terms(sums.of_matrices(some), C[..., some], psi, degree)
        sizes = np.einsum("siig->sg", C[layout.diagonal]).max(axis=1)
        roots, at = [], 0
        for Psi in layout.matrices(psi):
            own = sizes[at : at + len(Psi)].sum() * len(layout.places)
            at += len(Psi)
            L = np.linalg.cholesky(Psi + np.eye(len(Psi)) / own)
            roots.append(np.linalg.inv(L))
        return cls(
            psi,
            np.array(exponents),
            _with_derivatives(exponents, terms),
            layout,
            roots,
            nearest=_LEFT_OUT ** (1 / degree),
        )

    def reaches(self, psi: np.ndarray) -> np.ndarray:
        """At which of psi (S, B) the series is exact (B,)."""
        changes = self.layout.matrices(psi - self.psi[:, None])
        ratios = [
            np.abs(np.linalg.eigvalsh(np.einsum("ij,jkb,lk->bil", root, D, root))).max(axis=1)
            for root, D in zip(self.roots, changes, strict=True)
        ]
        return np.max(ratios, axis=0) <= self.nearest

    def contracted(self, psi: np.ndarray, derivatives: bool) -> Contracted:
        """The sums at psi (S, B)."""
        coefficients = self.coefficients if derivatives else self.coefficients[:1]
        k, m, width = coefficients.shape
        flat = np.moveaxis(coefficients, 1, 0).reshape(m, -1).T
        found = np.empty((len(flat), psi.shape[1]))
        for start in range(0, psi.shape[1], _TOGETHER):
            some = slice(start, start + _TOGETHER)
            found[:, some] = flat @ self._monomials(psi[:, some])
        sums, p = found.reshape(k, width, -1), math.isqrt(width - 2)  # p^2 + p < (p + 1)^2
        xx, xy = sums[:, 1 : 1 + p * p], sums[:, 1 + p * p : -1]
        return Contracted(sums[:, 0], xx.reshape(k, p, p, -1), xy, sums[:, -1])

    def _monomials(self, psi: np.ndarray) -> np.ndarray:
        """d^a (m, B) for all exponents a, at psi (S, B)."""
        step = psi - self.psi[:, None]
        powers = np.stack([step**k for k in range(self.exponents.max() + 1)])
        result = powers[self.exponents[:, 0], 0]
        for s in range(1, len(psi)):
            result *= powers[self.exponents[:, s], s]
        return result


def _terms(sums: EffectSums, C: np.ndarray, psi: np.ndarray, degree: int) -> np.ndarray:
    """The coefficients (m, 1 + p p + p + 1) of the sums over subjects, order by order."""
    S = len(C)
    N, log_det = inverse_and_log_det(C, psi[:, None])
    steps = [product(c[..., None], N) for c in C]  # C_s N
    before = {(0,) * S: N}
    rows = [(sums.over_subjects(log_det), sums.contracted(packed(N)[None]))]
    for order in range(1, degree + 1):
        now: dict[tuple[int, ...], np.ndarray] = {}
        for a in _of_order(S, order):
            lower = [(s, before[(*a[:s], a[s] - 1, *a[s + 1 :])]) for s in range(S) if a[s]]
            now[a] = -np.sum([product(T, steps[s]) for s, T in lower], axis=0)
            traces = [np.einsum("ijgb,jig->gb", T, C[s]) for s, T in lower]
            log = sums.over_subjects(np.sum(traces, axis=0)) / order
            rows.append((log, sums.contracted(packed(now[a])[None])))
        before = now
    return np.array([np.concatenate([log, *(x.ravel() for x in three)]) for log, three in rows])


def _with_derivatives(exponents: list[tuple[int, ...]], coefficients: np.ndarray) -> np.ndarray:
    """The coefficients (k, m, ...) of a series with those of its derivatives, from (m, ...).

    The derivative by d_s has at d^a the coefficient of d^(a + e_s), times a_s + 1.
    """
    at = {a: k for k, a in enumerate(exponents)}

    def derived(series: np.ndarray, s: int) -> np.ndarray:
        result = np.zeros_like(series)
        for a, k in at.items():
            above = at.get((*a[:s], a[s] + 1, *a[s + 1 :]))
            if above is not None:
                result[k] = (a[s] + 1) * series[above]
        return result

    S = len(exponents[0])
    first = [derived(coefficients, s) for s in range(S)]
    second = [derived(first[s], t) for s, t in zip(*pairs(S), strict=True)]
    return np.stack([coefficients, *first, *second])


def _degree(S: int) -> int:
    """Up to which degree a series in S variances goes."""
    return max(k for k in range(1, _HIGHEST + 1) if k == 1 or math.comb(k + S, S) <= _MOST_TERMS)


def _of_order(S: int, order: int) -> list[tuple[int, ...]]:
    """The multi-indices of S numbers whose sum is `order`."""
    first = every_combination(range(order + 1), repeat=S - 1)
    return [(*a, order - sum(a)) for a in first if sum(a) <= order]
