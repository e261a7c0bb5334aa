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

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twolevel.design.cells import Cells, SubjectRows
from twolevel.numeric.standardised import power_of_two

# Relative squared norm below which a column counts as a combination of earlier ones. R's lm uses
# 1e-7 on the norm, and squares lose half the digits of double precision.
ALIAS_TOLERANCE = 1e-11
# Share of a column's squares within subjects below which it is the rounding of subjects' means.
CONSTANT = 1e-20

# Numbers in an array over all patterns of cells, above which the rows themselves are summed.
_MANY = 20_000_000


@dataclass(frozen=True, eq=False)
class SubjectMoments:
    """Sums of each subject: numbers of rows, means of the columns and of the response; W (q, q).

    pattern (n,) says which of the P kinds of subjects each one is; of a kind's subjects sizes (P,)
    are the numbers of rows and columns (P, p) the means of x. response (n,) are the means of y.
    """

    sizes: np.ndarray
    columns: np.ndarray
    pattern: np.ndarray
    response: np.ndarray
    within: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """The numbers of rows n_i (n,)."""
        return self.sizes[self.pattern]

    @cached_property
    def means(self) -> np.ndarray:
        """The means zbar_i (n, q)."""
        return np.column_stack([self.columns[self.pattern], self.response])


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

    @cached_property
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


def subject_moments(cells: Cells, y: np.ndarray, rows: SubjectRows) -> SubjectMoments:
    """Reduce rows [x | y] to each subject's means and the pooled W; y (N,) is overwritten.

    Deviations are squared after the subject's mean is subtracted, never before: the textbook sums
    of squares lose every digit on data with a large offset (Chan, Golub & LeVeque 1983).
    """
    counts, p = rows.counts, cells.X.shape[1]
    means = _means(rows, counts, y)
    within = np.empty((p + 1, p + 1))
    within[p, p] = y @ y
    found = None if cells.codes is None else rows.patterns(cells)
    if found is None or found[0].size * p > _MANY:
        X = cells.spread(cells.X).copy(order="F")
        columns = np.column_stack([_means(rows, counts, X[:, k]) for k in range(p)])
        pattern = np.arange(rows.n_subjects)
        within[:p, :p], within[:p, p] = X.T @ X, X.T @ y  # (p, N) @ (N, p)
        sizes = counts
    else:
        patterns, pattern = found
        columns, within[:p, :p] = _pattern_moments(patterns, np.bincount(pattern), cells.X)
        within[:p, p] = cells.X.T @ cells.sums(y)
        sizes = patterns.sum(axis=1)
    within[p, :p] = within[:p, p]
    return SubjectMoments(sizes, columns, pattern, means, within)


def _means(rows: SubjectRows, counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Each subject's mean (n,), which is subtracted from values (N,) in place.

    A mean is rounded; its error is the same in every row of a subject, and is taken out again.
    """
    means = rows.sums(values) / counts
    rows.subtract(values, means)
    error = rows.sums(values) / counts
    rows.subtract(values, error)
    return means + error


def _pattern_moments(
    patterns: np.ndarray, often: np.ndarray, X: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The means (P, p) of the rows of each pattern (P, K) of cells, and the pooled squares (p, p).

    often (P,) is how many subjects have each pattern.
    """
    sizes = patterns.sum(axis=1)[:, None]
    means = patterns @ X / sizes
    apart = X - means[:, None]  # (P, K, p)
    error = np.einsum("gk,gkp->gp", patterns, apart) / sizes  # a rounded mean's, as in _means
    apart = (apart - error[:, None]).reshape(-1, X.shape[1])
    weights = (patterns * often[:, None]).ravel()
    return means + error, (apart.T * weights) @ apart


def grouped_moments(subjects: SubjectMoments) -> Moments:
    """Group the subjects' means by the number of observations."""
    P, p = subjects.columns.shape
    of_pattern = np.bincount(subjects.pattern, minlength=P).astype(float)
    response = np.bincount(subjects.pattern, subjects.response, minlength=P)
    squares = np.bincount(subjects.pattern, subjects.response**2, minlength=P)
    sizes, group = np.unique(subjects.sizes, return_inverse=True)
    between = np.empty((len(sizes), p + 1, p + 1))
    for g in range(len(sizes)):
        at = group == g
        X = subjects.columns[at]
        between[g, :p, :p] = (X.T * of_pattern[at]) @ X
        between[g, :p, p] = between[g, p, :p] = X.T @ response[at]
        between[g, p, p] = squares[at].sum()
    counts = np.bincount(group, of_pattern).astype(int)
    return Moments(subjects.within, sizes, counts, between)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The affine map from working coefficients to the design's: beta = unit T gamma + shift.

    T (p, p) has determinant 1, so that log|X'V^-1X| is the same in both. centre (p,) is the mean of
    the working columns over all rows. The working response is ((y - mean) - (x first + rest)) /
    unit: the mean, which is all of a large offset, goes first and exactly, and unit is a power of
    two that makes what is left about 1 in size, whatever the response's own unit.
    """

    T: np.ndarray
    shift: np.ndarray
    centre: np.ndarray
    mean: float
    first: np.ndarray
    unit: float
    rest: float = 0.0

    def residual(self, cells: Cells, y: np.ndarray) -> np.ndarray:
        """The working response (N,) of observations y with the working columns of `cells`."""
        return ((y - self.mean) - cells.spread(cells.X @ self.first + self.rest)) / self.unit

    def recombined(self, S: np.ndarray) -> Coordinates:
        """The same with the working columns x S, for S (p, p) with determinant 1."""
        return replace(
            self, T=self.T @ S, centre=self.centre @ S, first=np.linalg.solve(S, self.first)
        )


def centred_columns(cells: Cells) -> tuple[Cells, np.ndarray]:
    """Centre the columns of X if one of them is constant: the new columns X T, and T (p, p).

    The constant column stays; without one nothing changes, for the model would.
    """
    X, T = cells.X, np.eye(cells.X.shape[1])
    constant = np.flatnonzero((np.ptp(X, axis=0) == 0) & (X[0] != 0))
    if len(constant) == 0:
        return cells, T
    k = constant[0]
    centre = column_means(cells)
    centre[k] = 0.0
    T[k] -= centre / X[0, k]
    return Cells(X - centre, cells.codes, cells.weights), T


def column_means(cells: Cells) -> np.ndarray:
    """The means (p,) of the columns over all observations."""
    if cells.codes is None:
        return cells.X.mean(axis=0)
    return cells.weights @ cells.X / len(cells.codes)


def gram_matrix(cells: Cells) -> np.ndarray:
    """The cross-products X'X (p, p) over all observations."""
    if cells.codes is None:
        return cells.X.T @ cells.X
    return (cells.X.T * cells.weights) @ cells.X


def working_columns(cells: Cells, y: np.ndarray) -> tuple[Cells, np.ndarray, Coordinates]:
    """The rows z = [x | y] in coordinates where nothing large cancels: x, and y (N,).

    Covariates are centred (where the model has an intercept), and the response is replaced by its
    residual from an ordinary least-squares fit: squared residuals then lose no digits to a large
    offset or a strong fixed effect, which they would as differences of large sums.
    """
    N = len(y)
    cells, T = centred_columns(cells)
    gram, centre = gram_matrix(cells), column_means(cells)
    unit = _unit(cells, gram, N * centre)
    constant = np.abs(cells.X @ unit - 1).max() < 1e-9
    k = int(np.abs(unit).argmax())
    if constant and np.ptp(cells.X[:, k]) > 0:
        # As with `0 + condition`. Within subjects the columns then cancel, unless one of them is
        # replaced by the constant that they add up to.
        S = np.eye(len(unit))
        S[:, k] = unit / unit[k]
        X = cells.X.copy()
        X[:, k] = 1 / unit[k]
        cells, centring = centred_columns(replace(cells, X=X))
        T = T @ S @ centring
        gram, centre = gram_matrix(cells), column_means(cells)
        unit = _unit(cells, gram, N * centre)
    mean = y.mean() if constant else 0.0
    # The mean is subtracted from y before anything else: exactly, to a rounding of y itself.
    residual = y - mean
    first = np.linalg.solve(gram, cells.X.T @ cells.sums(residual))
    residual -= cells.spread(cells.X @ first)
    size = power_of_two(residual)
    residual /= size
    shift = T @ (mean * unit + first)
    return cells, residual, Coordinates(T, shift, centre, mean, first, size)


def _unit(cells: Cells, gram: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """The u (p,) with X u = 1, if the model has a constant; sums (p,) are those of the columns."""
    constant = np.flatnonzero((np.ptp(cells.X, axis=0) == 0) & (cells.X[0] != 0))
    if len(constant) == 0:
        return np.linalg.solve(gram, sums)
    # Solved for, it would be rounded, and the response's offset would multiply that.
    unit = np.zeros(len(gram))
    unit[constant[0]] = 1 / cells.X[0, constant[0]]
    return unit


def working_moments(
    cells: Cells, y: np.ndarray, rows: SubjectRows
) -> tuple[SubjectMoments, Coordinates]:
    """The subjects' moments in the coordinates of `working_columns`, separated."""
    cells, residual, coordinates = working_columns(cells, y)
    return separated(subject_moments(cells, residual, rows), coordinates)


def separated(
    subjects: SubjectMoments, coordinates: Coordinates
) -> tuple[SubjectMoments, Coordinates]:
    """The moments in coordinates where a column varies within subjects, or not at all there.

    Where columns together do not vary within subjects though each one does, as period, treatment
    and their product in a crossover, the last one makes way for what they add up to. Beside the
    others it would be rounding at a large lambda, where differences between subjects count
    for nothing.
    """
    p = subjects.columns.shape[1]
    W = subjects.within[:p, :p]
    size = np.diag(W)
    varying = size > CONSTANT * (
        size + subjects.sizes[subjects.pattern] @ subjects.means[:, :p] ** 2
    )
    within = independent_columns(W, np.where(varying, size, np.inf))
    between = np.ones(p, dtype=bool)
    between[within] = False
    columns, cross = subjects.columns, subjects.within.copy()
    lost, between = np.flatnonzero(varying & between), np.flatnonzero(between)
    if len(lost):
        S = np.eye(p)
        S[np.ix_(within, lost)] = -np.linalg.solve(
            W[np.ix_(within, within)], W[np.ix_(within, lost)]
        )
        cross[:p] = S.T @ cross[:p]
        cross[:, :p] = cross[:, :p] @ S
        columns, coordinates = columns @ S, coordinates.recombined(S)
    cross[between] = cross[:, between] = 0.0
    return replace(subjects, columns=columns, within=cross), coordinates


def independent_columns(gram: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Positions of the columns that are not combinations of earlier ones, from a Gram matrix.

    `gram` (p, p) is the columns' cross-products, `scale` (p,) the squared norms that roundoff is
    measured against. Columns are taken from left to right, as R's lm keeps them.
    """
    rest = np.array(gram, dtype=float)
    kept = []
    for k in range(len(rest)):
        if rest[k, k] > ALIAS_TOLERANCE * scale[k]:
            kept.append(k)
            rest -= np.outer(rest[:, k], rest[k] / rest[k, k])
    return np.array(kept, dtype=int)
