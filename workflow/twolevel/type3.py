"""Type III hypotheses: each term tested as if it came last, whatever its coding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from twolevel.coding import as_factor, sum_coded
from twolevel.design_matrix import DesignMatrix

# Rows that are looked at first for one of every kind; the others only where these do not suffice.
_SAMPLE = 10_000


def type3_rows(design: DesignMatrix, gram: np.ndarray) -> dict[str, np.ndarray]:
    """For each term but the intercept, rows L (q, p) of its Type III hypothesis L beta = 0.

    With every factor coded to sum to zero, the hypothesis is that the term's own coefficients are
    0 (as afex and car). X_sum B = X gives them as B beta, whatever coding the formula asked for.

    Satterthwaite's degrees of freedom depend on which rows span a hypothesis, F and Kenward-Roger's
    do not. These are lmerTest's: with several terms, each level's marginal mean less the first's
    (for interactions, products of such contrasts); with a single term, sequential contrasts, from
    `gram` (p, p), the cross-products of the model's centred columns.
    """
    tested = {term: columns for term, columns in design.terms.items() if term != "Intercept"}
    if len(tested) == 1:
        ((term, columns),) = tested.items()
        # Centring changes the intercept's row alone, and loses no digits.
        upper = np.linalg.cholesky(gram).T
        return {term: (upper / np.diag(upper)[:, None])[list(columns)]}
    B, indices = _from_sum_coding(design)
    return {
        name: _contrasts(term, design.data, len(columns)) @ B[list(columns)]
        for name, (term, columns) in zip(design.terms, indices.items(), strict=True)
        if name in tested
    }


def _from_sum_coding(design: DesignMatrix) -> tuple[np.ndarray, dict]:
    """B (p, p) with X_sum B = X, and the columns of X_sum that belong to each term."""
    from formulaic import Formula

    step = max(1, len(design.data) // _SAMPLE)
    recoded = sum_coded(Formula(design.formula).rhs, design.data)[0]
    for every in (step, 1):
        rows = design.data.iloc[::every].drop_duplicates()
        matrix = recoded.get_model_matrix(rows)
        B, _, rank, _ = np.linalg.lstsq(np.asarray(matrix, dtype=float), design.rows(rows))
        if rank == B.shape[0]:
            break
    return B, matrix.model_spec.term_indices


def _contrasts(term: Any, variables: pd.DataFrame, size: int) -> np.ndarray:
    """What turns a term's sum-to-zero coefficients (size,) into the contrasts of `type3_rows`."""
    product_of = np.eye(1)
    for factor in term.factors:
        name = as_factor(factor)
        if name is not None:
            # formulaic's columns run through the levels of the first factor fastest.
            product_of = np.kron(_each_less_the_first(variables[name].nunique()), product_of)
    # Functions with several columns, as poly(), have no levels to contrast.
    return product_of if len(product_of) == size else np.eye(size)


def _each_less_the_first(J: int) -> np.ndarray:
    """Contrasts (J-1, J-1) of J levels in terms of the first J-1 of effects that sum to zero."""
    contrasts = np.column_stack([-np.ones(J - 1), np.eye(J - 1)])
    return contrasts[:, :-1] - contrasts[:, -1:]
