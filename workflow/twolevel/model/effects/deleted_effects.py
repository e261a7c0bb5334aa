"""The likelihood of any random part without each subject in turn, from the sums of all.

Without subject i all sums lose that subject's own part: z^_i z^_i' from those of its R, and what is
left of its rows outside the span of Z_i from W. Each subject left out is one data set of a batch,
whose search starts at the fit to all. Where subjects have R of their own, an evaluation is by
power series (see `nearby_sets`), so that the time grows with their number and not its square.
"""

from __future__ import annotations

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.model.downdate import LEFT, Deletions, keep_columns
from twolevel.model.effects import effect_criterion
from twolevel.model.effects.effect_criterion import EffectSolution, blocks_of
from twolevel.model.effects.effect_search import EffectSearch, unbounded
from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.model.effects.effect_variances import variances_of_effects
from twolevel.model.effects.nearby_sets import MANY, TOGETHER, NearbySets
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.effects.sums_without import OwnSums, SumsWithoutEach
from twolevel.model.subject_sums import SubjectSums, row_blocks
from twolevel.numeric.projection import project
from twolevel.random.random_columns import RandomColumns
from twolevel.text.methods import Method


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
    """Leave out each of the design's n subjects: see `Likelihood.without_each`.

    `subjects` and `sums` are those of all rows, of which a design of shards has some.
    """
    n, p = len(design.subjects), sums.n_coefficients
    theta, gamma = np.full((layout.size, n), np.nan), np.full((n, p), np.nan)
    sigma_within, alone = np.full(n, np.nan), np.zeros(n, dtype=bool)
    inside = np.diag(subjects.within) == 0
    by_series = NearbySets(sums, C, layout) if len(sums.counts) >= MANY else None
    for some, counts, Z, rows in row_blocks(design, random):
        project(Z, rows, counts)
        rows[inside] = 0.0
        starts = np.cumsum(counts) - counts
        within = np.add.reduceat(rows[:, None] * rows, starts, axis=2)
        if by_series is None:
            ends = np.cumsum(blocks_of(len(counts), C))
        else:
            ends = np.arange(TOGETHER, len(counts) + TOGETHER, TOGETHER)
        for part in np.split(np.arange(len(counts)), ends[:-1]):
            which = np.arange(some.start, some.stop)[part]
            left = _without(
                subjects, sums, design.positions[which], counts[part], within[..., part]
            )
            own = within[:p, :p, part] + left.own.xx[np.equal(*pairs(len(sums.R)))].sum(axis=0)
            kept = (left.nobs > p) & keep_columns(np.moveaxis(own, -1, 0), subjects.total[:p, :p])
            which, left = which[kept], left.of_sets(np.flatnonzero(kept))
            if len(which) == 0:
                continue
            evaluate = effect_criterion.evaluate if by_series is None else by_series.evaluate
            search = EffectSearch(left, C, layout, method, evaluate)
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
    theirs = OwnSums(subjects.group[which], outer[:, :p, :p], outer[:, :p, p], outer[:, p, p])
    return SumsWithoutEach(sums, theirs, counts, (left[:p, :p], left[:p, p], left[p, p]))
