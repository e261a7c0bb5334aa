"""The rows of each subject of each data set, projected on what is random: see `model.subject_sums`.

Some rows of each data set are absent. An absent row is a row of zeros, which changes no sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.model.effects.effect_criterion import relative_variance
from twolevel.numeric.projection import orthogonalised, taken_out


@dataclass(frozen=True, eq=False)
class ProjectedRows:
    """B data sets of n subjects: R (B, n, Q, Q) and z^ (B, n, Q, q), z being [x | y].

    rest (q, q, B) are the cross-products of what z leaves, and nobs (B,) counts rows.
    """

    R: np.ndarray
    z: np.ndarray
    rest: np.ndarray
    nobs: np.ndarray

    @classmethod
    def of(cls, study: PlannedStudy, y: np.ndarray, observed: np.ndarray) -> ProjectedRows:
        """Project responses y (B, N), of which some are observed (B, N)."""
        B, N = y.shape
        counts = np.tile(np.bincount(study.design.codes), B)
        seen = observed.ravel().astype(float)
        z = np.concatenate([np.tile(study.X.T, B), y.reshape(1, -1)]) * seen
        basis, R = orthogonalised(np.tile(study.random.expanded(), B) * seen, counts)
        projected = taken_out(basis, z, counts)
        rows = z.reshape(len(z), B, N)
        rest = np.einsum("qbn,sbn->qsb", rows, rows)
        R, projected = (part.reshape(B, -1, *part.shape[1:]) for part in (R, projected))
        return cls(R, projected, rest, seen.reshape(B, N).sum(axis=1))

    def with_variance(self, study: PlannedStudy) -> ProjectedRows:
        """The same where responses that vary as I are made to vary as the study has it.

        With V = (I - Q Q') + Q M Q', it takes a root of M times Q' y for Q' y, and no more.
        """
        R = np.moveaxis(self.R, (0, 1), (-1, -2))
        M = relative_variance(study.layout.directions(R), study.psi[:, None])  # (Q, Q, n, B)
        root = np.linalg.cholesky(np.transpose(M, (3, 2, 0, 1)))
        z = self.z.copy()
        z[..., -1] = np.einsum("bnrs,bns->bnr", root, z[..., -1])
        return replace(self, z=z)
