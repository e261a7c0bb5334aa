"""The refusal of variances that the data cannot tell from each other, or from the residual's.

V is linear in its variances and covariances, with derivatives G_r. Where some combination of the
G_r is 0 in the space of error contrasts (under ML: at all), other values of the variances give the
same likelihood, and their expected information is singular, whatever their values are. It is so
for (1 | id) beside the unstructured (0 + a | id), which lme4 fits, with variances shared out at
will and pbkrtest's tests by a generalised inverse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twolevel.design.moments import independent_columns
from twolevel.model.likelihood import VarianceSums
from twolevel.random.bars import Bar
from twolevel.text.errors import InputError, listed

# The part in a combination below which a variance has none in it.
_PART = 1e-6


def refuse_indistinct(sums: VarianceSums, phi: np.ndarray, owners: Sequence[Bar]) -> None:
    """Refuse r variances and covariances, those of terms owners (r - 1,) and the residual's last.

    The sums are those where all but the residual's, which is 1, are 0; phi (p, p) is (X' X)^-1
    under REML, and 0 under ML.

    Raises InputError.
    """
    order = np.roll(np.arange(len(sums.traces)), 1)  # the residual's first
    information = sums.information(phi, 1.0)[np.ix_(order, order)]
    sizes = np.diag(sums.traces)[order]
    kept = independent_columns(information, sizes)
    if len(kept) == len(order):
        return
    k = int(np.setdiff1d(np.arange(len(order)), kept)[0])
    term, before = owners[k - 1], kept[kept < k]
    if len(independent_columns(information[k : k + 1, k : k + 1], sizes[k : k + 1])) == 0:
        raise InputError(
            f"random part: the data say nothing of the variances of {term}, as the fixed effects "
            "leave nothing for it to explain; take terms that differ between subjects out of the "
            "formula, or effects out of the random part"
        )
    parts = np.linalg.solve(information[np.ix_(before, before)], information[before, k])
    large = np.abs(parts) * np.sqrt(sizes[before]) > _PART * np.sqrt(sizes[k])
    others = dict.fromkeys(
        f"those of {owners[j - 1]}" if j else "the residual error"
        for j in before[large].tolist()
        if j == 0 or owners[j - 1] != term
    )
    raise InputError(
        f"random part: the data cannot tell the variances of {term} from "
        f"{listed(others) if others else 'each other'}, as other values of them give all rows the "
        "same variances and covariances; leave "
        + ("one of these terms out" if len(others) - ("the residual error" in others) else "it out")
        + ", or effects out left of the bar"
    )
