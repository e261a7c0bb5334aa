"""The spectral form of the model in which one variance alone is random, whatever else was.

Where the other random effects are known to differ, the restricted likelihood ratio statistic of a
variance has about the distribution that it has in the model without them: their predictions are
taken off the response, and what is left is taken as if it were the data (Greven, Crainiceanu,
Kuechenhoff & Peters 2008, sec. 3; R's RLRsim).
"""

from __future__ import annotations

import numpy as np

from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.model.eigenvalues import Eigenvalues, OfSize, eigenvalues

# Sizes closer than this, relative to the largest, are one.
_SAME = 1e-9
# Pseudo-rows at most, or nearly: every draw of a statistic has a number for each.
_MOST_ROWS = 100


def eigenvalues_alone(sums: EffectSums, direction: np.ndarray) -> Eigenvalues:
    """Those of the effect of which M = I + psi C, with C (r, r, G) as its direction."""
    p, (a, b) = sums.n_coefficients, pairs(len(direction))
    sizes, axes = np.linalg.eigh(np.moveaxis(direction, -1, 0))  # (G, r) and (G, r, r)
    # Both orders of a pair are added up in the sums.
    cross = np.einsum("gak,agxy->gkxy", axes[:, a] * axes[:, b], sums.outer_xx).reshape(-1, p, p)
    n, counts = sizes.ravel(), np.repeat(sums.counts, len(direction))
    touched = n > _SAME * n.max()
    bins = _bins(n[touched], max(20, _MOST_ROWS // p))
    members = np.bincount(bins, counts[touched])
    mean = np.bincount(bins, counts[touched] * n[touched]) / members
    together = np.zeros((len(members), p, p))
    np.add.at(together, bins, cross[touched])
    rest = sums.within_xx + cross[~touched].sum(axis=0)
    parts: list[OfSize] = [(0.0, rest, sums.nobs - int(members.sum()))]
    parts += [(float(n), X, int(m)) for n, X, m in zip(mean, together, members, strict=True)]
    return eigenvalues(parts, np.sqrt(np.diag(rest + together.sum(axis=0))))


def _bins(sizes: np.ndarray, most: int) -> np.ndarray:
    """Which of the distinct sizes each one is (k,), or of `most` bins of about the same size.

    Subjects with times of their own all have sizes of their own. What a statistic's distribution
    depends on is smooth in them, so that it is the same for those of a narrow bin.
    """
    order = np.argsort(sizes, kind="stable")
    new = np.diff(sizes[order], prepend=sizes[order[0]]) > _SAME * sizes.max()
    bins = np.empty(len(sizes), dtype=int)
    if new.sum() < most:
        bins[order] = np.cumsum(new)
        return bins
    low, high = np.log(sizes.min()), np.log(sizes.max())
    at = np.floor((np.log(sizes) - low) / (high - low) * (most - 1)).astype(int)
    return np.unique(at, return_inverse=True)[1].ravel()
