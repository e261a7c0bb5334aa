"""Data sets that a model draws, as sums: what the likelihood sees of them is drawn, not their rows.

Of subject i's response that is y^_i ~ N(0, sigma_w^2 M_i) with its products by X^_i, and what is
left outside the span of Z_i. Subjects with the same R enter by sums over them alone. As functions
of the X^ of such subjects, F (m, r p), the sums F' y^ and y^' y^ are those of k = rank(F)
*pseudo-subjects* with a root of F'F for F, and an independent Wishart matrix with m - k degrees of
freedom for the rest. So the cost does not grow with the number of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.model.subject_sums import SubjectSums

# An eigenvalue, relative to the largest, below which it is 0.
_RANK = 1e-11


@dataclass(frozen=True, eq=False)
class DrawnSums:
    """What data sets of one design are drawn from.

    X (K, r, p) are the pseudo-subjects' X^, in the order of the distinct R that they have, group
    (K,); left (G,) are the degrees of freedom of each R's Wishart matrix. within (k, p) is a root
    of W_xx, and left_within the degrees of freedom beside it. present (G, r) says which rows of R
    are not 0.
    """

    sums: EffectSums
    X: np.ndarray
    group: np.ndarray
    left: np.ndarray
    within: np.ndarray
    left_within: int
    present: np.ndarray

    @classmethod
    def of(cls, subjects: SubjectSums, sums: EffectSums) -> DrawnSums:
        """Reduce a design's subjects to pseudo-subjects."""
        _, r, q = subjects.projected.shape
        X = subjects.projected[..., : q - 1]
        order = np.argsort(subjects.group, kind="stable")
        parts, left = [], np.zeros(len(sums.counts), dtype=int)
        for g, own in enumerate(np.split(order, np.cumsum(sums.counts)[:-1])):
            F = X[own].reshape(len(own), -1)
            if len(own) > F.shape[1]:
                F = _root(F.T @ F)
                left[g] = len(own) - len(F)
                if left[g] < r:  # too few for Bartlett's decomposition
                    F = np.concatenate([F, np.zeros((left[g], F.shape[1]))])
                    left[g] = 0
            parts.append(F.reshape(-1, r, q - 1))
        present = (sums.R != 0).any(axis=1).T
        within = _root(sums.within_xx)
        return cls(
            sums,
            X=np.concatenate(parts),
            group=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
            left=left,
            within=within,
            left_within=int(sums.nobs - present.sum(axis=1) @ sums.counts) - len(within),
            present=present,
        )

    def draw(
        self, M: np.ndarray, sigma2: float, size: int, generator: np.random.Generator
    ) -> EffectSums:
        """The sums of so many data sets with V = sigma2 M, M (r, r, G), and no fixed part."""
        sigma = np.sqrt(sigma2)
        root = sigma * np.linalg.cholesky(np.moveaxis(M, -1, 0)) * self.present[..., None]
        y = generator.standard_normal((*self.X.shape[:2], size))
        y = np.einsum("krs,ksb->krb", root[self.group], y)
        outer_xy, outer_yy = [], []
        scatter = self._scatter(root, size, generator)
        for a, b in zip(*pairs(self.X.shape[1]), strict=True):
            xy, yy = self._over_groups(a, b, y), self._grouped(y[:, a] * y[:, b])
            if a != b:
                xy = xy + self._over_groups(b, a, y)
            outer_xy.append(xy)
            outer_yy.append((1 if a == b else 2) * (yy + scatter[:, a, b]))
        noise = sigma * generator.standard_normal((len(self.within), size))
        rest = sigma2 * generator.chisquare(self.left_within, size) if self.left_within else 0.0
        return replace(
            self.sums,
            within_xy=self.within.T @ noise,
            within_yy=(noise**2).sum(axis=0) + rest,
            outer_xy=np.stack(outer_xy),
            outer_yy=np.stack(outer_yy),
        )

    def _over_groups(self, a: int, b: int, y: np.ndarray) -> np.ndarray:
        """Sums (G, p, B) of x^_a y^_b over the pseudo-subjects of each R."""
        if len(self.left) == 1:
            return (self.X[:, a].T @ y[:, b])[None]
        return self._grouped(self.X[:, a, :, None] * y[:, None, b])

    def _grouped(self, products: np.ndarray) -> np.ndarray:
        """Sums (G, ...) of products (K, ...)."""
        if len(products) == len(self.left):
            return products
        starts = np.searchsorted(self.group, np.arange(len(self.left)))
        return np.add.reduceat(products, starts)

    def _scatter(self, root: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
        """Wishart matrices (G, r, r, B), by Bartlett's decomposition."""
        G, r, _ = root.shape
        scatter = np.zeros((G, r, r, size))
        for g in np.flatnonzero(self.left):
            T = np.zeros((r, r, size))
            T[np.tril_indices(r, -1)] = generator.standard_normal((r * (r - 1) // 2, size))
            df = self.left[g] - np.arange(r)
            T[np.diag_indices(r)] = np.sqrt(generator.chisquare(df[:, None], (r, size)))
            T = np.einsum("rs,stb->rtb", root[g], T)
            scatter[g] = np.einsum("rtb,stb->rsb", T, T)
        return scatter


def _root(cross: np.ndarray) -> np.ndarray:
    """Rows F (k, p) of full rank with F'F = cross (p, p)."""
    scale = np.sqrt(np.diag(cross))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(cross / np.outer(scale, scale))
    kept = values > _RANK * values[-1]
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T * scale
