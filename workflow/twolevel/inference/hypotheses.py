"""Hypotheses on the formula's coefficients, as users write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from twolevel.text.errors import InputError, did_you_mean, listed, quoted


def coefficient_rows(L: Any, coefficients: pd.Index) -> tuple[pd.Index, np.ndarray]:
    """Names (q,) and weights (q, p) of combinations of coefficients.

    L is an array (q, p) or (p,), a DataFrame or Series whose columns or index are coefficients, or
    a mapping of a name for each combination to its weights: p numbers, or a mapping of coefficients
    to theirs.

    Raises InputError for another number of weights than of coefficients, or an unknown one.
    """
    if isinstance(L, pd.Series):
        L = L.to_frame().T
    if isinstance(L, pd.DataFrame):
        L = {name: row.to_dict() for name, row in L.iterrows()}
    if isinstance(L, Mapping):
        names = pd.Index(list(L), name="contrast")
        return names, np.stack([_weights(name, row, coefficients) for name, row in L.items()])
    rows = np.atleast_2d(np.asarray(L, dtype=float))
    names = pd.RangeIndex(1, len(rows) + 1, name="contrast")
    return names, np.stack(
        [_weights(k, row, coefficients) for k, row in zip(names, rows, strict=True)]
    )


def independent_rows(L: Any, coefficients: pd.Index) -> np.ndarray:
    """The weights (q, p) of combinations of coefficients, L as in `coefficient_rows`.

    Raises InputError where the rows depend on each other.
    """
    _, rows = coefficient_rows(L, coefficients)
    if np.linalg.matrix_rank(rows) < len(rows):
        raise InputError(
            f"test: the {len(rows)} rows of L are linearly dependent, or one is 0; expected "
            "independent ones; leave out those that follow from others"
        )
    return rows


def _weights(name: Any, row: Any, coefficients: pd.Index) -> np.ndarray:
    if isinstance(row, Mapping):
        for key in row:
            if key not in coefficients:
                raise InputError(
                    f"contrast {quoted(name)}: there is no coefficient {quoted(key)}"
                    f"{did_you_mean(str(key), coefficients)}; the coefficients are "
                    f"{listed(coefficients, 30)}"
                )
        row = [row.get(key, 0.0) for key in coefficients]
    weights = np.asarray(row, dtype=float)
    if weights.shape != (len(coefficients),) or not np.isfinite(weights).all():
        raise InputError(
            f"contrast {quoted(name)}: found {np.size(weights)} weights, expected a finite number "
            f"for each of the {len(coefficients)} coefficients {listed(coefficients, 30)}"
        )
    return weights
