"""The rows of a model without their repetitions.

Where every variable of a formula is a factor, rows repeat: there are as many distinct ones as
combinations of levels, whatever the number of observations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import pandas as pd

from twolevel.design.variables import Variables

# Combinations of factor levels up to which rows are held once for each.
_MOST_CELLS = 10_000


@dataclass(frozen=True, eq=False)
class Cells:
    """The distinct rows X (K, p) of a model, and the position (N,) among them of each observation.

    codes is None where every observation has a row of its own, K = N. weights (K,) is how many
    observations each distinct row has.
    """

    X: np.ndarray
    codes: np.ndarray | None
    weights: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sums (K,) of values (N,) over the observations of each distinct row."""
        if self.codes is None:
            return values
        return np.bincount(self.codes, values, minlength=len(self.X))

    def times(self, coefficients: np.ndarray) -> np.ndarray:
        """The linear predictor (N,) of coefficients (p,)."""
        return self.spread(self.X @ coefficients)

    def at(self, positions: np.ndarray | slice) -> np.ndarray:
        """The rows (m, p) of some observations."""
        return self.X[positions if self.codes is None else self.codes[positions]]

    def of_rows(self, keep: np.ndarray) -> Cells:
        """The same model for some of the observations only, keep (N,)."""
        if self.codes is None:
            return Cells(self.X[keep], None, self.weights[keep])
        codes = self.codes[keep]
        return Cells(self.X, codes, np.bincount(codes, minlength=len(self.X)).astype(float))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of the distinct rows (K, ...), for each observation (N, ...)."""
        return values if self.codes is None else values[self.codes]


def distinct_rows(variables: Variables) -> tuple[Variables, np.ndarray | None, np.ndarray]:
    """The combinations of factor levels that occur, which (N,) each row has, and how often (K,).

    Where a variable is a number, and so what a transform makes of it may depend on all rows, the
    rows themselves, None and ones; so too where there would be many combinations.
    """
    factors = variables.factors
    sizes = [len(factor.categories) for factor in factors.values()]
    if len(factors) < len(variables.columns) or prod(sizes) > _MOST_CELLS:
        return variables, None, np.ones(variables.rows)
    cell_of = np.zeros(variables.rows, dtype=np.intp)
    for k, factor in enumerate(factors.values()):
        if k == 0:
            cell_of = factor.codes.astype(np.intp)
        else:
            cell_of *= sizes[k]
            cell_of += factor.codes
    weights = np.bincount(cell_of, minlength=prod(sizes)).astype(float)
    occurs = np.flatnonzero(weights)
    if len(occurs) < prod(sizes):
        cell_of = np.searchsorted(occurs, cell_of)
    dtypes = {name: factor.dtype for name, factor in factors.items()}
    return combinations(dtypes, occurs), cell_of, weights[occurs]


def combinations(dtypes: Mapping[str, pd.CategoricalDtype], which: np.ndarray) -> Variables:
    """Some (m,) of all combinations of factors' levels, numbered with the last one's fastest."""
    sizes = [len(dtype.categories) for dtype in dtypes.values()]
    levels = np.unravel_index(which, sizes) if sizes else []
    columns = {
        name: pd.Categorical.from_codes(codes, dtype=dtype)
        for (name, dtype), codes in zip(dtypes.items(), levels, strict=True)
    }
    return Variables(columns, len(which))


@dataclass(frozen=True, eq=False)
class SubjectRows:
    """Which rows belong to which subject: codes (N,), positions among n_subjects subjects.

    width is the number of rows of every subject where these stand together, subject by subject;
    sums over subjects then need no codes. Else it is None.
    """

    codes: np.ndarray
    n_subjects: int

    @cached_property
    def width(self) -> int | None:
        """The number of rows of every subject, if they are laid out so."""
        width, rest = divmod(len(self.codes), self.n_subjects)
        if rest:
            return None
        laid_out = self.codes.reshape(self.n_subjects, width)
        return width if (laid_out == np.arange(self.n_subjects)[:, None]).all() else None

    @property
    def counts(self) -> np.ndarray:
        """The number of rows of each subject (n,)."""
        if self.width:
            return np.full(self.n_subjects, self.width)
        return np.bincount(self.codes, minlength=self.n_subjects)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sums (n,) of values (N,) over each subject's rows."""
        if self.width:
            return values.reshape(self.n_subjects, self.width) @ np.ones(self.width)
        return np.bincount(self.codes, values, minlength=self.n_subjects)

    def subtract(self, values: np.ndarray, of_subjects: np.ndarray) -> None:
        """Subtract from values (N,), in place, what each subject has (n,)."""
        if self.width:
            values.reshape(self.n_subjects, self.width)[:] -= of_subjects[:, None]
        else:
            values -= of_subjects[self.codes]

    def patterns(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """The ways (P, K) in which subjects' rows fall into cells, and each one's (n,)."""
        K = len(cells.X)
        assert cells.codes is not None
        if self.width:
            sequences = cells.codes.reshape(self.n_subjects, self.width)
            if (sequences == sequences[0]).all():
                pattern = np.bincount(sequences[0], minlength=K)
                return pattern[None], np.zeros(self.n_subjects, dtype=np.intp)
        table = np.bincount(self.codes * K + cells.codes, minlength=self.n_subjects * K)
        table = table.reshape(self.n_subjects, K)
        base = int(table.max()) + 1
        if base**K < 2**62:  # a pattern is a number with K digits
            numbers = table @ base ** np.arange(K)
            _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
            return table[first], which
        patterns, which = np.unique(table, axis=0, return_inverse=True)
        return patterns, which.ravel()
