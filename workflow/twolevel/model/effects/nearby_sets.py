"""The criterion of many data sets that each lack one subject, whose maxima lie near each other.

An evaluation at variances of their own would go through all subjects for each of them. A power
series around some variances gives the sums over all subjects (see `expansion`), from which those of
the one that is left out are taken off. Where a search looks elsewhere, as at a boundary, there is
soon a series for that too; the few data sets that are near none are evaluated as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from twolevel.model.effects import effect_criterion
from twolevel.model.effects.effect_criterion import Contracted, Evaluation, blocks_of, solved
from twolevel.model.effects.effect_sums import EffectSums
from twolevel.model.effects.expansion import Expansion
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.effects.sums_without import SumsWithoutEach
from twolevel.text.methods import Method

# Distinct R from which a series takes less time than all of them.
MANY = 50
# Data sets that are far from all series, up to which none is made for them; and series at most.
_FEW, _MOST_SERIES = 5, 50
# Data sets that are evaluated together.
TOGETHER = 2_000


@dataclass(frozen=True, eq=False)
class NearbySets:
    """Evaluates data sets that lack one subject each; C (S, r, r, G) are the directions of all."""

    whole: EffectSums
    C: np.ndarray
    layout: RelativeCovariance
    series: list[Expansion] = field(default_factory=list)

    def evaluate(
        self,
        sums: SumsWithoutEach,
        C: np.ndarray,
        psi: np.ndarray,
        method: Method,
        derivatives: bool = True,
    ) -> Evaluation:
        """Evaluate at psi (S, B): see `effect_criterion.evaluate`."""
        one = psi[:, :1]
        if (psi == one).all() and not any(near.reaches(one).all() for near in self.series):
            return effect_criterion.evaluate(sums, C, psi, method, derivatives)
        which, parts = [], []
        for some, near in self._divided(psi):
            own, at = sums.of_sets(some), psi[:, some]
            if near is None:
                part = effect_criterion.contracted(own, C, at, derivatives)
            else:
                theirs = C[..., own.own.group][:, :, :, None]
                left_out = effect_criterion.contracted(own.own, theirs, at, derivatives)
                part = near.contracted(at, derivatives).less(left_out)
            which.append(some)
            parts.append(vars(part).values())
        order = np.argsort(np.concatenate(which))
        joined = (np.concatenate(part, axis=-1)[..., order] for part in zip(*parts, strict=True))
        return solved(Contracted(*joined), sums.within, method)

    def _divided(self, psi: np.ndarray) -> Iterator[tuple[np.ndarray, Expansion | None]]:
        """The data sets (b,) at psi (S, B) that each series reaches, and blocks that none does."""
        left, known = np.arange(psi.shape[1]), 0
        while len(left):
            if known == len(self.series):
                if len(left) <= _FEW or known == _MOST_SERIES:
                    break
                middle = psi[:, left[len(left) // 2]]
                self.series.append(Expansion.at(self.whole, self.C, self.layout, middle))
            reached = self.series[known].reaches(psi[:, left])
            if reached.any():
                yield left[reached], self.series[known]
            left, known = left[~reached], known + 1
        if len(left):
            for block in np.split(left, np.cumsum(blocks_of(len(left), self.C))[:-1]):
                yield block, None
