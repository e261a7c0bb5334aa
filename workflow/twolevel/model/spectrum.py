"""The data reduced to what the likelihood can see of it, and its spectral form.

For the likelihood, the subjects with n observations are as good as a few *pseudo-rows* R_n, with
R_n' R_n = n sum xbar_i xbar_i', and a sum of squares that X cannot touch, both with the variance
sigma_w^2 (1 + n lambda). What varies within subjects makes pseudo-rows and a sum of squares with
the variance sigma_w^2. A rotation of these then turns the residual sum of squares into

    R(lambda) = sum_k s_k / (1 + mu_k lambda),    s_k / (1 + mu_k lambda) ~ sigma_w^2 chi^2(df_k)

with mu_k the distinct eigenvalues of Z' P Z, P = I - X (X'X)^-1 X', df_k their multiplicities and
0 among them, and

    log|V| + log|X' V^-1 X| = log|X'X| + sum_k df_k log(1 + mu_k lambda)

(Crainiceanu & Ruppert 2004, sec. 3). All this costs the same for any number of rows and subjects,
and data sets of one design differ in the s_k alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.design.moments import Moments
from twolevel.model.criterion import Profile, degrees_of_freedom, log_det, variances
from twolevel.model.likelihood import Variances
from twolevel.model.search import GRID, minimise
from twolevel.text.methods import Method

# An eigenvalue, relative to the largest possible, below which it is 0; and the relative distance
# below which two are the same.
_RANK = 1e-11
_SAME = 1e-9
_LARGEST = 2_000_000  # numbers in one array of (refits, p, p)


@dataclass(frozen=True, eq=False)
class Refits:
    """B fits: variances, working coefficients gamma (B, p), and which are on the boundary (B,)."""

    variances: Variances
    gamma: np.ndarray
    boundary: np.ndarray


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A design in its spectral form.

    X (D, p) are the pseudo-rows in the coordinates of the moments, sizes (D,) their n, 0 for those
    within subjects. left_sizes (l,) and left_df (l,) are the n and the degrees of freedom of the
    sums of squares that X cannot touch. mu (K,) and df (K,) are the distinct eigenvalues and
    their multiplicities. basis (D, D - p) rotates pseudo-responses; the square of element k belongs
    to eigenvalue basis_group[k], the left-over sum of squares l to left_group[l].
    """

    moments: Moments
    X: np.ndarray
    sizes: np.ndarray
    left_sizes: np.ndarray
    left_df: np.ndarray
    mu: np.ndarray
    df: np.ndarray
    basis: np.ndarray
    basis_group: np.ndarray
    left_group: np.ndarray

    def sums_of_squares(self, pseudo: np.ndarray, left: np.ndarray) -> np.ndarray:
        """s (B, K) from pseudo-responses (B, D) and left-over sums of squares (B, l)."""
        squares = np.concatenate([(pseudo @ self.basis) ** 2, left], axis=1)
        into = np.concatenate([self.basis_group, self.left_group])
        return squares @ np.eye(len(self.mu))[into]

    def rss(self, s: np.ndarray, lambda_: np.ndarray, power: int = 1) -> np.ndarray:
        """sum_k mu_k^(power - 1) s_k / (1 + mu_k lambda)^power, for s (B, K) and lambda (B,)."""
        weight = self.mu ** (power - 1) / (1 + self.mu * lambda_[:, None]) ** power
        return np.einsum("bk,bk->b", s, weight)

    def log_det(self, lambda_: np.ndarray, method: Method) -> tuple[np.ndarray, ...]:
        """The determinants' part of the deviance, less log|X'X|, and its two derivatives (B,)."""
        if method == "ML":
            return log_det(self.moments, lambda_)
        share = self.mu / (1 + self.mu * lambda_[:, None])
        return (
            np.log1p(self.mu * lambda_[:, None]) @ self.df,
            share @ self.df,
            -(share**2) @ self.df,
        )

    def deviance(self, s: np.ndarray, lambda_: np.ndarray, method: Method) -> np.ndarray:
        """The deviance (B,) of data with sums of squares s (B, K) at lambda (B,), less log|X'X|."""
        f = degrees_of_freedom(self.moments, method)
        constant = f * np.log(2 * np.pi / f) + f
        return constant + f * np.log(self.rss(s, lambda_)) + self.log_det(lambda_, method)[0]

    def estimate(self, s: np.ndarray, method: Method) -> np.ndarray:
        """The maximising lambda (B,) of B data sets with sums of squares s (B, K)."""
        f = degrees_of_freedom(self.moments, method)

        def criterion(lambda_: np.ndarray, which: np.ndarray) -> tuple:
            r, r1, r2 = (self.rss(s[which], lambda_, power) for power in (1, 2, 3))
            value, slope, curvature = self.log_det(lambda_, method)
            return (
                f * np.log(r) + value,
                -f * r1 / r + slope,
                f * (2 * r2 / r - (r1 / r) ** 2) + curvature,
            )

        weight = 1 / (1 + self.mu[:, None] * GRID)  # (K, grid)
        on_grid = f * np.log(s @ weight).T + self.log_det(GRID, method)[0][:, None]
        return minimise(criterion, on_grid)

    def falls_by_chance(self, size: int, generator: np.random.Generator) -> np.ndarray:
        """By how much (size,) restricted deviances fall from lambda = 0 where that is true."""
        s = generator.chisquare(self.df, (size, len(self.df)))
        lambda_ = self.estimate(s, "REML")
        at_zero = self.deviance(s, np.zeros(size), "REML")
        return at_zero - self.deviance(s, lambda_, "REML")

    def refits(
        self, best: Profile, method: Method, size: int, generator: np.random.Generator
    ) -> Refits:
        """Draw so many data sets at a fit's estimates, and fit the model to each."""
        f = degrees_of_freedom(self.moments, method)
        sigma2 = best.rss / f
        noise = generator.standard_normal((size, len(self.sizes)))
        noise *= np.sqrt(sigma2 * (1 + self.sizes * best.lambda_))
        left = generator.chisquare(self.left_df, (size, len(self.left_df)))
        left *= sigma2 * (1 + self.left_sizes * best.lambda_)

        s = self.sums_of_squares(noise, left)
        lambda_ = self.estimate(s, method)
        within = np.sqrt(self.rss(s, lambda_) / f)
        weight = 1 / (1 + self.sizes * lambda_[:, None])  # (B, D)
        products = (self.X[:, :, None] * self.X[:, None, :]).reshape(len(self.X), -1)
        p = self.X.shape[1]
        gamma = np.empty((size, p))
        for part in np.array_split(np.arange(size), 1 + size * p * p // _LARGEST):
            A = (weight[part] @ products).reshape(-1, p, p)
            Xy = (weight[part] * noise[part]) @ self.X
            gamma[part] = np.linalg.solve(A, Xy[..., None])[..., 0]
        varying = variances(np.sqrt(lambda_) * within, within, lambda_)
        return Refits(varying, best.beta + gamma, lambda_ == 0)


def spectrum(moments: Moments) -> Spectrum:
    """Reduce a design to its spectral form."""
    p = moments.n_coefficients
    scale = np.sqrt(np.diag(moments.total)[:p])
    parts = [(0, moments.within[:p, :p], moments.nobs - moments.n_subjects)]
    parts += [
        (n, n * M[:p, :p], m)
        for n, m, M in zip(moments.sizes, moments.counts, moments.between, strict=True)
    ]
    rows, sizes, left = [], [], []
    for n, cross, available in parts:
        values, vectors = np.linalg.eigh(cross / np.outer(scale, scale))
        kept = np.flatnonzero(values > _RANK)[-available:] if available else np.array([], dtype=int)
        rows.append(np.sqrt(values[kept])[:, None] * vectors[:, kept].T * scale)
        sizes += [n] * len(kept)
        left.append(available - len(kept))
    X, n_rows = np.concatenate(rows), np.array(sizes, dtype=float)
    left_df = np.array(left)
    left_sizes = np.array([n for n, *_ in parts], dtype=float)[left_df > 0]
    left_df = left_df[left_df > 0]

    complement = np.linalg.qr(X / scale, mode="complete")[0][:, p:]  # (D, D - p)
    mu, rotation = np.linalg.eigh(complement.T @ (n_rows[:, None] * complement))
    mu = np.where(mu > _RANK * moments.sizes.max(), mu, 0.0)
    every = np.concatenate([mu, left_sizes])
    order = np.argsort(every, kind="stable")
    new = np.diff(every[order], prepend=-1.0) > _SAME * moments.sizes.max()
    group = np.empty(len(every), dtype=int)
    group[order] = np.cumsum(new) - 1
    df = np.bincount(group, np.concatenate([np.ones(len(mu)), left_df]))
    return Spectrum(
        moments=moments,
        X=X,
        sizes=n_rows,
        left_sizes=left_sizes,
        left_df=left_df,
        mu=every[order][new],
        df=df,
        basis=complement @ rotation,
        basis_group=group[: len(mu)],
        left_group=group[len(mu) :],
    )
