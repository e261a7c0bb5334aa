"""One pass over the data: the sums that every likelihood of the model is a function of.

With one grouping factor, V_i = sigma_w^2 (I + lambda 11') depends on the subject only through the
number of its observations n_i. Let z = [X | y] be the columns of one row, zbar_i their means in
subject i. Then for every lambda

    sum_i Z_i' V_i^-1 Z_i sigma_w^2 = W + sum_i n_i / (1 + n_i lambda) zbar_i zbar_i'

with W the pooled within-subject cross-products. Grouped by the distinct n_i, all that a
likelihood needs is W and one (q, q) matrix for each distinct n_i, whatever the number of rows
(Searle, Casella & McCulloch 1992, ch. 3; the same identity as lme4's penalised least squares with
one scalar random effect).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SubjectMoments:
    """Sums of each subject: counts (n,), means (n, q), and pooled within cross-products (q, q)."""

    counts: np.ndarray
    means: np.ndarray
    within: np.ndarray


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums grouped by the distinct numbers of observations per subject.

    sizes (g,): the distinct n_i; counts (g,): how many subjects have each; between (g, q, q):
    sum of zbar_i zbar_i' over these subjects; within (q, q): pooled within-subject cross-products.
    The last column of z is the response. Those of B data sets together have B as a last axis,
    all but sizes.
    """

    within: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    between: np.ndarray

    @property
    def nobs(self) -> int:
        """The number of observations N."""
        return self.sizes @ self.counts

    @property
    def n_coefficients(self) -> int:
        """The number of fixed-effects coefficients p."""
        return len(self.within) - 1

    @property
    def n_subjects(self) -> int:
        """The number of subjects n."""
        return int(self.counts.sum())

    @property
    def total(self) -> np.ndarray:
        """The cross-products Z'Z (q, q) over all rows."""
        return self.within + np.tensordot(self.sizes.astype(float), self.between, 1)


def subject_moments(Z: np.ndarray, codes: np.ndarray, n_subjects: int) -> SubjectMoments:
    """Reduce rows Z (N, q) of subjects codes (N,) to each subject's means and the pooled W.

    Deviations are squared after the subject's mean is subtracted, never before: the textbook sums
    of squares lose every digit on data with a large offset (Chan, Golub & LeVeque 1983).
    """
    counts = np.bincount(codes, minlength=n_subjects)
    means = np.empty((n_subjects, Z.shape[1]))
    for k in range(Z.shape[1]):
        means[:, k] = np.bincount(codes, weights=Z[:, k], minlength=n_subjects) / counts
    deviations = Z - means[codes]
    # A mean is rounded; its error is the same in every row of a subject, and is taken out again.
    for k in range(Z.shape[1]):
        error = np.bincount(codes, weights=deviations[:, k], minlength=n_subjects) / counts
        means[:, k] += error
        deviations[:, k] -= error[codes]
    return SubjectMoments(counts, means, deviations.T @ deviations)  # (q, N) @ (N, q)


def grouped_moments(subjects: SubjectMoments) -> Moments:
    """Group the subjects' means by the number of observations."""
    sizes, group = np.unique(subjects.counts, return_inverse=True)
    between = np.stack(
        [subjects.means[group == g].T @ subjects.means[group == g] for g in range(len(sizes))]
    )
    return Moments(subjects.within, sizes, np.bincount(group), between)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The affine map from working coefficients back to the formula's: beta = T gamma + shift.

    T (p, p) has determinant 1, so that log|X'V^-1X|, and with it the REML likelihood, is the same
    in both. centre (p,) is the mean of the working columns over all rows.
    """

    T: np.ndarray
    shift: np.ndarray
    centre: np.ndarray


def centred_columns(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre the columns of X (N, p) if one of them is constant: the new columns X T, and T (p, p).

    The constant column stays; without one nothing changes, for the model would.
    """
    T = np.eye(X.shape[1])
    constant = np.flatnonzero((np.ptp(X, axis=0) == 0) & (X[0] != 0))
    if len(constant) == 0:
        return X, T
    k = constant[0]
    centre = X.mean(axis=0)
    centre[k] = 0.0
    T[k] -= centre / X[0, k]
    return X - centre, T


def working_rows(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Coordinates]:
    """The rows z = [x | y] (N, q) in coordinates where nothing large cancels.

    Covariates are centred (where the model has an intercept), and the response is replaced by its
    residual from an ordinary least-squares fit: squared residuals then lose no digits to a large
    offset or a strong fixed effect, which they would as differences of large sums.
    """
    X, T = centred_columns(X)
    gram = X.T @ X
    centre = X.mean(axis=0)
    unit = np.linalg.solve(gram, len(X) * centre)  # X unit = 1 if the model has a constant
    constant = np.abs(X @ unit - 1).max() < 1e-9
    k = int(np.abs(unit).argmax())
    if constant and np.ptp(X[:, k]) > 0:
        # As with `0 + condition`. Within subjects the columns then cancel, unless one of them is
        # replaced by the constant that they add up to.
        S = np.eye(len(unit))
        S[:, k] = unit / unit[k]
        X = X.copy()
        X[:, k] = 1 / unit[k]
        X, centring = centred_columns(X)
        T = T @ S @ centring
        gram, centre = X.T @ X, X.mean(axis=0)
        unit = np.linalg.solve(gram, len(X) * centre)
    mean = y.mean() if constant else 0.0
    # The mean is subtracted from y before anything else: exactly, to a rounding of y itself.
    first = np.linalg.solve(gram, X.T @ (y - mean))
    residual = (y - mean) - X @ first
    return np.column_stack([X, residual]), Coordinates(T, T @ (mean * unit + first), centre)


def working_moments(
    X: np.ndarray, y: np.ndarray, codes: np.ndarray, n_subjects: int
) -> tuple[SubjectMoments, Coordinates]:
    """The subjects' moments in the coordinates of `working_rows`."""
    rows, coordinates = working_rows(X, y)
    return subject_moments(rows, codes, n_subjects), coordinates
