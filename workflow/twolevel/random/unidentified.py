"""The refusal of random effects that the rows cannot tell from each other, or from the residual.

The first two checks are lme4's (`lmerControl`: check.nobs.vs.nlev and check.nobs.vs.nRE); lme4
fits what the others refuse, and shares the variance between two equal terms at will.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import ALIAS_TOLERANCE, independent_columns
from twolevel.random.random_columns import RandomColumns, TermColumns
from twolevel.text.errors import InputError


def refuse_unidentified(columns: RandomColumns, design: DesignMatrix, place: str) -> None:
    """Refuse what the N rows of a design cannot tell apart.

    Of a table in shards, columns are compared in its sample. Raises InputError; `place` starts its
    message.
    """
    N = design.nobs
    for each in columns.terms:
        L, q = _count(each, design), each.values.shape[1]
        if L == N:
            raise InputError(
                f"{place}: in {each.term} every level has one row, so that its effects cannot be "
                "told from the residual error; leave it out"
            )
        if L * q >= N:
            raise InputError(
                f"{place}: {each.term} has {q} effects at each of {L:,} levels, and the table has "
                f"{N:,} rows, so that they cannot be told from the residual error; expected more "
                "rows than effects; leave some out left of the bar"
            )
        gram = each.values.T @ each.values
        kept = independent_columns(gram, np.diag(gram) + ALIAS_TOLERANCE)
        if aliased := [name for k, name in enumerate(each.term.effects) if k not in kept]:
            raise InputError(
                f"{place}: in {each.term} the data cannot tell {', '.join(aliased)} apart from the "
                "columns before; leave it out left of the bar"
            )
    levels = [_levels(each, design.codes, len(design.subjects)) for each in columns.terms]
    for (one, own), (other, others) in combinations(zip(columns.terms, levels, strict=True), 2):
        shared = [name for name in one.term.effects if name in other.term.effects]
        if shared and _alike(own, others):
            raise InputError(
                f"{place}: {one.term} and {other.term} both have {shared[0]} at the same levels, "
                "so that its variance cannot be shared out between them; leave it out of one"
            )


def _count(each: TermColumns, design: DesignMatrix) -> int:
    """How many levels the grouping factor has."""
    own = None if each.source is None else each.source.own
    return len(design.all_subjects) if own is None else own.count


def _levels(each: TermColumns, subjects: np.ndarray, n: int) -> np.ndarray:
    """The level (N,) of the grouping factor that each row has, counted over all subjects."""
    if each.levels is None:
        return subjects
    most = np.zeros(n, dtype=np.intp)
    np.maximum.at(most, subjects, each.levels + 1)
    return (np.cumsum(most) - most)[subjects] + each.levels


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two factors (N,) sort the rows in the same way."""
    first = np.zeros(int(one.max()) + 1, dtype=np.intp)
    first[one] = other
    back = np.zeros(int(other.max()) + 1, dtype=np.intp)
    back[other] = one
    return bool((first[one] == other).all() and (back[other] == one).all())
