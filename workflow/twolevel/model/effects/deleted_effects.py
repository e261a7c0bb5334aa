"""The likelihood of any random part without each subject in turn, from the sums of all.

Without subject i all sums lose that subject's own part: z^_i z^_i' from those of its R, and what is
left of its rows outside the span of Z_i from W. Each subject left out is one data set of a batch,
whose search starts at the fit to all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.model.downdate import LEFT, Deletions, keep_columns
from twolevel.model.effects.effect_criterion import EffectSolution, blocks_of, evaluate
from twolevel.model.effects.effect_search import EffectSearch, unbounded
from twolevel.model.effects.effect_sums import (
    EffectSums,
    SubjectSums,
    Three,
    pairs,
    project,
    row_blocks,
)
from twolevel.model.effects.effect_variances import variances_of_effects
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.random.random_columns import RandomColumns
from twolevel.text.methods import Method


@dataclass(frozen=True, eq=False)
class SumsWithoutEach:
    """The sums of as many data sets as subjects (B,) are left out: see `EffectSums`.

    Each of these has the R at group (B,), counts (B,) rows, and z^ with the outer products
    xx (P, p, p, B), xy (P, p, B) and yy (P, B); within are W less what is theirs.
    """

    whole: EffectSums
    group: np.ndarray
    counts: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    within: Three

    @property
    def size(self) -> int:
        """B."""
        return len(self.group)

    @property
    def nobs(self) -> np.ndarray:
        """How many rows are left (B,)."""
        return self.whole.nobs - self.counts

    @property
    def n_coefficients(self) -> int:
        """p."""
        return self.whole.n_coefficients

    def degrees_of_freedom(self, method: Method) -> np.ndarray:
        """N - p under REML, N under ML (B,)."""
        return self.whole.degrees_of_freedom(method) - self.counts

    def of_sets(self, which: np.ndarray) -> SumsWithoutEach:
        """The sums without some (b,) of the subjects."""
        if len(which) == self.size:
            return self
        xx, xy, yy = self.within
        return replace(
            self,
            group=self.group[which],
            counts=self.counts[which],
            xx=self.xx[..., which],
            xy=self.xy[..., which],
            yy=self.yy[..., which],
            within=(xx[..., which], xy[..., which], yy[..., which]),
        )

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., B) over the subjects left of what those with the same R have in common."""
        return self.whole.over_subjects(values) - self._own(values)

    def contracted(self, weights: np.ndarray) -> Three:
        """Sums xx (k, p, p, B), xy (k, p, B), yy (k, B) of outer products, by weights."""
        xx, xy, yy = self.whole.contracted(weights)
        own = self._own(weights)  # (k, P, B)
        return (
            xx - np.einsum("kab,aijb->kijb", own, self.xx),
            xy - np.einsum("kab,aib->kib", own, self.xy),
            yy - np.einsum("kab,ab->kb", own, self.yy),
        )

    def _own(self, values: np.ndarray) -> np.ndarray:
        """The values (..., B) of the R of each subject left out, from those of all (..., G, B)."""
        data_set = np.arange(self.size) if values.shape[-1] > 1 else 0
        return values[..., self.group, data_set]


def effects_without_each(
    design: DesignMatrix,
    random: RandomColumns,
    subjects: SubjectSums,
    sums: EffectSums,
    C: np.ndarray,
    layout: RelativeCovariance,
    method: Method,
    best: EffectSolution,
) -> Deletions:
    """Leave out each of the design's n subjects: see `Likelihood.without_each`."""
    n, p = len(subjects.group), sums.n_coefficients
    theta, gamma = np.full((layout.size, n), np.nan), np.full((n, p), np.nan)
    sigma_within, alone = np.full(n, np.nan), np.zeros(n, dtype=bool)
    inside = np.diag(subjects.within) == 0
    for some, counts, Z, rows in row_blocks(design, random):
        project(Z, rows, counts)
        rows[inside] = 0.0
        starts = np.cumsum(counts) - counts
        within = np.add.reduceat(rows[:, None] * rows, starts, axis=2)
        ends = np.cumsum(blocks_of(len(counts), C))
        for part in np.split(np.arange(len(counts)), ends[:-1]):
            which = np.arange(some.start, some.stop)[part]
            left = _without(subjects, sums, which, counts[part], within[..., part])
            own = within[:p, :p, part] + left.xx[np.equal(*pairs(len(sums.R)))].sum(axis=0)
            kept = (left.nobs > p) & keep_columns(np.moveaxis(own, -1, 0), subjects.total[:p, :p])
            which, left = which[kept], left.of_sets(np.flatnonzero(kept))
            if len(which) == 0:
                continue
            search = EffectSearch(left, C, layout, method)
            start = np.repeat(best.own[:, None], len(which), axis=1)
            flat = search.flat(start + 0.1 * layout.start()[:, None]).any(axis=0)
            found = search.minimum(start)
            found = layout.canonical(found, C)
            now = evaluate(left, C, layout.psi(found), method, derivatives=False)
            alone[which] = now.rss <= LEFT * best.rss
            fits = ~(flat | unbounded(found) | alone[which])
            theta[:, which[fits]], gamma[which[fits]] = found[:, fits], now.beta[:, fits].T
            sigma2 = now.rss / left.degrees_of_freedom(method)
            sigma_within[which[fits]] = np.sqrt(sigma2[fits])
    return Deletions(variances_of_effects(layout, theta, sigma_within), gamma, alone)


def _without(
    subjects: SubjectSums,
    sums: EffectSums,
    which: np.ndarray,
    counts: np.ndarray,
    within: np.ndarray,
) -> SumsWithoutEach:
    """The sums without subjects `which` (B,), whose own parts of W are within (q, q, B)."""
    p = sums.n_coefficients
    a, b = pairs(len(sums.R))
    own = np.moveaxis(subjects.projected[which], 0, -1)  # (r, q, B)
    outer = own[a, :, None] * own[b, None, :]
    outer += np.where(a == b, 0.0, 1.0)[:, None, None, None] * np.swapaxes(outer, 1, 2)
    left = subjects.within[..., None] - within
    return SumsWithoutEach(
        whole=sums,
        group=subjects.group[which],
        counts=counts,
        xx=outer[:, :p, :p],
        xy=outer[:, :p, p],
        yy=outer[:, p, p],
        within=(left[:p, :p], left[:p, p], left[p, p]),
    )
