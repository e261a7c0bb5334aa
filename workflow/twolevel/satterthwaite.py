"""Satterthwaite's denominator degrees of freedom, from grouped moments.

The variance f = L Phi L' of an estimate L beta is itself estimated; matching its mean and variance
to a scaled chi-square gives 2 f^2 / (g' A g) degrees of freedom, with g the gradient of f and A the
asymptotic covariance of the variance parameters (lmerTest: Kuznetsova, Brockhoff & Christensen
2017, sec. 3). lmerTest differentiates numerically; here all derivatives are closed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.likelihood import Method, Profile, degrees_of_freedom
from twolevel.moments import Moments


@dataclass(frozen=True, eq=False)
class Satterthwaite:
    """Everything that tests need, in the coordinates of the moments.

    covariance (p, p): that of the coefficients; slopes (2, p, p): its derivatives with respect
    to lambda and sigma_w^2; cov_variances (2, 2): the asymptotic covariance of these two.
    """

    covariance: np.ndarray
    slopes: np.ndarray
    cov_variances: np.ndarray

    def approximate(self, L: np.ndarray) -> tuple[float, float]:
        """The denominator df of the F test of L beta = 0, L (q, p), and the factor 1 on F.

        The rows are turned into uncorrelated ones, whose degrees of freedom nu_m are combined so
        that the mean of F is matched.
        """
        variances, axes = np.linalg.eigh(L @ self.covariance @ L.T)
        rows = axes.T @ L  # (q, q) @ (q, p)
        gradients = np.einsum("qp,rps,qs->qr", rows, self.slopes, rows)
        spread = np.einsum("qr,rs,qs->q", gradients, self.cov_variances, gradients)
        nu = 2 * variances**2 / spread
        if np.ptp(nu) < 1e-8 * nu.max():
            return float(nu.mean()), 1.0
        if nu.min() <= 2:
            return 2.0, 1.0
        mean = float(np.sum(nu / (nu - 2)))
        return 2 * mean / (mean - len(nu)), 1.0


def satterthwaite(moments: Moments, best: Profile, method: Method) -> Satterthwaite:
    """Degrees of freedom at the estimate `best`; at a boundary fit sigma_b^2 is held at 0."""
    p, f = moments.n_coefficients, degrees_of_freedom(moments, method)
    sigma2 = best.rss / f
    weight = moments.sizes / (1 + moments.sizes * best.lambda_)
    A1 = -np.tensordot(weight**2, moments.between, 1)
    phi = sigma2 * best.unscaled_cov
    slopes = np.stack(
        [-sigma2 * best.unscaled_cov @ A1[:p, :p] @ best.unscaled_cov, best.unscaled_cov]
    )
    # The criterion before sigma_w^2 is profiled out: f log s + R / s + (terms in lambda alone).
    hessian = np.array(
        [
            [best.curvature + f * (best.rss_slope / best.rss) ** 2, -best.rss_slope / sigma2**2],
            [-best.rss_slope / sigma2**2, f / sigma2**2],
        ]
    )
    cov = np.zeros((2, 2))
    if best.lambda_ == 0:
        cov[1, 1] = 2 / hessian[1, 1]
    else:
        cov = 2 * np.linalg.inv(hessian)
    return Satterthwaite(phi, slopes, cov)
