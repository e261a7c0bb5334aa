"""The codes that formulaic gives to factors, evaluated once for every combination of their levels.

An evaluation costs the same for one row and for thousands, and what it makes of a row depends on
the formula and on the row's levels alone. So rows are looked up, and what a formula makes of some
levels is kept for the next fit with the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.cells import combinations
from twolevel.design.variables import Variables

# Combinations of levels up to which all are evaluated, and for how many formulas they are kept. A
# model of factors has no more columns than combinations, so each takes up 512 KiB at most.
_MOST_CELLS, _MOST_KEPT = 256, 64


@dataclass(frozen=True, eq=False)
class FactorCodes:
    """The codes (m, p) of rows of factors, whose numbers are all 1, and the names of the columns.

    terms are the positions of each term's columns. of_cells (K, p) are the codes of all
    combinations of levels, the last factor's varying fastest; None where they are too many, or
    depend on numbers.
    """

    columns: tuple[str, ...]
    terms: tuple[tuple[int, ...], ...]
    of_cells: np.ndarray | None
    _spec: Any
    _ones: tuple[str, ...]

    def of(self, factors: Variables) -> np.ndarray:
        """The codes (m, p) of m rows of factors with the same levels."""
        if self.of_cells is None:
            codes = np.asarray(self._spec.get_model_matrix(_with_ones(factors, self._ones)), float)
            return np.broadcast_to(codes, (factors.rows, codes.shape[1]))
        cell_of = np.zeros(factors.rows, dtype=np.intp)
        for factor in factors.factors.values():
            cell_of = cell_of * len(factor.categories) + factor.codes
        # Column by column in memory, as formulaic has them: sums depend on it in the last digit.
        return self.of_cells.T.take(cell_of, axis=1).T


@lru_cache(_MOST_KEPT)
def terms_of(right_side: str) -> tuple:
    """The terms that formulaic reads in the right-hand side of a formula."""
    from formulaic import Formula

    return tuple(Formula(right_side))


def standing_for(terms: Sequence, stands_for: Mapping[str, str]) -> list:
    """Terms in which other texts stand for some of the factors."""
    from formulaic.parser.types import Factor, Term

    def stand(factor: Factor) -> Factor:
        text = stands_for.get(factor.expr, factor.expr)
        return factor if text == factor.expr else Factor(text, eval_method="python")

    return [Term([stand(factor) for factor in term.factors]) for term in terms]


@dataclass(frozen=True)
class _Question:
    """What codes depend on: terms, columns of ones, and the levels of factors.

    Levels that are equal and look different, as 1 and 1.0, have different names for their columns.
    """

    exprs: tuple[tuple[str, ...], ...]
    ones: tuple[str, ...]
    levels: tuple[tuple[str, bool, tuple[tuple[Any, str], ...]], ...]
    terms: Sequence = field(compare=False)
    dtypes: dict[str, pd.CategoricalDtype] = field(compare=False)


def factor_codes(terms: Sequence, ones: tuple[str, ...], factors: Variables) -> FactorCodes:
    """formulaic's codes for terms of factors (m rows) and of columns of ones.

    Raises what formulaic raises for transforms and contrasts that cannot be had of these factors.
    """
    dtypes = {name: factor.dtype for name, factor in factors.factors.items()}
    count = prod(len(dtype.categories) for dtype in dtypes.values())
    if len(dtypes) < len(factors.columns) or count > _MOST_CELLS:
        return _evaluated(terms, ones, factors)[0]
    levels = tuple(
        (name, dtype.ordered, tuple((level, repr(level)) for level in dtype.categories))
        for name, dtype in dtypes.items()
    )
    exprs = tuple(tuple(factor.expr for factor in term.factors) for term in terms)
    return _of_levels(_Question(exprs, ones, levels, terms, dtypes))


@lru_cache(_MOST_KEPT)
def _of_levels(question: _Question) -> FactorCodes:
    count = prod(len(dtype.categories) for dtype in question.dtypes.values())
    cells = combinations(question.dtypes, np.arange(count))
    found, matrix = _evaluated(question.terms, question.ones, cells)
    matrix.flags.writeable = False
    return replace(found, of_cells=matrix)


def _evaluated(
    terms: Sequence, ones: tuple[str, ...], factors: Variables
) -> tuple[FactorCodes, np.ndarray]:
    """What formulaic makes of terms, and their codes (m, p) in m rows."""
    from formulaic import Formula

    matrix = Formula(list(terms)).get_model_matrix(
        _with_ones(factors, ones), na_action="raise", ensure_full_rank=True
    )
    spec = matrix.model_spec
    indices = tuple(tuple(columns) for columns in spec.term_indices.values())
    codes = np.array(matrix, dtype=float)
    return FactorCodes(tuple(spec.column_names), indices, None, spec, ones), codes


def _with_ones(factors: Variables, ones: tuple[str, ...]) -> pd.DataFrame:
    return factors.table().assign(**dict.fromkeys(ones, 1.0))
