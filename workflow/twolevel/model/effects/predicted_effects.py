"""Best linear unbiased predictions of any random effects, and what they leave of the residuals.

With r_i = Q_i' (y_i - X_i beta) and N = M^-1, the predictions are b_i = Psi R_i' N r_i, with the
conditional covariance sigma_w^2 (Psi - Psi R_i' N R_i Psi) (Robinson 1991; lme4's condVar).
"""

from __future__ import annotations

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.model.effects.effect_criterion import Evaluation, inverse_and_log_det
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.random_effects import RandomEffects, Smoothed, Spread, Spreads
from twolevel.model.subject_sums import SubjectSums
from twolevel.numeric.projection import orthogonalised
from twolevel.random.random_columns import RandomColumns


def predicted_effects(
    subjects: SubjectSums,
    layout: RelativeCovariance,
    C: np.ndarray,
    theta: np.ndarray,
    beta: np.ndarray,
    sigma2: float,
) -> RandomEffects:
    """Predict the effects of all subjects, at theta (S,) of the working columns."""
    Psi, R, _, gain = _of_each_R(subjects, layout, C, theta)
    X, y = subjects.projected[..., :-1], subjects.projected[..., -1]
    left = y - X @ beta  # (n, r)
    deviation = np.empty((len(left), layout.n_columns))
    for place in layout.places:
        # Each term as if it were alone.
        own = R[:, :, place.ravel()]
        least_squares = np.linalg.pinv(own, rcond=1e-8)
        deviation[:, place.ravel()] = np.einsum("nqr,nr->nq", least_squares[subjects.group], left)
    return RandomEffects(
        deviation=deviation,
        effect=np.einsum("nqr,nr->nq", gain[subjects.group], left),
        covariances=sigma2 * (Psi - gain @ R @ Psi),
        kind=subjects.group,
        gain=gain,
        columns=X,
        pattern=np.arange(len(X)),
    )


def spreads_of_effects(
    subjects: SubjectSums,
    layout: RelativeCovariance,
    C: np.ndarray,
    theta: np.ndarray,
    counts: np.ndarray,
) -> Spreads:
    """How much residuals and effects vary; counts (n,) are the numbers of the subjects' rows.

    Of a subject's residuals the mean of their variances stands for each.
    """
    Psi, R, N, gain = _of_each_R(subjects, layout, C, theta)
    traces = np.einsum("gii->g", N) - R.shape[1]
    residual = Spread.binned(1 + traces[subjects.group] / counts, counts)
    kept = np.einsum("gqr,gqr->gq", gain, Psi @ np.swapaxes(R, 1, 2))
    variances = np.diag(Psi)
    share = kept / np.where(variances > 0, variances, 1.0)
    often = np.bincount(subjects.group, minlength=len(R)).astype(float)
    return Spreads(residual, tuple(Spread.binned(column, often) for column in share.T))


def smoothed_effects(
    design: DesignMatrix,
    random: RandomColumns,
    subjects: SubjectSums,
    layout: RelativeCovariance,
    C: np.ndarray,
    theta: np.ndarray,
    found: Evaluation,
    y: np.ndarray,
) -> Smoothed:
    """Fit m responses y (N, m) to the design's rows at one theta (S,)."""
    cells, _, _ = design.working_columns()
    X, codes, counts = cells.spread(cells.X), design.codes, design.subject_rows.counts
    order, starts = np.argsort(codes, kind="stable"), np.cumsum(counts) - counts
    Z = random.expanded(order)
    basis = orthogonalised(Z.copy(), counts)[0][subjects.used]  # (r, N)
    _, _, N, gain = _of_each_R(subjects, layout, C, theta)
    N, gain = N[subjects.group], gain[subjects.group]
    ordered, Xhat = y[order], subjects.projected[..., :-1]

    def onto_basis(values: np.ndarray) -> np.ndarray:
        """Q' values (n, r, m) of rows (N, m)."""
        parts = [np.add.reduceat(row[:, None] * values, starts) for row in basis]
        return np.stack(parts, axis=1)

    yhat = onto_basis(ordered)
    spread = np.repeat(np.arange(len(counts)), counts)
    outside = ordered.copy()
    for k, row in enumerate(basis):
        outside -= row[:, None] * yhat[spread, k]
    A_xy = X[order].T @ outside + np.einsum("nrp,nrs,nsm->pm", Xhat, N, yhat, optimize=True)
    gamma = found.unscaled_cov[..., 0] @ A_xy
    left = yhat - Xhat @ gamma
    effects = gain @ left  # (n, Q, m)
    along = X[order] @ gamma
    for k, column in enumerate(Z):
        along += column[:, None] * effects[spread, k]
    fitted = np.empty_like(along)
    fitted[order] = along
    rss = (outside**2).sum(axis=0) + np.einsum("nrm,nrs,nsm->m", yhat, N, yhat, optimize=True)
    return Smoothed(fitted, effects, rss - np.einsum("pm,pm->m", gamma, A_xy))


def _of_each_R(
    subjects: SubjectSums, layout: RelativeCovariance, C: np.ndarray, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Psi (Q, Q); and of each distinct R: R (G, r, Q), N (G, r, r) and Psi R' N (G, Q, r)."""
    Psi, R = layout.Psi(theta), np.moveaxis(subjects.R, -1, 0)
    N = np.moveaxis(inverse_and_log_det(C, layout.psi(theta)[:, None])[0][..., 0], -1, 0)
    return Psi, R, N, Psi @ np.swapaxes(R, 1, 2) @ N
