"""Kenward and Roger's small-sample tests of fixed effects, for any number of variances.

With the variances and covariances gamma_r on which V depends linearly, and G_r = dV/dgamma_r,
Kenward & Roger (1997) need

    Phi  = (X' V^-1 X)^-1
    P_r  = -X' V^-1 G_r V^-1 X
    Q_rs =  X' V^-1 G_r V^-1 G_s V^-1 X
    and the traces tr(V^-1 G_r V^-1 G_s),

which a likelihood gives as sums over subjects (see `likelihood.VarianceSums`). Results are those of
pbkrtest (Halekoh & Hojsgaard 2014).

The data sets of a batch run along the last axis of all arrays; a single one has no such axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.model.likelihood import VarianceSums
from twolevel.numeric.small_matrices import inverse, product, sandwich, trace


@dataclass(frozen=True, eq=False)
class KenwardRoger:
    """Everything that tests need, in the coordinates of the moments.

    phi, covariance (p, p, ...): the estimated and the adjusted covariance of the coefficients;
    slopes (r, p, p, ...): Phi P_r Phi; cov_variances (r, r, ...): the covariance of the estimated
    variances.
    """

    phi: np.ndarray
    covariance: np.ndarray
    slopes: np.ndarray
    cov_variances: np.ndarray

    def approximate(self, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The denominator df (...) and the factor (...) on F for L beta = 0, L (q, p).

        The algebra of Kenward & Roger (1997, sec. 3), which matches the first two moments of the
        Wald statistic to those of a scaled F.
        """
        q = len(L)
        # tr(Theta Phi P_r Phi) with Theta = L' (L Phi L')^-1 L is a trace in q dimensions.
        within = inverse(sandwich(L, self.phi))
        parts = [product(within, sandwich(L, slope)) for slope in self.slopes]
        traces = np.stack([np.einsum("ii...->...", part) for part in parts])
        a1 = np.einsum("r...,rs...,s...->...", traces, self.cov_variances, traces)
        every = range(len(parts))
        a2 = sum(self.cov_variances[r, s] * trace(parts[r], parts[s]) for r in every for s in every)
        known = a2 > 0  # else the variances count as known, and the statistic as chi-square
        a1, a2 = np.where(known, a1, 1.0), np.where(known, a2, 1.0)
        if q == 1:  # the algebra below simplifies to this
            return np.where(known, 2 / a2, np.inf)[()], np.ones_like(a2)[()]
        b = (a1 + 6 * a2) / (2 * q)
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        d = 3 * q + 2 * (1 - g)
        v0, v1, v2 = 1 + g / d * b, 1 - (q - g) / d * b, 1 - (q + 2 - g) / d * b
        # Where the expansion degenerates its limits are 0/0; these are pbkrtest's values for them.
        v0 = np.where(np.abs(v0) < 1e-10, 0.0, v0)
        limit = np.maximum(np.abs(1 - a2 / q), np.abs(v1)) < 1e-14
        ratio = np.where(limit, 1.0, (1 - a2 / q) / np.where(limit, 1.0, v1))
        # 4 + (q + 2) / (q rho - 1) with rho = ratio^2 v0 / (q v2), for v2 may be 0.
        df = 4 + (q + 2) * v2 / (ratio**2 * v0 - v2)
        limit = np.abs(df - 2) < 1e-2
        scale = np.where(limit, 1.0, df * (1 - a2 / q) / np.where(limit, 1.0, df - 2))
        return np.where(known, df, np.inf)[()], np.where(known, scale, 1.0)[()]

    def approximate_each(self, rows: np.ndarray) -> np.ndarray:
        """The denominator df (m,) of the t test of each row L beta = 0, L (m, p), of one data set.

        2 / a2, with a2 as in `approximate` for a single row.
        """
        variances = np.einsum("mp,mp->m", rows @ self.phi, rows)
        parts = np.stack(
            [np.einsum("mp,mp->m", rows @ slope, rows) / variances for slope in self.slopes]
        )
        a2 = np.einsum("rm,rs,sm->m", parts, self.cov_variances, parts)
        known = a2 > 0
        return np.divide(2.0, a2, out=np.full(len(rows), np.inf), where=known)


def kenward_roger(
    unscaled_cov: np.ndarray, sigma2: np.ndarray | float, sums: VarianceSums
) -> KenwardRoger:
    """Adjust the covariance sigma2 unscaled_cov (p, p, ...) of the coefficients, fitted by REML.

    sigma2 (...) is the estimate of sigma_w^2. The covariance of the variances is the inverse of
    their expected information, at the boundary as everywhere.
    """
    phi, P, Q = sigma2 * unscaled_cov, sums.first / -(sigma2**2), sums.second
    every = range(len(P))
    phi_p = [product(phi, P[r]) for r in every]
    cov_variances = 2 * inverse(sums.information(phi, sigma2))
    middle = sum(
        cov_variances[r, s] * (Q[r, s] / sigma2**3 - product(P[r], phi_p[s]))
        for r in every
        for s in every
    )
    covariance = phi + 2 * product(product(phi, middle), phi)
    slopes = np.stack([product(part, phi) for part in phi_p])
    return KenwardRoger(phi, covariance, slopes, cov_variances)
