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
    `gram` (p, p), the cross-products of the model's columns, centred where it has an intercept.
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


def held_at_zero(design: DesignMatrix) -> dict[str, list[str]]:
    """Terms of factors whose Type III test holds where some numbers are 0, and these are not there.

    In time * age, the test of time compares the times where age is 0, their marginal means do so
    where it is at its mean. With center(age) both are the same.
    """
    at_means = np.abs(design.rows(design.reference_grid())).max(axis=0)
    scale = np.abs(design.cells.X).max(axis=0)
    away = at_means > 1e-6 * scale  # (p,)
    factors, numbers = {}, {}
    for name, term in zip(design.terms, design._spec.formula, strict=True):
        parts = {
            factor.expr: as_factor(factor) or factor.expr.strip("`") for factor in term.factors
        }
        numeric = {
            part for part, of in parts.items() if of not in design.data or design.is_numeric(of)
        }
        factors[name], numbers[name] = set(parts) - numeric, sorted(numeric - {"1"})
    found: dict[str, list[str]] = {}
    for name in design.terms:
        for wider, columns in design.terms.items():
            if numbers[name] or not factors[name] <= factors[wider] or not numbers[wider]:
                continue
            if factors[name] and away[list(columns)].any():
                found[name] = list(dict.fromkeys(found.get(name, []) + numbers[wider]))
    return found


def _from_sum_coding(design: DesignMatrix) -> tuple[np.ndarray, dict]:
    """B (p, p) with X_sum B = X, and the columns of X_sum that belong to each term."""
    from formulaic import Formula, ModelSpec

    step = max(1, len(design.data) // _SAMPLE)
    recoded = sum_coded(Formula(design.formula).rhs, design.data)[0]
    # center(age) stands for age less the mean of all rows, also where some are looked at.
    spec = ModelSpec.from_spec(recoded, transform_state=design._spec.transform_state)
    for every in (step, 1):
        rows = design.data.iloc[::every].drop_duplicates()
        matrix = spec.get_model_matrix(rows)
        recoded_rows, X = np.asarray(matrix, dtype=float), design.rows(rows)
        B, _, rank, _ = np.linalg.lstsq(recoded_rows, X)
        if rank == B.shape[0]:
            break
    # What is 0 but for rounding would be multiplied by a response's large offset.
    share = np.abs(recoded_rows).max(axis=0)[:, None] * np.abs(B)
    B[share < 1e-12 * np.abs(X).max(axis=0)] = 0.0
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
