"""What is asked of a likelihood, whatever the random part: one class answers for each kind of it.

With V = sigma_w^2 M(theta) and A = [X y]' M^-1 [X y], partitioned as A_xx, A_xy, A_yy, the
deviance with beta and sigma_w^2 profiled out is (Bates, Maechler, Bolker & Walker 2015, eqs. 34
and 41)

    d(theta) = f log(2 pi R / f) + f + log|M| [+ log|A_xx| under REML],

R = A_yy - A_xy' A_xx^-1 A_xy, and f is N - p under REML, N under ML. How a class comes by these
numbers, and what it keeps of the data, is its own affair. All is in working coordinates (see
`moments.Coordinates`), with p columns and q = p + 1.

The data sets of a batch run along the last axis of all arrays; a single one has no such axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from twolevel.numeric.small_matrices import product, trace
from twolevel.text.methods import Method

if TYPE_CHECKING:
    from twolevel.design.design_matrix import DesignMatrix
    from twolevel.model.downdate import Deletions
    from twolevel.model.eigenvalues import Eigenvalues
    from twolevel.model.held_parameters import HeldParameter
    from twolevel.model.random_effects import RandomEffects, RandomVariance, Smoothed, Spreads
    from twolevel.model.spectrum import Refits


class Solution(Protocol):
    """Generalised least squares at one theta."""

    @property
    def theta(self) -> np.ndarray:
        """The entries (k, ...) of Lambda (see `random_part`)."""

    @property
    def deviance(self) -> float | np.ndarray:
        """d (...)."""

    @property
    def beta(self) -> np.ndarray:
        """The coefficients (p, ...)."""

    @property
    def unscaled_cov(self) -> np.ndarray:
        """A_xx^-1 (p, p, ...)."""

    @property
    def rss(self) -> float | np.ndarray:
        """R (...)."""


@dataclass(frozen=True, eq=False)
class Variances:
    """The parameters that say how much varies, by name, of one fit or of B fits.

    deviations are in the working unit, or with `in_unit` in another; ratios have no unit.
    """

    deviations: dict[str, np.ndarray]
    ratios: dict[str, np.ndarray]

    def in_unit(self, unit: float) -> dict[str, np.ndarray]:
        """All of them, where the working unit is `unit` of the response's."""
        return {name: unit * value for name, value in self.deviations.items()} | self.ratios


Found = TypeVar("Found", bound=Solution)


@dataclass(frozen=True, eq=False)
class Derivatives:
    """How a likelihood bends at its maximum, in k parameters of the random part.

    curvature (k, k, ...): the second derivatives of d; rss_slopes (k, ...) and xx_slopes
    (k, p, p, ...): the first ones of R and of A_xx; held (k, ...): which parameters are at the
    edge of what they can be. The parameters may be any in which these exist.
    """

    curvature: np.ndarray
    rss_slopes: np.ndarray
    xx_slopes: np.ndarray
    held: np.ndarray


@dataclass(frozen=True, eq=False)
class VarianceSums:
    """Sums over the derivatives G_r of V by its r variances and covariances, sigma_w^2 the last.

    first (r, p, p, ...): X' M^-1 G_r M^-1 X; second (r, r, p, p, ...): X' M^-1 G_r M^-1 G_s M^-1 X;
    traces (r, r, ...): tr(M^-1 G_r M^-1 G_s). V is linear in what it is differentiated by, so that
    no G depends on theta; that of sigma_w^2 is I.
    """

    first: np.ndarray
    second: np.ndarray
    traces: np.ndarray

    def information(self, phi: np.ndarray, sigma2: np.ndarray | float) -> np.ndarray:
        """Twice the expected information (r, r, ...) of the variances under REML.

        tr(P G_r P G_s) with P = V^-1 - V^-1 X phi X' V^-1, where phi (p, p, ...) is the covariance
        of the coefficients and sigma2 (...) is sigma_w^2 (Kenward & Roger 1997).
        """
        every, first = range(len(self.traces)), [product(phi, part) for part in self.first]
        return np.array(
            [
                [
                    self.traces[r, s] / sigma2**2
                    - 2 * trace(phi, self.second[r, s]) / sigma2**3
                    + trace(first[r], first[s]) / sigma2**4
                    for s in every
                ]
                for r in every
            ]
        )


class HeldParameters(Protocol):
    """What profiles are made of: the parameters that can be held at a value, by ML."""

    @property
    def best(self) -> Solution:
        """The ML fit."""

    @property
    def variances(self) -> dict[str, HeldParameter]:
        """The parameters of `Variances`, in their order."""

    def coefficients(self, rows: np.ndarray) -> list[HeldParameter]:
        """Combinations rows (m, p) of the working coefficients."""


class Reduction(Protocol):
    """A model without one of its random effects, by REML whatever the method."""

    @property
    def draws(self) -> int:
        """How many data sets `falls_by_chance` draws if nothing else is said."""

    @property
    def alone(self) -> Eigenvalues | None:
        """The spectral form of the model with this effect alone; None of one with covariances."""

    @property
    def n_parameters(self) -> int:
        """How many variances and covariances the effect has."""

    @property
    def fall(self) -> float:
        """By how much the restricted deviance falls where the effect is added."""

    def falls_by_chance(self, size: int, generator: np.random.Generator) -> np.ndarray:
        """The same for data sets (size,) that the model without the effect draws."""


class Likelihood(Protocol[Found]):
    """The likelihood of a model with one kind of random part, by REML or ML."""

    @property
    def method(self) -> Method:
        """REML or ML."""

    @property
    def total(self) -> np.ndarray:
        """The cross-products [X y]' [X y] (q, q) over all rows."""

    @property
    def degrees_of_freedom(self) -> int:
        """f, the divisor of R."""

    def by(self, method: Method) -> Likelihood[Found]:
        """The same data by another method."""

    def maximise(self) -> Found:
        """The solution where the likelihood is largest; raises InputError where it is nowhere."""

    def variances(self, best: Found) -> Variances:
        """How much varies, in the words that intervals and tables have for it."""

    def derivatives(self, best: Found) -> Derivatives:
        """How the likelihood bends at its maximum."""

    def variance_sums(self, best: Found) -> VarianceSums:
        """The sums that the expected information of the variances is made of."""

    @property
    def reductions(self) -> Sequence[Reduction]:
        """The models without one random effect each, term by term."""

    @property
    def held_parameters(self) -> HeldParameters:
        """The parameters that can be held at a value, by ML whatever the method."""

    def refits(self, best: Found, size: int, generator: np.random.Generator) -> Refits:
        """Fits to so many data sets drawn from the model at its maximum."""

    def without_each(self, best: Found, design: DesignMatrix, here: np.ndarray) -> Deletions:
        """The estimates without each of the design's subjects that are here (n,)."""

    def random_effects(self, best: Found) -> RandomEffects:
        """The predictions of the random effects, and how they depend on the coefficients."""

    def covariances(self, best: Found) -> list[np.ndarray]:
        """Psi (q, q) of the working columns of each term of the random part."""

    @property
    def cost(self) -> int:
        """About how many products an evaluation takes: 1 where a fit needs no search."""

    @property
    def n_effects(self) -> int:
        """Q, the number of random effects of a subject."""

    def random_part(self, best: Found, design: DesignMatrix, normal: np.ndarray) -> np.ndarray:
        """z' b (N, m), relative to sigma_w, of effects from standard normal numbers (n, Q, m)."""

    def random_variance(self, best: Found) -> RandomVariance:
        """The variance of z' b over all observations."""

    def spreads(self, best: Found) -> Spreads:
        """How much residuals and predicted effects vary."""

    def smoothed(self, best: Found, design: DesignMatrix, y: np.ndarray) -> Smoothed:
        """Other responses y (N, m) in the design's rows, at the same theta."""
