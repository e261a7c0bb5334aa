"""What a likelihood is asked for, from (N, N) matrices: V = G_1 psi_1 + ... + I, sigma_w = 1."""

import numpy as np

from twolevel.model.likelihood import Derivatives, VarianceSums


def variance_sums(X, parts, psi):
    """The sums over G = (parts (N, N) ..., I), by their definitions."""
    inverse, G = inverse_of(parts, psi), [*parts, np.eye(len(X))]
    left = [X.T @ inverse @ g @ inverse for g in G]
    return VarianceSums(
        first=np.stack([row @ X for row in left]),
        second=np.array([[row @ g @ inverse @ X for g in G] for row in left]),
        traces=np.array([[np.trace(inverse @ g @ inverse @ h) for h in G] for g in G]),
    )


def derivatives(X, y, parts, psi, method):
    """How d bends in psi, by the derivatives of inverses and determinants."""
    inverse = inverse_of(parts, psi)
    A = X.T @ inverse @ X
    P = inverse - inverse @ X @ np.linalg.solve(A, X.T @ inverse)
    U = P if method == "REML" else inverse
    N, p = X.shape
    f = N - p if method == "REML" else N
    rss = y @ P @ y
    slopes = np.array([-y @ P @ g @ P @ y for g in parts])
    bends = np.array([[2 * y @ P @ g @ P @ h @ P @ y for h in parts] for g in parts])
    logs = np.array([[-np.trace(U @ g @ U @ h) for h in parts] for g in parts])
    return Derivatives(
        curvature=f * (bends / rss - np.outer(slopes, slopes) / rss**2) + logs,
        rss_slopes=slopes,
        xx_slopes=np.stack([-X.T @ inverse @ g @ inverse @ X for g in parts]),
        held=np.zeros(len(parts), dtype=bool),
    )


def inverse_of(parts, psi):
    """M^-1 (N, N)."""
    return np.linalg.inv(
        sum(w * g for w, g in zip(psi, parts, strict=True)) + np.eye(len(parts[0]))
    )


def blocks(codes):
    """ZZ' (N, N) of the groups that codes (N,) name."""
    return (codes[:, None] == codes).astype(float)
