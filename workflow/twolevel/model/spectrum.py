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
from twolevel.model.criterion import Profile, log_det, variances
from twolevel.model.eigenvalues import (
    Eigenvalues,
    OfSize,
    PseudoRows,
    distinct,
    pseudo_rows,
    rotated,
)
from twolevel.model.likelihood import Variances
from twolevel.text.methods import Method

_LARGEST = 2_000_000  # numbers in one array of (refits, p, p)


@dataclass(frozen=True, eq=False)
class Refits:
    """B fits: variances, working coefficients gamma (B, p), and which are on the boundary (B,)."""

    variances: Variances
    gamma: np.ndarray
    boundary: np.ndarray


@dataclass(frozen=True, eq=False)
class Spectrum(Eigenvalues):
    """A design in its spectral form.

    rows are the D pseudo-rows in the coordinates of the moments. basis (D, D - p) rotates
    pseudo-responses; the square of element k belongs to eigenvalue basis_group[k], the left-over
    sum of squares l to left_group[l].
    """

    rows: PseudoRows
    basis: np.ndarray
    basis_group: np.ndarray
    left_group: np.ndarray
    moments: Moments

    def degrees_of_freedom(self, method: Method) -> int:
        """f: N - p under REML, N under ML."""
        return super().degrees_of_freedom(method) + (self.rows.X.shape[1] if method == "ML" else 0)

    def log_det(self, lambda_: np.ndarray, method: Method) -> tuple[np.ndarray, ...]:
        """The determinants' part of the deviance, less log|X'X|, and its two derivatives (B,)."""
        if method == "ML":
            return log_det(self.moments, lambda_)
        return super().log_det(lambda_, method)

    def sums_of_squares(self, pseudo: np.ndarray, left: np.ndarray) -> np.ndarray:
        """s (B, K) from pseudo-responses (B, D) and left-over sums of squares (B, l)."""
        squares = np.concatenate([(pseudo @ self.basis) ** 2, left], axis=1)
        into = np.concatenate([self.basis_group, self.left_group])
        return squares @ np.eye(len(self.mu))[into]

    def refits(
        self, best: Profile, method: Method, size: int, generator: np.random.Generator
    ) -> Refits:
        """Draw so many data sets at a fit's estimates, and fit the model to each."""
        f, rows = self.degrees_of_freedom(method), self.rows
        sigma2 = best.rss / f
        noise = generator.standard_normal((size, len(rows.sizes)))
        noise *= np.sqrt(sigma2 * (1 + rows.sizes * best.lambda_))
        left = generator.chisquare(rows.left_df, (size, len(rows.left_df)))
        left *= sigma2 * (1 + rows.left_sizes * best.lambda_)

        s = self.sums_of_squares(noise, left)
        lambda_ = self.estimate(s, method)
        within = np.sqrt(self.rss(s, lambda_) / f)
        weight = 1 / (1 + rows.sizes * lambda_[:, None])  # (B, D)
        products = (rows.X[:, :, None] * rows.X[:, None, :]).reshape(len(rows.X), -1)
        p = rows.X.shape[1]
        gamma = np.empty((size, p))
        for part in np.array_split(np.arange(size), 1 + size * p * p // _LARGEST):
            A = (weight[part] @ products).reshape(-1, p, p)
            Xy = (weight[part] * noise[part]) @ rows.X
            gamma[part] = np.linalg.solve(A, Xy[..., None])[..., 0]
        varying = variances(np.sqrt(lambda_) * within, within, lambda_)
        return Refits(varying, best.beta + gamma, lambda_ == 0)


def spectrum(moments: Moments) -> Spectrum:
    """Reduce the design of a random intercept to its spectral form."""
    p = moments.n_coefficients
    parts: list[OfSize] = [(0.0, moments.within[:p, :p], moments.nobs - moments.n_subjects)]
    parts += [
        (float(n), n * M[:p, :p], int(m))
        for n, m, M in zip(moments.sizes, moments.counts, moments.between, strict=True)
    ]
    scale = np.sqrt(np.diag(moments.total)[:p])
    rows = pseudo_rows(parts, scale)
    basis, found = rotated(rows, scale)
    mu, df, group = distinct(
        np.concatenate([found, rows.left_sizes]),
        np.concatenate([np.ones(len(found)), rows.left_df]),
    )
    return Spectrum(
        mu=mu,
        df=df,
        rows=rows,
        basis=basis,
        basis_group=group[: len(found)],
        left_group=group[len(found) :],
        moments=moments,
    )
