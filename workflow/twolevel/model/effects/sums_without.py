"""The sums over all subjects but one, for each of many: those of all less those of the one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twolevel.model.effects.effect_sums import EffectSums, Three
from twolevel.text.methods import Method


@dataclass(frozen=True, eq=False)
class OwnSums:
    """The sums over one subject each, of B: see `effect_sums.OverSubjects`.

    Each has the R at group (B,), and z^ with the outer products xx (P, p, p, B), xy (P, p, B) and
    yy (P, B). What is summed is for the one R that each has, (..., 1, B).
    """

    group: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    def of_sets(self, which: np.ndarray) -> OwnSums:
        """Those of some (b,) of the subjects."""
        return OwnSums(
            self.group[which], self.xx[..., which], self.xy[..., which], self.yy[..., which]
        )

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """The values (..., B)."""
        return values[..., 0, :]

    def contracted(self, weights: np.ndarray) -> Three:
        """The outer products by weights (k, P, 1, B)."""
        own = weights[:, :, 0]
        return (
            np.einsum("kab,aijb->kijb", own, self.xx),
            np.einsum("kab,aib->kib", own, self.xy),
            np.einsum("kab,ab->kb", own, self.yy),
        )


@dataclass(frozen=True, eq=False)
class SumsWithoutEach:
    """The sums of as many data sets as subjects (B,) are left out: see `effect_sums.Sums`.

    own are those of the subjects, of counts (B,) rows, and within is W less what is theirs.
    """

    whole: EffectSums
    own: OwnSums
    counts: np.ndarray
    within: Three

    @property
    def size(self) -> int:
        """B."""
        return len(self.counts)

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
            own=self.own.of_sets(which),
            counts=self.counts[which],
            within=(xx[..., which], xy[..., which], yy[..., which]),
        )

    def over_subjects(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., B) over the subjects left of what those with the same R have in common."""
        return self.whole.over_subjects(values) - self._theirs(values)[..., 0, :]

    def contracted(self, weights: np.ndarray) -> Three:
        """Sums xx (k, p, p, B), xy (k, p, B), yy (k, B) of outer products, by weights."""
        whole, theirs = self.whole.contracted(weights), self.own.contracted(self._theirs(weights))
        xx, xy, yy = (every - own for every, own in zip(whole, theirs, strict=True))
        return xx, xy, yy

    def _theirs(self, values: np.ndarray) -> np.ndarray:
        """The values (..., 1, B) of the R of each subject left out, from those (..., G, B)."""
        data_set = np.arange(self.size) if values.shape[-1] > 1 else 0
        return values[..., self.own.group, data_set][..., None, :]
