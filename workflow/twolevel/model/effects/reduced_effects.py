"""The restricted likelihood without one of the random effects, and data sets in which it is true.

Without an effect, its variance and all its covariances are 0. The smaller model is a function of
the same sums, with M = I + sum_s psi_s C_s in fewer directions: the covariance of the effects that
are left, as the formula has them, is mapped to psi of the working columns of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.model.effects.drawn_sums import DrawnSums
from twolevel.model.effects.effect_criterion import blocks_of, evaluate, relative_variance
from twolevel.model.effects.effect_search import deviance, maximise
from twolevel.model.effects.effect_sums import EffectSums
from twolevel.model.effects.lone_effect import eigenvalues_alone
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.eigenvalues import Eigenvalues


@dataclass(frozen=True, eq=False)
class ReducedEffects:
    """A model without effect `effect` of term `term`: see `likelihood.Reduction`."""

    drawn: DrawnSums
    C: np.ndarray
    layout: RelativeCovariance
    term: int
    effect: int

    draws = 10_000  # each of which takes two fits

    @cached_property
    def alone(self) -> Eigenvalues | None:
        """Of an effect without covariances, the spectral form of the model that has it alone."""
        if self.n_parameters > 1:
            return None
        direction = self.C[self.layout.parts[self.term].start]
        return eigenvalues_alone(self.drawn.sums, direction)

    @property
    def n_parameters(self) -> int:
        """How many variances and covariances the effect has."""
        return self.layout.places[self.term].shape[1]

    @cached_property
    def fall(self) -> float:
        """By how much the restricted deviance falls where the effect is added."""
        return float(self._falls(self.drawn.sums, self._psi(self.drawn.sums))[0])

    def falls_by_chance(self, size: int, generator: np.random.Generator) -> np.ndarray:
        """The same for data sets (size,) that the model without the effect draws, as estimated."""
        psi = self._psi(self.drawn.sums)
        now = evaluate(self.drawn.sums, self.C, psi, "REML", derivatives=False)
        sigma2 = float(now.rss[0]) / self.drawn.sums.degrees_of_freedom("REML")
        M, falls = relative_variance(self.C, psi[:, 0]), []
        for block in blocks_of(size, self.C):
            sums = self.drawn.draw(M, sigma2, block, generator)
            falls.append(self._falls(sums, self._psi(sums)))
        return np.concatenate(falls)

    def _falls(self, sums: EffectSums, without: np.ndarray) -> np.ndarray:
        """The falls (B,) from psi (S, B) without the effect."""
        own = maximise(sums, self.C, self.layout, "REML")
        f = sums.degrees_of_freedom("REML")
        levels = [
            deviance(evaluate(sums, self.C, psi, "REML", derivatives=False), f)
            for psi in (without, self.layout.psi(own))
        ]
        return levels[0] - levels[1]

    def _psi(self, sums: EffectSums) -> np.ndarray:
        """psi (S, B) of all effects where the likelihoods without the effect are largest."""
        smaller, into = self._smaller
        if not smaller.terms:
            return np.zeros((self.layout.size, sums.size))
        C = np.einsum("st,sijg->tijg", into, self.C)
        return into @ smaller.psi(maximise(sums, C, smaller, "REML"))

    @cached_property
    def _smaller(self) -> tuple[RelativeCovariance, np.ndarray]:
        """The layout without the effect, and what makes psi (S,) of all of its psi (T,)."""
        layout, k = self.layout, self.term
        each, place = layout.terms[k], layout.places[k]
        keep = np.delete(np.arange(place.shape[1]), self.effect)
        into = np.linalg.inv(each.back)[:, keep]
        into = into / np.abs(into).max(
            axis=0, initial=0.0
        )  # effects of about the working ones' size
        terms, places = list(layout.terms), list(layout.places)
        terms[k : k + 1] = [each] if len(keep) else []
        places[k : k + 1] = [place[:, keep]] if len(keep) else []
        smaller = RelativeCovariance(tuple(terms), tuple(places))
        matrices = list(smaller.matrices(np.eye(smaller.size)))
        if len(keep):
            matrices[k] = np.einsum("ij,jks,lk->ils", into, matrices[k], into)
        else:
            matrices.insert(k, np.zeros((1, 1, smaller.size)))
        return smaller, layout.entries(matrices)
