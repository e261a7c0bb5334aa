"""The ML deviance of a model with any random effects, with one parameter held at a value.

All other parameters are at their best. With Lambda* = sigma_w Lambda for the effects as the formula
has them, R and l = sum_i log|M_i| of `effect_criterion`, the deviance is

    N log(2 pi sigma_w^2) + l(Psi) + R(Psi) / sigma_w^2,    Psi = Lambda* Lambda*' / sigma_w^2,

a smooth function of the entries of Lambda* and of log(sigma_w), on which nothing is imposed. With
an effect moved to the first place of its term, its standard deviation s is the entry Lambda*_11; a
correlation rho of the first two effects has Lambda*_21 = rho t and Lambda*_22 = sqrt(1 - rho^2) t.
To hold one is to make those entries a linear function of all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from twolevel.model.effects.effect_criterion import EffectSolution, blocks_of, evaluate
from twolevel.model.effects.effect_sums import EffectSums
from twolevel.model.effects.effect_variances import (
    WITHIN,
    effect_parameters,
    variances_of_effects,
)
from twolevel.model.effects.newton import minimise
from twolevel.model.effects.relative_covariance import RelativeCovariance, triangle
from twolevel.model.held_parameters import HeldParameter
from twolevel.numeric.small_matrices import sandwich

# How far from 0 the diagonals of Lambda* begin, at least, in units of what a subject's own estimate
# of the effect errs by: at 0 itself the deviance is stationary.
_AWAY = 0.3
_LARGEST = 1e9

# A row c (p,), and values b (B,) of c beta.
Fixed = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class HeldEffects:
    """All parameters that can be held: see `likelihood.HeldParameters`; best is the ML fit."""

    sums: EffectSums
    C: np.ndarray
    layout: RelativeCovariance
    best: EffectSolution

    @property
    def variances(self) -> dict[str, HeldParameter]:
        """Standard deviations, sigma_within, and correlations, in the order of `Variances`."""
        found = variances_of_effects(self.layout, self.best.own, np.array(self._sigma_within))
        parameters = {each.name: each for each in effect_parameters(self.layout)}
        n, held = self.sums.counts.sum(), {}
        for name, value in found.deviations.items():
            estimate = float(value)
            if name == WITHIN:
                step, low = estimate * np.sqrt(2 / self.sums.nobs), 1e-3 * estimate
                held[name] = HeldParameter(estimate, self._at_sigma_within, step, low=low)
            else:
                term, (effect,) = parameters[name].term, parameters[name].effects
                step = np.hypot(estimate, self._errors[term][effect]) * np.sqrt(2 / n)
                at = partial(self._at_deviation, self._first(term, (effect,)))
                held[name] = HeldParameter(estimate, at, step, low=0.0)
        for name, value in found.ratios.items():
            first = self._first(parameters[name].term, parameters[name].effects)
            at, step = partial(self._at_correlation, first), 2 / np.sqrt(n)
            held[name] = HeldParameter(float(value), at, step, low=-1.0, high=1.0, scales=False)
        return held

    def coefficients(self, rows: np.ndarray) -> list[HeldParameter]:
        """Combinations rows (m, p) of the working coefficients."""
        estimates = rows @ self.best.beta
        errors = np.einsum("ij,ij->i", rows @ self.best.unscaled_cov, rows)
        se = self._sigma_within * np.sqrt(errors)
        return [
            HeldParameter(float(estimate), partial(self._at_coefficient, row), 2 * float(error))
            for row, estimate, error in zip(rows, estimates, se, strict=True)
        ]

    @cached_property
    def _sigma_within(self) -> float:
        return float(np.sqrt(self.best.rss / self.sums.nobs))

    @cached_property
    def _errors(self) -> list[np.ndarray]:
        """By how much (q,) a level's own estimates of each term's effects err, one at a time."""
        sizes = np.einsum("siig,g->s", self.C, self.sums.counts) / self.sums.counts.sum()
        sizes = (sizes @ _Order.of(self.layout).into)[self.layout.diagonal]
        errors, at = [], 0
        for place in self.layout.places:
            m, q = place.shape
            errors.append(self._sigma_within / np.sqrt(sizes[at : at + q] / m))
            at += q
        return errors

    def _first(self, term: int, effects: tuple[int, ...]) -> _Order:
        return _Order.of(self.layout, term, effects)

    def _at_deviation(self, order: _Order, sigma: np.ndarray) -> np.ndarray:
        at = order.start
        free = np.delete(np.arange(self.layout.size + 1), at)
        M, m = self._all(free, len(sigma))
        m[at] = sigma
        M[order.column(0)] *= sigma != 0
        return self._least(order, free, M, m)

    def _at_correlation(self, order: _Order, rho: np.ndarray) -> np.ndarray:
        below, at = order.start + 1, order.column(1)[0]
        free = np.delete(np.arange(self.layout.size + 1), below)
        M, m = self._all(free, len(rho))
        both = int(np.flatnonzero(free == at)[0])
        M[below, both], M[at, both] = rho, np.sqrt(1 - rho**2)
        M[order.column(1)[1:]] *= np.abs(rho) != 1
        return self._least(order, free, M, m)

    def _at_sigma_within(self, sigma: np.ndarray) -> np.ndarray:
        free = np.arange(self.layout.size)
        M, m = self._all(free, len(sigma))
        m[-1] = np.log(sigma)
        return self._least(_Order.of(self.layout), free, M, m)

    def _at_coefficient(self, c: np.ndarray, value: np.ndarray) -> np.ndarray:
        free = np.arange(self.layout.size + 1)
        M, m = self._all(free, len(value))
        return self._least(_Order.of(self.layout), free, M, m, (c, value))

    def _all(self, free: np.ndarray, B: int) -> tuple[np.ndarray, np.ndarray]:
        """M (S + 1, K, B) and m (S + 1, B) where some entries (K,) are free and others 0."""
        M = np.eye(self.layout.size + 1)[:, free, None] * np.ones(B)
        return M, np.zeros((self.layout.size + 1, B))

    def _least(
        self,
        order: _Order,
        free: np.ndarray,
        M: np.ndarray,
        m: np.ndarray,
        fixed: Fixed | None = None,
    ) -> np.ndarray:
        """The least deviances (B,) over x (K, B) at the entries M x + m of Lambda* and log sigma.

        x are the entries that are `free` (K,), up to what M makes of them.
        """
        start, found = self._start(order)[free, None], []
        ends = np.cumsum(blocks_of(m.shape[1], self.C))
        for which in np.split(np.arange(m.shape[1]), ends[:-1]):
            values = None if fixed is None else (fixed[0], fixed[1][which])
            problem = _Problem(self.sums, self.C, order.forms, M[..., which], m[:, which], values)
            x = minimise(problem, np.repeat(start, len(which), axis=1), _LARGEST)
            found.append(problem(x, np.arange(len(which)))[0])
        return np.concatenate(found)

    def _start(self, order: _Order) -> np.ndarray:
        """The entries of Lambda* and log(sigma_w) (S + 1,) of the ML fit, away from 0."""
        roots = list(self.layout.formula_factors(self.best.own))
        for t, (root, errors) in enumerate(zip(roots, self._errors, strict=True)):
            moved = order.places[t]
            Lambda = triangle(self._sigma_within * root[moved])
            diagonal = np.diag_indices(len(Lambda))
            Lambda[diagonal] = np.maximum(Lambda[diagonal], _AWAY * errors[moved])
            roots[t] = Lambda
        return np.append(self.layout.entries(roots), np.log(self._sigma_within))


@dataclass(frozen=True, eq=False)
class _Order:
    """The formula's effects, some of one term moved to its first places.

    places are the effects of each term in their new order; into (S, S) makes psi of the working
    columns from that of these effects.
    """

    layout: RelativeCovariance
    term: int
    places: list[np.ndarray]
    into: np.ndarray

    @classmethod
    def of(cls, layout: RelativeCovariance, term: int = 0, first: tuple[int, ...] = ()) -> _Order:
        """Move effects `first` of a term."""
        places = [np.arange(place.shape[1]) for place in layout.places]
        places[term] = np.append(first, np.delete(places[term], first)).astype(int)
        matrices = []
        every = layout.matrices(np.eye(layout.size))
        for each, moved, unit in zip(layout.terms, places, every, strict=True):
            back = np.linalg.inv(each.back)[:, moved]
            matrices.append(np.einsum("ij,jks,lk->ils", back, unit, back))
        return cls(layout, term, places, layout.entries(matrices))

    @property
    def forms(self) -> np.ndarray:
        """psi of the working columns as quadratic forms (S, S, S): see `RelativeCovariance`."""
        return np.einsum("st,tkl->skl", self.into, self.layout.forms)

    @property
    def start(self) -> int:
        """The position of Lambda*_11 of the term."""
        return self.layout.parts[self.term].start

    def column(self, k: int) -> np.ndarray:
        """The positions of column k of Lambda* of the term, from its diagonal on."""
        columns, _ = np.triu_indices(len(self.places[self.term]))
        return self.start + np.flatnonzero(columns == k)


@dataclass(frozen=True, eq=False)
class _Problem:
    """The deviance at entries M x + m of Lambda* and log(sigma_w), with derivatives by x."""

    sums: EffectSums
    C: np.ndarray
    forms: np.ndarray
    M: np.ndarray
    m: np.ndarray
    fixed: Fixed | None

    def __call__(
        self, x: np.ndarray, which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values (b,), gradients (K, b) and second derivatives (K, K, b): see `newton`."""
        M, N, S = self.M[..., which], self.sums.nobs, len(self.forms)
        entries = np.einsum("skb,kb->sb", M, x) + self.m[:, which]
        Lambda, log_sigma = entries[:S], entries[S]
        v = np.exp(-2 * log_sigma)
        by_entries = v * np.einsum("skl,lb->skb", self.forms, Lambda)
        psi = 0.5 * np.einsum("skb,kb->sb", by_entries, Lambda)
        fixed = None if self.fixed is None else (self.fixed[0], self.fixed[1][which])
        now = evaluate(self.sums, self.C, psi, "ML", fixed=fixed)
        value = N * (np.log(2 * np.pi) + 2 * log_sigma) + now.logs + v * now.rss
        # By psi, and by log(sigma_w) at a given psi.
        slopes = now.log_slopes + v * now.rss_slopes
        curvature = now.log_curvature + v * now.rss_curvature
        jacobian = np.concatenate([by_entries, -2 * psi[:, None]], axis=1)  # (S, S + 1, b)
        gradient = np.einsum("skb,sb->kb", jacobian, slopes)
        gradient[S] += 2 * N - 2 * v * now.rss
        hessian = sandwich(np.swapaxes(jacobian, 0, 1), curvature)
        # The second derivatives of psi are v forms, -2 by_entries, 4 psi.
        hessian[:S, :S] += v * np.einsum("skl,sb->klb", self.forms, slopes)
        mixed = -2 * np.einsum("skb,sb->kb", by_entries, slopes)
        hessian[:S, S] += mixed
        hessian[S, :S] += mixed
        hessian[S, S] += 4 * np.einsum("sb,sb->b", psi, slopes) + 4 * v * now.rss
        # Those of v R by psi and log(sigma_w).
        turned = -2 * v * np.einsum("skb,sb->kb", jacobian, now.rss_slopes)
        hessian[S] += turned
        hessian[:, S] += turned
        gradient = np.einsum("skb,sb->kb", M, gradient)
        hessian = sandwich(np.swapaxes(M, 0, 1), hessian)
        return value, gradient, hessian
