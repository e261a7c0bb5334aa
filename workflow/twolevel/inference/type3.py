"""Type III hypotheses: each term tested as if it came last, whatever its coding."""

from __future__ import annotations

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.encoding import Encoding, encode, same_columns
from twolevel.design.formula import parse
from twolevel.design.variables import Variables


def type3_rows(design: DesignMatrix, gram: np.ndarray) -> dict[str, np.ndarray]:
    """For each term but the intercept, rows L (q, p) of its Type III hypothesis L beta = 0.

    With every factor coded to sum to zero, the hypothesis is that the formula's coefficients of the
    term's own columns are 0 (as afex and car). X_sum B = X gives them as B beta, whatever coding
    the formula asked for.

    Satterthwaite's degrees of freedom depend on which rows span a hypothesis, F and Kenward-Roger's
    do not. These are lmerTest's: with several terms, each level's marginal mean less the first's
    (for interactions, products of such contrasts); with a single term, sequential contrasts, from
    `gram` (p, p), the cross-products of the design's columns.
    """
    tested = design.tested_terms
    if len(tested) == 1:
        ((term, columns),) = tested.items()
        upper = np.linalg.cholesky(gram).T
        return {term: (upper / np.diag(upper)[:, None])[list(columns)]}
    summed, B = _sum_coded(design)
    rows = summed.formula_rows @ B
    return {
        name: _contrasts(summed, term, design.variables, len(columns)) @ rows[list(columns)]
        for name, (term, columns) in zip(design.terms, summed.terms.items(), strict=True)
        if name in tested
    }


def effects_by_term(design: DesignMatrix, params: np.ndarray) -> dict[str, np.ndarray]:
    """What each term adds to the fixed part of the rows (N,), from coefficients (p,), by name.

    With every factor coded to sum to zero, so that a main effect is around the mean of all, and
    numbers as they are in the design: centred, unless a formula's own function says otherwise.
    """
    summed, B = _sum_coded(design)
    coefficients = B @ params
    X = np.linalg.solve(B.T, design.cells.X.T).T
    return {
        name: design.cells.spread(X[:, list(columns)] @ coefficients[list(columns)])
        for name, columns in zip(design.terms, summed.terms.values(), strict=True)
    }


def held_at_zero(design: DesignMatrix) -> dict[str, list[str]]:
    """Terms of factors whose Type III test holds where some numbers are 0, and these are not there.

    In time * age, the test of time compares the times where age is 0, their marginal means do so
    where it is at its mean. With center(age) both are the same.
    """
    encoding = design.encoding
    at_means = np.abs(design.rows(*design.reference_grid()) @ encoding.raw_columns).max(axis=0)
    scale = np.abs(design.cells.X @ encoding.raw_columns).max(axis=0)
    away = at_means > 1e-6 * scale  # (p,)
    factors, numbers = {}, {}
    for name, exprs in encoding.factors.items():
        numbers[name] = sorted(encoding.shown(e) for e in exprs if encoding.factor_of(e) is None)
        factors[name] = {e for e in exprs if encoding.factor_of(e) is not None}
    found: dict[str, list[str]] = {}
    for name in design.terms:
        for wider, columns in design.terms.items():
            if numbers[name] or not factors[name] <= factors[wider] or not numbers[wider]:
                continue
            if factors[name] and away[list(columns)].any():
                found[name] = list(dict.fromkeys(found.get(name, []) + numbers[wider]))
    return found


def _sum_coded(design: DesignMatrix) -> tuple[Encoding, np.ndarray]:
    """The same model with all factors coded to sum to zero, and B (p, p) with X_sum B = X."""
    formula = design.formula
    summed, _ = encode(parse(formula), formula, design.variables, "sum")
    # The numbers are the same in both: only columns of the same numbers have to do with each other.
    B, own = np.zeros((len(design.names),) * 2), design.encoding
    for numbers in set(own.numbers_of):
        at = [k for k, of in enumerate(own.numbers_of) if of == numbers]
        B[np.ix_(at, at)] = same_columns(summed.codes[:, at], own.codes[:, at])
    return summed, B


def _contrasts(encoding: Encoding, term: str, variables: Variables, size: int) -> np.ndarray:
    """What turns a term's sum-to-zero coefficients (size,) into the contrasts of `type3_rows`."""
    product_of = np.eye(1)
    for expr in encoding.factors[term]:
        name = encoding.factor_of(expr)
        if name is not None:
            # formulaic's columns run through the levels of the first factor fastest.
            product_of = np.kron(
                _each_less_the_first(len(variables.factors[name].categories)), product_of
            )
    # Functions with several columns, as poly(), have no levels to contrast.
    return product_of if len(product_of) == size else np.eye(size)


def _each_less_the_first(J: int) -> np.ndarray:
    """Contrasts (J-1, J-1) of J levels in terms of the first J-1 of effects that sum to zero."""
    contrasts = np.column_stack([-np.ones(J - 1), np.eye(J - 1)])
    return contrasts[:, :-1] - contrasts[:, -1:]
