"""Many data sets of one within-subjects design, fitted together by REML.

A data set has J conditions, n subjects and in each cell up to `replicates` observations; a batch of
B of them is laid out as (J x replicates, B, n), the replicates of a condition next to each other.
Complete data have a closed form (`complete`), incomplete data a search over lambda, for the whole
batch at once (`incomplete`). Either way the results are those of `fit_mixed` for `y ~ condition`,
one data set after the other.
"""

from __future__ import annotations

import numpy as np

from twolevel.experiments.batch_fit import BatchFit
from twolevel.experiments.complete_data import fit_complete
from twolevel.experiments.incomplete_data import fit_incomplete


def fit_batch(y: np.ndarray, replicates: int = 1, observed: np.ndarray | None = None) -> BatchFit:
    """Fit the random-intercept model `y ~ condition` by REML to each data set of a batch.

    y is (J x replicates, B, n); observed, of a shape that broadcasts to that of y, says which
    values count, all of them when left out. A subject without any is no subject of that data set.
    """
    if observed is None:
        return fit_complete(y, replicates)
    return fit_incomplete(y, replicates, np.broadcast_to(observed, y.shape))
