"""A random part as statsmodels' MixedLM takes it.

MixedLM has one vector of correlated effects of the subject, and independent effects beside it, each
with a variance of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twolevel.random.effect_names import INTERCEPT
from twolevel.random.random_columns import RandomColumns, TermColumns


def random_arguments(random: RandomColumns, codes: np.ndarray) -> dict[str, Any] | None:
    """MixedLM's arguments for a random part on rows of subjects (N,); None where it has none."""
    from statsmodels.regression.mixed_linear_model import VCSpec

    correlated, others = _divided(random)
    if any(each.values.shape[1] > 1 for each in others):
        return None
    given: dict[str, Any] = {} if correlated is None else {"exog_re": correlated.values}
    if others:
        ends = np.cumsum(np.bincount(codes))
        of_subjects = np.split(np.argsort(codes, kind="stable"), ends[:-1])
        matrices = [[_indicators(each, rows) for rows in of_subjects] for each in others]
        columns = [[list(map(str, range(m.shape[1]))) for m in each] for each in matrices]
        given["exog_vc"] = VCSpec([f"own{k}" for k in range(len(others))], columns, matrices)
    return given


def intercept_sd(random: RandomColumns, covariance: np.ndarray) -> float:
    """The standard deviation of subjects' intercepts, from MixedLM's covariance (q, q) of effects.

    NaN where subjects have none, or not among the correlated effects.
    """
    correlated, _ = _divided(random)
    if correlated is None or INTERCEPT not in correlated.term.effects:
        return np.nan
    row = correlated.back[correlated.term.effects.index(INTERCEPT)]
    return float(np.sqrt(row @ covariance @ row))


def _divided(random: RandomColumns) -> tuple[TermColumns | None, list[TermColumns]]:
    """The subject's first term with the most effects, if it has any, and all others."""
    own = [each for each in random.terms if each.levels is None]
    largest = max(own, key=lambda each: each.values.shape[1], default=None)
    return largest, [each for each in random.terms if each is not largest]


def _indicators(each: TermColumns, rows: np.ndarray) -> np.ndarray:
    """One effect at the rows (n,) of a subject, a column for each of its levels there."""
    if each.levels is None:
        return each.values[rows]
    levels = np.unique(each.levels[rows], return_inverse=True)[1]
    return each.values[rows] * np.eye(levels.max() + 1)[levels]
