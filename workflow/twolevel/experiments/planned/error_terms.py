"""The errors of a balanced design: what the ANOVA with partitioned errors tests each term against.

Where all subjects have the same rows, a hypothesis speaks of some directions of these rows: of
their mean, of contrasts of a factor's levels. How subjects vary in those directions, where the
model lets them, and by the same variance in all, is the error stratum (see `strata.anova`); all
directions in which they do not vary share the residual error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.numeric.projection import orthogonalised

# The share of a direction that rounding leaves.
_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class Stratum:
    """An error: directions U (K, m) of a subject's rows, inside (r, m) in those of the random part.

    inside is None for the residual error, whose directions are all outside of the random part; df
    are its degrees of freedom, and expected its mean square in units of sigma_w^2.
    """

    U: np.ndarray
    inside: np.ndarray | None
    df: int
    expected: float
    inverse: np.ndarray

    def mean_square(self, sums: EffectSums) -> np.ndarray:
        """The error's mean square (B,) in data sets."""
        if self.inside is None:
            xy, yy = sums.within_xy, sums.within_yy
        else:
            weights = (self.inside @ self.inside.T)[pairs(len(self.inside))]
            _, xy, yy = (part[0] for part in sums.contracted(weights[None, :, None, None]))
        return (yy - np.einsum("pb,ps,sb->b", xy, self.inverse, xy)) / self.df


@dataclass(frozen=True, eq=False)
class ErrorTerms:
    """The error of each hypothesis of a study; there is none where no F is exact."""

    study: PlannedStudy

    @cached_property
    def same_rows(self) -> bool:
        """Whether all subjects have the same rows of the random part, and none is absent."""
        study = self.study
        absent = study.absence is not None and study.absence.any
        counts = np.bincount(study.design.codes)
        return not absent and study.subjects.R.shape[2] == 1 and np.ptp(counts) == 0

    def of(self, rows: np.ndarray) -> Stratum | None:
        """The error of the hypothesis rows (q, p) of the design's columns; None where none is."""
        if not self.same_rows:
            return None
        U = self._directions(rows)
        for stratum in self._strata:
            if stratum is not None and _within(U, stratum.U):
                return stratum
        return None

    @cached_property
    def covariance(self) -> np.ndarray:
        """(X'X)^-1 (p, p) of the working columns."""
        return np.linalg.inv(self.study.gram)

    def df_of_a_subject(self, stratum: Stratum) -> int:
        """The degrees of freedom by which an error grows with each subject."""
        outside = len(self._basis) - self._basis.shape[1]
        return outside if stratum.inside is None else stratum.U.shape[1]

    def noncentrality(self, rows: np.ndarray, stratum: Stratum) -> float:
        """That of the F test of the hypothesis rows (q, p), at the truth."""
        study, at = self.study, rows @ self.study.T
        effect = rows @ study.beta / study.sigma_within
        weight = np.linalg.inv(at @ self.covariance @ at.T)
        return float(effect @ weight @ effect) / stratum.expected

    @cached_property
    def _basis(self) -> np.ndarray:
        """Orthonormal directions (K, r) of the random part in a subject's rows."""
        study = self.study
        K = int(np.bincount(study.design.codes)[0])
        basis = orthogonalised(study.random.expanded(slice(0, K)), np.array([K]))[0]
        return basis[study.subjects.used].T

    def _directions(self, rows: np.ndarray) -> np.ndarray:
        """Orthonormal directions (K, m) of a subject's rows that a hypothesis speaks of."""
        study, K = self.study, len(self._basis)
        H = study.X @ self.covariance @ (rows @ study.T).T  # (N, q)
        blocks = np.moveaxis(H.reshape(-1, K, H.shape[1]), 1, 0).reshape(K, -1)
        U, sizes, _ = np.linalg.svd(blocks, full_matrices=False)
        return U[:, sizes > _ROUNDING * sizes[0]]

    @cached_property
    def _strata(self) -> list[Stratum | None]:
        """One for the means of subjects, and one for each set of directions of a term."""
        K = len(self._basis)
        found = [np.full((K, 1), 1 / np.sqrt(K))]
        widest = sorted(map(self._directions, self.study.terms.values()), key=lambda U: -U.shape[1])
        for U in widest:
            if not any(_within(U, other) for other in found):
                found.append(U)
        return [self._stratum(U) for U in found]

    def _stratum(self, U: np.ndarray) -> Stratum | None:
        study, K = self.study, len(self._basis)
        inside = self._basis.T @ U
        X = study.X.reshape(-1, K, study.X.shape[1])
        n = len(X)
        if np.abs(inside).max() < _ROUNDING:
            left = X - np.einsum(
                "kr,nrp->nkp", self._basis, np.einsum("kr,nkp->nrp", self._basis, X)
            )
            cross, rank = _inverse(np.einsum("nkp,nks->ps", left, left), self.study.gram)
            return Stratum(U, None, n * (K - self._basis.shape[1]) - rank, 1.0, cross)
        if np.abs(np.square(inside).sum(axis=0) - 1).max() > _ROUNDING:
            return None
        along = np.einsum("rm,srt,tl->sml", inside, study.directions[..., 0], inside)
        equal = np.einsum("smm->s", along)[:, None, None] / len(along[0]) * np.eye(len(along[0]))
        if (np.abs(along - equal) > _ROUNDING * np.abs(study.directions).max()).any():
            return None
        along = np.einsum("km,nkp->nmp", U, X)
        cross, rank = _inverse(np.einsum("nmp,nms->ps", along, along), self.study.gram)
        expected = float(np.trace(inside.T @ study.M[..., 0] @ inside)) / U.shape[1]
        return Stratum(U, inside, n * U.shape[1] - rank, expected, cross)


def _within(U: np.ndarray, other: np.ndarray) -> bool:
    """Whether directions (K, m) lie in the span of others."""
    return bool(np.abs(U - other @ (other.T @ U)).max() < _ROUNDING)


def _inverse(cross: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, int]:
    """The pseudo-inverse of cross-products (p, p), part of all the rows' gram, and their rank."""
    scale = np.sqrt(np.diag(gram))
    values, vectors = np.linalg.eigh(cross / np.outer(scale, scale))
    kept = values > _ROUNDING
    root = vectors[:, kept] / np.sqrt(values[kept]) / scale[:, None]
    return root @ root.T, int(kept.sum())
