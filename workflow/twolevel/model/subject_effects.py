"""The likelihood of any random part that is nested in the subject.

What is random may be a subject's own slopes, effects of its own of factors, or of what is nested in
it, alone or together. Everything is a function of the sums of `subject_sums`, and does not grow
with the number of rows or, where subjects share the same times or cells, of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.model.distinct_variances import refuse_indistinct
from twolevel.model.downdate import Deletions
from twolevel.model.effects.deleted_effects import effects_without_each
from twolevel.model.effects.drawn_sums import DrawnSums
from twolevel.model.effects.effect_criterion import (
    EffectSolution,
    blocks_of,
    evaluate,
    relative_variance,
    variance_sums,
)
from twolevel.model.effects.effect_search import (
    NO_RESIDUALS,
    EffectSearch,
    derivatives,
    deviance,
    maximise,
)
from twolevel.model.effects.effect_sums import EffectSums
from twolevel.model.effects.effect_variances import variances_of_effects
from twolevel.model.effects.held_effects import HeldEffects
from twolevel.model.effects.predicted_effects import (
    predicted_effects,
    smoothed_effects,
    spreads_of_effects,
)
from twolevel.model.effects.reduced_effects import ReducedEffects
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.likelihood import Derivatives, Variances, VarianceSums
from twolevel.model.random_effects import RandomEffects, RandomVariance, Smoothed, Spreads
from twolevel.model.spectrum import Refits
from twolevel.model.subject_sums import SubjectSums, subject_sums
from twolevel.random.random_columns import RandomColumns
from twolevel.text.errors import InputError
from twolevel.text.methods import Method

# The theta above which sigma_w counts as 0 where the response is explained without it.
_NEXT_TO_NOTHING = 1e3
# The theta of several effects above which rounding hides where the maximum is, unless it is sought
# in the axes of their covariance; and how often.
_STEEP, _TURNS = 10.0, 3


@dataclass(frozen=True, eq=False)
class SubjectEffects:
    """The likelihood of random effects of subjects: see `likelihood.Likelihood`."""

    design: DesignMatrix
    random: RandomColumns
    subjects: SubjectSums
    layout: RelativeCovariance
    method: Method

    @classmethod
    def of(cls, design: DesignMatrix, random: RandomColumns, method: Method) -> SubjectEffects:
        """Reduce a design's rows, with their random columns, to sums."""
        layout = RelativeCovariance.of(random)
        return cls(design, random, subject_sums(design, random), layout, method)

    def by(self, method: Method) -> SubjectEffects:
        """The same data by another method."""
        return replace(self, method=method)

    @cached_property
    def sums(self) -> EffectSums:
        """The subjects' sums, grouped by what they share."""
        return self.subjects.pooled()

    @cached_property
    def directions(self) -> np.ndarray:
        """The derivatives (S, r, r, G) of M by psi."""
        return self.layout.directions(self.subjects.R)

    @property
    def total(self) -> np.ndarray:
        """The cross-products [X y]' [X y] (q, q) over all rows."""
        return self.subjects.total

    @property
    def degrees_of_freedom(self) -> int:
        """N - p under REML, N under ML."""
        return self.sums.degrees_of_freedom(self.method)

    def maximise(self) -> EffectSolution:
        """The solution where the likelihood is largest: see `effect_search`.

        Raises InputError also for variances that the data cannot tell apart. Where X and Z together
        explain the response, the likelihood grows without bound, unless they (by ML: Z alone)
        explain any; and then it may be largest at sigma_w = 0.
        """
        self._refuse_indistinct()
        explained, (of_Z, of_both) = self.subjects.explained, self.subjects.ranks
        rank = of_both if self.method == "REML" else of_Z
        if explained and rank < self.subjects.nobs:
            raise InputError(NO_RESIDUALS)
        own = maximise(self.sums, self.directions, self.layout, self.method)[:, 0]
        factors = self.layout.factors(own)
        if any(len(factor) > 1 and np.abs(factor).max() > _STEEP for factor in factors):
            for _ in range(_TURNS):
                own = self._polished(own)
        best = self.at(own)
        # Beside effects that are much larger, rounding may leave nothing of the residuals.
        if best.rss <= 0 or (explained and np.abs(own).max() > _NEXT_TO_NOTHING):
            raise InputError(NO_RESIDUALS)
        return best

    def _polished(self, own: np.ndarray) -> np.ndarray:
        """theta (S,) sought from where it was found, in the axes of each Psi there."""
        axes, theta, C = self._in_axes(own)
        found = EffectSearch(self.sums, C, self.layout, self.method).minimum(theta[:, None])
        back = self.layout.turned_back(found[:, 0], axes)
        return self.layout.canonical(back[:, None], self.directions)[:, 0]

    def _in_axes(self, own: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """The axes of each Psi at theta (S,), theta in them, and the derivatives of M by psi."""
        axes, theta = self.layout.axes(own)
        return axes, theta, self.layout.directions(self.layout.turned(self.subjects.R, axes))

    def _refuse_indistinct(self) -> None:
        p = self.sums.n_coefficients
        gram = self.total[:p, :p]
        phi = np.linalg.inv(gram) if self.method == "REML" else np.zeros_like(gram)
        owners = [
            each.term
            for each, part in zip(self.layout.terms, self.layout.parts, strict=True)
            for _ in range(part.stop - part.start)
        ]
        sums = self._variance_sums(self.directions, np.zeros(self.layout.size))
        refuse_indistinct(sums, phi, owners)

    def at(self, own: np.ndarray) -> EffectSolution:
        """The solution at theta (S,) of the working columns."""
        psi = self.layout.psi(own)[:, None]
        found = evaluate(self.sums, self.directions, psi, self.method)
        value = float(deviance(found, self.degrees_of_freedom)[0])
        return EffectSolution(self.layout.in_formula(own), own, value, found)

    def variances(self, best: EffectSolution) -> Variances:
        """Standard deviations and correlations: see `effect_variances`."""
        sigma_within = np.sqrt(best.rss / self.degrees_of_freedom)
        return variances_of_effects(self.layout, best.own, sigma_within)

    @property
    def held_parameters(self) -> HeldEffects:
        """What profiles are made of, by ML."""
        return HeldEffects(self.sums, self.directions, self.layout, self.by("ML").maximise())

    def derivatives(self, best: EffectSolution) -> Derivatives:
        """How the likelihood bends in theta of the axes of each Psi."""
        _, theta, C = self._in_axes(best.own)
        found = evaluate(self.sums, C, self.layout.psi(theta)[:, None], self.method)
        bends = derivatives(self.layout, theta[:, None], found, self.degrees_of_freedom)
        return Derivatives(*(part[..., 0] for part in vars(bends).values()))

    def variance_sums(self, best: EffectSolution) -> VarianceSums:
        """The sums for psi sigma_w^2, in the axes of each Psi, and sigma_w^2."""
        _, theta, C = self._in_axes(best.own)
        return self._variance_sums(C, self.layout.psi(theta))

    def _variance_sums(self, C: np.ndarray, psi: np.ndarray) -> VarianceSums:
        """The sums in directions C at psi (S,)."""
        found = variance_sums(self.sums, C, psi[:, None])
        return VarianceSums(found.first[..., 0], found.second[..., 0], found.traces[..., 0])

    @cached_property
    def drawn(self) -> DrawnSums:
        """What data sets of the design are drawn from."""
        return DrawnSums.of(self.subjects, self.sums)

    @cached_property
    def reductions(self) -> list[ReducedEffects]:
        """The models without one effect each, term by term."""
        return [
            ReducedEffects(self.drawn, self.directions, self.layout, t, k)
            for t, place in enumerate(self.layout.places)
            for k in range(place.shape[1])
        ]

    def refits(self, best: EffectSolution, size: int, generator: np.random.Generator) -> Refits:
        """Fits to data sets drawn from the model at its maximum."""
        f = self.degrees_of_freedom
        M = relative_variance(self.directions, self.layout.psi(best.own))
        parts = []
        for block in blocks_of(size, self.directions):
            sums = self.drawn.draw(M, best.rss / f, block, generator)
            own = maximise(sums, self.directions, self.layout, self.method)
            now = evaluate(sums, self.directions, self.layout.psi(own), self.method, False)
            parts.append((own, now.rss, now.beta))
        own, rss, beta = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
        varying = variances_of_effects(self.layout, own, np.sqrt(rss / f))
        boundary = (own[self.layout.diagonal] == 0).any(axis=0)
        return Refits(varying, best.beta + beta.T, boundary)

    def without_each(
        self, best: EffectSolution, design: DesignMatrix, here: np.ndarray
    ) -> Deletions:
        """The estimates without each of the subjects that are here (n,)."""
        random = self.random
        if not here.all():
            random = random.of_rows(here[design.codes])
            design = design.of_subjects(np.flatnonzero(here))
        return effects_without_each(
            design,
            random,
            self.subjects,
            self.sums,
            self.directions,
            self.layout,
            self.method,
            best,
        )

    def random_effects(self, best: EffectSolution) -> RandomEffects:
        """The subjects' predicted effects."""
        sigma2 = best.rss / self.degrees_of_freedom
        return predicted_effects(
            self.subjects, self.layout, self.directions, best.own, best.beta, sigma2
        )

    def covariances(self, best: EffectSolution) -> list[np.ndarray]:
        """Psi (q, q) of the working columns of each term."""
        return [factor @ factor.T for factor in self.layout.factors(best.own)]

    @property
    def cost(self) -> int:
        """Each distinct R has P sums of outer products, contracted for value and derivatives."""
        P, G, p = self.sums.outer_xx.shape[:3]
        S = len(self.directions)
        return P * G * (p + 1) ** 2 * (1 + S + S * (S + 1) // 2)

    @property
    def n_effects(self) -> int:
        """Q, counting the effects of each of a subject's levels."""
        return self.layout.n_columns

    def random_part(
        self, best: EffectSolution, design: DesignMatrix, normal: np.ndarray
    ) -> np.ndarray:
        """z' b (N, m), relative to sigma_w, from standard normal numbers (n, Q, m)."""
        effects = np.empty_like(normal)
        for factor, place in zip(self.layout.factors(best.own), self.layout.places, strict=True):
            for own in place:
                effects[:, own] = factor @ normal[:, own]
        return self.random.times(effects, design.codes)

    def random_variance(self, best: EffectSolution) -> RandomVariance:
        """The sums of z' Psi z over all rows, and of 1' Z_i Psi Z_i' 1 over all subjects."""
        N, Psi, sums = self.subjects.nobs, self.layout.Psi(best.own), self.subjects.column_sums
        squares = np.einsum("rag,rbg,g->ab", self.sums.R, self.sums.R, self.sums.counts)
        return RandomVariance(
            float(np.sum(squares * Psi)) / N, float(np.sum((sums.T @ sums) * Psi)) / N
        )

    def spreads(self, best: EffectSolution) -> Spreads:
        """How much residuals and predicted effects vary."""
        counts = self.design.working_moments()[0].counts
        return spreads_of_effects(self.subjects, self.layout, self.directions, best.own, counts)

    def smoothed(self, best: EffectSolution, design: DesignMatrix, y: np.ndarray) -> Smoothed:
        """Other responses y (N, m) of the design's rows, fitted at the same theta."""
        return smoothed_effects(
            design,
            self.random,
            self.subjects,
            self.layout,
            self.directions,
            best.own,
            best.evaluation,
            y,
        )
