"""What changes within subjects, and so asks for an error of its own, which this model has not.

A variable that subjects meet several times at the same level, as one of two crossed factors or of
one with several trials a cell, may act differently on each of them. Those differences are the error
of its test in the partitioned ANOVA (`Error(id / (a * b))`); a random intercept alone pools them
with all other error within subjects.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix

# A number is taken for a set of conditions where its values are seen by half of the subjects on
# average; else it is a covariate, whose values happen to repeat.
_LEAST_SHARE = 0.5


def repeated_within(design: DesignMatrix) -> list[str]:
    """The variables that change within subjects and of which a subject meets a level repeatedly.

    Of a table in shards, its sample is looked at.
    """
    return [name for name in design.data if design.varies_within(name) and _repeats(design, name)]


def _repeats(design: DesignMatrix, name: str) -> bool:
    codes, levels = pd.factorize(design.data[name])
    n, J = len(design.subjects), len(levels)
    cells, counts = np.unique(design.codes * J + codes, return_counts=True)
    if design.is_numeric(name) and len(cells) < _LEAST_SHARE * n * J:
        return False
    # A row or two too many make no factor's own error; in every second cell, they do.
    return bool(counts.mean() >= 1.5)


def unconnected(design: DesignMatrix, variable: str | None) -> list[list]:
    """Sets of a variable's levels no two of which have a subject in common; [] if there is one.

    Levels of different sets are compared between subjects only. Of a table in shards, its sample
    is looked at.
    """
    if variable is None or not design.varies_within(variable):
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    levels = design.levels(variable)
    codes = pd.Categorical(design.data[variable], levels).codes.astype(int)
    J, n = len(levels), len(design.subjects)
    met = coo_array((np.ones(len(codes)), (codes, J + design.codes)), shape=(J + n, J + n))
    count, of = connected_components(met, directed=False)
    if count == 1:
        return []
    return [
        [level for level, own in zip(levels, of, strict=False) if own == k] for k in range(count)
    ]
