"""Kenward and Roger's small-sample tests of fixed effects, from grouped moments.

With the variances gamma = (sigma_b^2, sigma_w^2) and dV/dgamma = (G_1, G_2) = (blocks of 11', I),
Kenward & Roger (1997) need

    Phi  = (X' V^-1 X)^-1
    P_r  = -X' V^-1 G_r V^-1 X
    Q_rs =  X' V^-1 G_r V^-1 G_s V^-1 X
    and the traces tr(V^-1 G_r V^-1 G_s).

A subject's V^-1 is 1/sigma_w^2 on deviations from its mean and 1/(sigma_w^2 (1 + n lambda)) on the
mean, so that each of these is a weighted sum of the matrices M_n of `moments`, and of W. Nothing
here grows with the number of rows. Results are those of pbkrtest (Halekoh & Hojsgaard 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.likelihood import Profile, degrees_of_freedom
from twolevel.moments import Moments


@dataclass(frozen=True, eq=False)
class KenwardRoger:
    """Everything that tests need, in the coordinates of the moments.

    phi, covariance (p, p): the estimated and the adjusted covariance of the coefficients;
    slopes (2, p, p): Phi P_r Phi; cov_variances (2, 2): the covariance of the variance estimates.
    """

    phi: np.ndarray
    covariance: np.ndarray
    slopes: np.ndarray
    cov_variances: np.ndarray

    def approximate(self, L: np.ndarray) -> tuple[float, float]:
        """The denominator df and the factor on F for the hypothesis L beta = 0, L (q, p).

        The algebra of Kenward & Roger (1997, sec. 3), which matches the first two moments of the
        Wald statistic to those of a scaled F.
        """
        q = len(L)
        # (q, q): tr(Theta Phi P_r Phi) with Theta = L' (L Phi L')^-1 L is a trace in q dimensions.
        within = np.linalg.inv(L @ self.phi @ L.T)
        parts = [within @ L @ slope @ L.T for slope in self.slopes]
        traces = np.array([np.trace(part) for part in parts])
        a1 = float(traces @ self.cov_variances @ traces)
        a2 = float(
            sum(
                self.cov_variances[r, s] * np.sum(parts[r] * parts[s].T)
                for r in range(2)
                for s in range(2)
            )
        )
        if q == 1:  # the algebra below simplifies to this
            return (2 / a2 if a2 > 0 else np.inf), 1.0
        if a2 == 0:
            return np.inf, 1.0
        b = (a1 + 6 * a2) / (2 * q)
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        d = 3 * q + 2 * (1 - g)
        v0, v1, v2 = 1 + g / d * b, 1 - (q - g) / d * b, 1 - (q + 2 - g) / d * b
        # Where the expansion degenerates its limits are 0/0; these are pbkrtest's values for them.
        v0 = 0.0 if abs(v0) < 1e-10 else v0
        ratio = 1.0 if max(abs(1 - a2 / q), abs(v1)) < 1e-14 else (1 - a2 / q) / v1
        # 4 + (q + 2) / (q rho - 1) with rho = ratio^2 v0 / (q v2), for v2 may be 0.
        df = 4 + (q + 2) * v2 / (ratio**2 * v0 - v2)
        scale = 1.0 if abs(df - 2) < 1e-2 else df * (1 - a2 / q) / (df - 2)
        return df, scale


def kenward_roger(moments: Moments, best: Profile) -> KenwardRoger:
    """Adjust the covariance of the coefficients at the REML estimate `best`.

    The covariance of the variances is the inverse of their expected information, at the boundary
    as everywhere.
    """
    n, m, p, lambda_ = moments.sizes, moments.counts, moments.n_coefficients, best.lambda_
    sigma2 = best.rss / degrees_of_freedom(moments, "REML")
    phi = sigma2 * best.unscaled_cov
    W = moments.within[:p, :p]
    M = moments.between[:, :p, :p]
    mean = 1 / (1 + n * lambda_)  # V^-1 on the mean of n observations, times sigma_w^2

    def weighted(weights: np.ndarray) -> np.ndarray:
        return np.tensordot(weights, M, 1)  # (g,) . (g, p, p) -> (p, p)

    P = -np.stack([weighted((n * mean) ** 2), W + weighted(n * mean**2)]) / sigma2**2
    Q11, Q12 = weighted((n * mean) ** 3), weighted(n**2 * mean**3)
    Q22 = W + weighted(n * mean**3)
    Q = np.array([[Q11, Q12], [Q12, Q22]]) / sigma2**3
    t12 = m @ (n * mean**2)
    traces = np.array([[m @ (n * mean) ** 2, t12], [t12, m @ (n - 1) + m @ mean**2]]) / sigma2**2

    phi_p = phi @ P  # (2, p, p)
    information = (
        traces - 2 * np.einsum("ij,rsji->rs", phi, Q) + np.einsum("rij,sji->rs", phi_p, phi_p)
    )
    cov_variances = 2 * np.linalg.inv(information)
    middle = np.einsum("rs,rsij->ij", cov_variances, Q) - np.einsum(
        "rs,rij,sjk->ik", cov_variances, P, phi_p
    )
    return KenwardRoger(phi, phi + 2 * phi @ middle @ phi, phi_p @ phi, cov_variances)
