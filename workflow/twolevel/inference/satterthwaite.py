"""Satterthwaite's denominator degrees of freedom, for any number of variances.

The variance f = L Phi L' of an estimate L beta is itself estimated; matching its mean and variance
to a scaled chi-square gives 2 f^2 / (g' A g) degrees of freedom, with g the gradient of f and A the
asymptotic covariance of the variance parameters (lmerTest: Kuznetsova, Brockhoff & Christensen
2017, sec. 3). lmerTest differentiates numerically; here all derivatives are closed.

The data sets of a batch run along the last axis of all arrays; a single one has no such axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.model.likelihood import Derivatives, Solution
from twolevel.numeric.small_matrices import inverse, product, sandwich


@dataclass(frozen=True, eq=False)
class Satterthwaite:
    """Everything that tests need, in the coordinates of the moments.

    covariance (p, p, ...): that of the coefficients; slopes (r, p, p, ...): its derivatives with
    respect to the random part's parameters and sigma_w^2; cov_variances (r, r, ...): the asymptotic
    covariance of these.
    """

    covariance: np.ndarray
    slopes: np.ndarray
    cov_variances: np.ndarray

    def approximate(self, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The denominator df (...) of the F test of L beta = 0, and the factor 1 on F.

        L is (q, p) or (q, p, ...). The rows are turned into uncorrelated ones, whose degrees of
        freedom nu_m are combined so that the mean of F is matched.
        """
        rows = L
        if len(L) > 1:
            together = np.moveaxis(sandwich(L, self.covariance), (0, 1), (-2, -1))
            axes = np.linalg.eigh(together).eigenvectors  # (..., q, q)
            rows = np.einsum("...im,ip...->mp...", axes, L)
        variances = np.einsum("qp...,ps...,qs...->q...", rows, self.covariance, rows)
        gradients = np.einsum("qp...,rps...,qs...->qr...", rows, self.slopes, rows)
        spread = np.einsum("qr...,rs...,qs...->q...", gradients, self.cov_variances, gradients)
        nu = 2 * variances**2 / spread
        equal = np.ptp(nu, axis=0) < 1e-8 * nu.max(axis=0)
        few = nu.min(axis=0) <= 2
        usual = np.where(equal | few, 3.0, nu)
        mean = np.sum(usual / (usual - 2), axis=0)
        combined = np.where(few, 2.0, 2 * mean / np.where(equal | few, 1.0, mean - len(nu)))
        return np.where(equal, nu.mean(axis=0), combined)[()], np.ones_like(mean)[()]

    def approximate_each(self, rows: np.ndarray) -> np.ndarray:
        """The denominator df (m,) of the t test of each row of L (m, p), of one data set."""
        variances = np.einsum("mp,mp->m", rows @ self.covariance, rows)
        gradients = np.stack([np.einsum("mp,mp->m", rows @ slope, rows) for slope in self.slopes])
        spread = np.einsum("rm,rs,sm->m", gradients, self.cov_variances, gradients)
        return 2 * variances**2 / spread


def satterthwaite(best: Solution, f: np.ndarray | int, bends: Derivatives) -> Satterthwaite:
    """Degrees of freedom at the estimate `best`, where f is the divisor of R.

    Parameters at the edge of what they can be, as sigma_b^2 at a boundary fit, are held there.
    """
    sigma2, cov = best.rss / f, best.unscaled_cov
    slopes = [-sigma2 * product(product(cov, slope), cov) for slope in bends.xx_slopes]
    # The criterion before sigma_w^2 is profiled out: f log s + R / s + (terms in the others alone).
    relative = bends.rss_slopes / best.rss
    mixed = -bends.rss_slopes / sigma2**2
    k = len(mixed)
    hessian = np.empty((k + 1, k + 1, *np.shape(sigma2)))
    hessian[:k, :k] = bends.curvature + f * (relative[:, None] * relative)
    hessian[:k, k] = hessian[k, :k] = mixed
    hessian[k, k] = f / sigma2**2
    free = np.concatenate([~bends.held, np.ones_like(bends.held[:1])])
    both = free[:, None] & free
    itself = np.eye(k + 1).reshape(k + 1, k + 1, *[1] * np.ndim(sigma2))
    asymptotic = np.where(both, 2 * inverse(np.where(both, hessian, itself)), 0.0)
    return Satterthwaite(sigma2 * cov, np.stack([*slopes, cov]), asymptotic)
