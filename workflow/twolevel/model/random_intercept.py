"""The likelihood of the model with a random intercept, from grouped moments.

A subject's M = I + lambda 11' has the inverse 1 on deviations from its mean and 1 / (1 + n lambda)
on the mean, so that every sum asked for is a weighted sum of the matrices M_n of `moments`, and of
W. Nothing here grows with the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import Moments, SubjectMoments, grouped_moments
from twolevel.model.criterion import Profile, degrees_of_freedom, maximise, profile, variances
from twolevel.model.downdate import Deletions, without_each
from twolevel.model.eigenvalues import Eigenvalues
from twolevel.model.held_parameters import HeldParameters
from twolevel.model.likelihood import Derivatives, Variances, VarianceSums
from twolevel.model.random_effects import (
    RandomEffects,
    RandomVariance,
    Smoothed,
    Spreads,
    random_effects,
    smoothed,
    spreads,
)
from twolevel.model.spectrum import Refits, Spectrum, spectrum
from twolevel.numeric.small_matrices import weighted
from twolevel.text.methods import Method


@dataclass(frozen=True, eq=False)
class RandomIntercept:
    """The likelihood of (1 | subject): see `likelihood.Likelihood`."""

    subjects: SubjectMoments
    method: Method

    def by(self, method: Method) -> RandomIntercept:
        """The same data by another method."""
        return replace(self, method=method)

    @cached_property
    def moments(self) -> Moments:
        """The subjects' sums, grouped by the numbers of observations."""
        return grouped_moments(self.subjects)

    @property
    def total(self) -> np.ndarray:
        """The cross-products [X y]' [X y] (q, q) over all rows."""
        return self.moments.total

    @property
    def degrees_of_freedom(self) -> int:
        """N - p under REML, N under ML."""
        return degrees_of_freedom(self.moments, self.method)

    def maximise(self) -> Profile:
        """The profile at the best lambda: see `criterion.maximise`."""
        return maximise(self.moments, self.method)

    def variances(self, best: Profile) -> Variances:
        """Both standard deviations and the ICC."""
        sigma_within = np.sqrt(best.rss / self.degrees_of_freedom)
        return variances(np.sqrt(best.lambda_) * sigma_within, sigma_within, best.lambda_)

    def derivatives(self, best: Profile) -> Derivatives:
        """How the likelihood bends in lambda."""
        return derivatives(self.moments, best)

    def variance_sums(self, best: Profile) -> VarianceSums:
        """The sums for sigma_b^2 and sigma_w^2."""
        return variance_sums(self.moments, best.lambda_)

    @property
    def held_parameters(self) -> HeldParameters:
        """What profiles are made of, by ML."""
        return HeldParameters(self.moments)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The likelihood's spectral form, in which data sets of the design are drawn and fitted."""
        return spectrum(self.moments)

    @property
    def reductions(self) -> tuple[RandomIntercept]:
        """This model against the one without the intercept."""
        return (self,)

    draws = 100_000  # which take no fits

    @property
    def alone(self) -> Eigenvalues:
        """The spectral form: nothing else is random."""
        return self.spectrum

    @property
    def n_parameters(self) -> int:
        """Of the intercept: sigma_b^2."""
        return 1

    @property
    def fall(self) -> float:
        """By how much the restricted deviance falls from lambda = 0 to where it is least."""
        at_zero = profile(self.moments, 0.0, "REML")
        return float(at_zero.deviance - maximise(self.moments, "REML").deviance)

    def falls_by_chance(self, size: int, generator: np.random.Generator) -> np.ndarray:
        """The same for data sets (size,) without differences between subjects."""
        return self.spectrum.falls_by_chance(size, generator)

    def refits(self, best: Profile, size: int, generator: np.random.Generator) -> Refits:
        """Fits to data sets drawn from the model at its maximum."""
        return self.spectrum.refits(best, self.method, size, generator)

    def without_each(self, best: Profile, design: DesignMatrix, here: np.ndarray) -> Deletions:
        """The estimates without each of the subjects that are here (n,)."""
        return without_each(design, here, self.moments, self.method, best)

    def random_effects(self, best: Profile) -> RandomEffects:
        """The subjects' predicted shifts."""
        sigma2 = float(best.rss / self.degrees_of_freedom)
        return random_effects(self.subjects, best, sigma2)

    def covariances(self, best: Profile) -> list[np.ndarray]:
        """lambda (1, 1)."""
        return [np.full((1, 1), best.lambda_)]

    @property
    def cost(self) -> int:
        """One: data sets are drawn and fitted in the spectral form."""
        return 1

    @property
    def n_effects(self) -> int:
        """One."""
        return 1

    def random_part(self, best: Profile, design: DesignMatrix, normal: np.ndarray) -> np.ndarray:
        """S_i / sigma_w (N, m) from standard normal numbers (n, 1, m)."""
        return np.sqrt(best.lambda_) * normal[design.codes, 0]

    def random_variance(self, best: Profile) -> RandomVariance:
        """lambda, and sum n_i^2 lambda / N."""
        n, lambda_ = self.subjects.counts, float(best.lambda_)
        return RandomVariance(lambda_, lambda_ * float(n @ n) / int(n.sum()))

    def spreads(self, best: Profile) -> Spreads:
        """How much residuals and predicted effects vary."""
        return spreads(self.moments, float(best.lambda_))

    def smoothed(self, best: Profile, design: DesignMatrix, y: np.ndarray) -> Smoothed:
        """Other responses y (N, m) of the design's rows, fitted at the same lambda."""
        cells, _, _ = design.working_columns()
        return smoothed(cells.spread(cells.X), y, design.codes, float(best.lambda_))


def derivatives(moments: Moments, best: Profile) -> Derivatives:
    """Those in lambda, of one data set or of each of a batch."""
    p, n = moments.n_coefficients, _sizes(moments, best.lambda_)
    return Derivatives(
        curvature=best.curvature[None, None],
        rss_slopes=best.rss_slope[None],
        xx_slopes=-weighted((n / (1 + n * best.lambda_)) ** 2, moments.between[:, :p, :p])[None],
        held=(best.lambda_ == 0)[None],
    )


def variance_sums(moments: Moments, lambda_: np.ndarray) -> VarianceSums:
    """The sums for (sigma_b^2, sigma_w^2), with G = (blocks of 11', I), at lambda (...)."""
    p, m, n = moments.n_coefficients, moments.counts, _sizes(moments, lambda_)
    W = moments.within[:p, :p]
    M = moments.between[:, :p, :p]
    mean = 1 / (1 + n * lambda_)  # M^-1 on the mean of n observations
    first = np.stack([weighted((n * mean) ** 2, M), W + weighted(n * mean**2, M)])
    mixed = weighted(n**2 * mean**3, M)
    second = [
        [weighted((n * mean) ** 3, M), mixed],
        [mixed, W + weighted(n * mean**3, M)],
    ]
    t11, t12 = np.sum(m * (n * mean) ** 2, axis=0), np.sum(m * n * mean**2, axis=0)
    t22 = np.sum(m * (n - 1 + mean**2), axis=0)
    return VarianceSums(first, np.array(second), np.array([[t11, t12], [t12, t22]]))


def _sizes(moments: Moments, lambda_: np.ndarray) -> np.ndarray:
    """The distinct n_i as (g, ...), to go with the axis of a batch."""
    return moments.sizes.reshape(-1, *[1] * np.ndim(lambda_))
