"""A formula as columns of numbers: formulaic's codes of factors times standardised numbers.

formulaic sees every column of the table under a name of ours, and every number as 1: what it makes
of a row are the codes A of its factors. Column k of the model is A_k times the product of its
numbers, which are centred and scaled (see `standardised`). With B the matrix that takes this model
to the formula's own, X = X_standardised B, the formula's coefficients are B^-1 times ours.

A number's origin can move only where each of its terms stands in the model without it too, as in
time * dose; in 0 + dose the number is scaled alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twolevel.design.cells import Cells, distinct_rows
from twolevel.design.coding import Coding, as_factor, references_first, reordered
from twolevel.design.factor_codes import FactorCodes, factor_codes, standing_for, terms_of
from twolevel.design.formula import FormulaNames
from twolevel.design.placeholders import Placeholders
from twolevel.design.variables import Variables
from twolevel.numeric.standardised import Standardised
from twolevel.text.errors import InputError, quoted

# Size below which an entry of a matrix between codings is the rounding of 0, 1 or -1.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Number:
    """A numeric factor with one column: a variable alone, or else a function of some.

    expr is its text under our names.
    """

    expr: str
    variable: str | None
    standard: Standardised


@dataclass(frozen=True, eq=False)
class Encoding:
    """How rows of a table become rows of the model with p columns (see the module).

    terms maps each term to the positions of its columns; factors maps it to its factors as texts
    under our names. intercept is the name of the constant term, None without one. codes (K, p) are
    A on the rows it was made of; numbers_of (p,) are the positions in numbers of each column's
    own. formula_rows (p, p) is B^-1, raw_columns (p, p) is B, log_scale is log|det B|.
    """

    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    factors: dict[str, tuple[str, ...]]
    intercept: str | None
    codes: np.ndarray
    numbers: tuple[Number, ...]
    numbers_of: tuple[frozenset[int], ...]
    raw_columns: np.ndarray
    formula_rows: np.ndarray
    log_scale: float
    _seen: Placeholders
    _factor_codes: FactorCodes
    _references: Mapping[str, list]

    def rows(self, variables: Variables, at_means: Collection[str] = ()) -> np.ndarray:
        """The model's rows (m, p) for m rows of values of the variables.

        Numbers named in `at_means` stand at their means, whatever their values.
        """
        seen = reordered(self._seen.factors(variables), self._references)
        codes = self._factor_codes.of(seen)
        return self.times_numbers(codes, self.values(variables, at_means))

    def values(self, variables: Variables, at_means: Collection[str] = ()) -> list[np.ndarray]:
        """The standardised values (m,) of each number."""
        raw = self._seen.numbers(variables, [number.expr for number in self.numbers])
        return [
            np.full(variables.rows, number.standard.mean)
            if number.variable in at_means
            else number.standard.of_values(raw[number.expr])
            for number in self.numbers
        ]

    def times_numbers(self, codes: np.ndarray, values: list[np.ndarray]) -> np.ndarray:
        """The model's rows (m, p): the codes of factors (m, p) times the numbers' values."""
        if not values:
            return codes
        columns = np.array(codes, order="F")
        for k, numbers in enumerate(self.numbers_of):
            for number in numbers:
                columns[:, k] *= values[number]
        return columns

    def variables_of(self, term: str) -> set[str]:
        """The variables that a term is made of."""
        return {name for expr in self.factors[term] for name in self._seen.variables_in(expr)}

    def places_of(self, variable: str) -> list[str]:
        """The factors, as texts under our names, that a variable is part of."""
        exprs = dict.fromkeys(expr for factors in self.factors.values() for expr in factors)
        return [expr for expr in exprs if variable in self._seen.variables_in(expr)]

    def factor_of(self, expr: str) -> str | None:
        """The factor that a text stands for, as `C(day)` and `day` do; None for numbers."""
        if expr in (number.expr for number in self.numbers):
            return None
        return self._seen.called.get(as_factor(expr) or expr)

    def shown(self, expr: str) -> str:
        """A factor's text as the user writes it."""
        return self._seen.shown(expr)


def encode(
    names: FormulaNames, formula: str, variables: Variables, coding: Coding
) -> tuple[Encoding, Cells]:
    """The encoding of a formula on its variables (N rows), and the rows of its model.

    Raises InputError for transforms and contrasts that cannot be had of these variables.
    """
    from formulaic.errors import FormulaicError

    _refuse_single_levels(formula, variables)
    seen = Placeholders.of(names, formula, variables)
    references = {}
    if not isinstance(coding, str):
        levels = references_first(variables, coding, formula)
        references = {place: levels[name] for place, name in seen.called.items() if name in levels}
    try:
        terms = terms_of(names.right_side(seen.prefix))
        exprs = list(dict.fromkeys(factor.expr for term in terms for factor in term.factors))
        seen = seen.with_factors(exprs, variables, sum_coded=coding == "sum")
        distinct, cell_of, weights = distinct_rows(seen.factors(variables))
        distinct = reordered(distinct, references)
        coded = factor_codes(standing_for(terms, seen.stands_for), seen.ones, distinct)
        codes = coded.of(distinct)
    # As formulaic's transforms and contrasts refuse what they are given.
    except (FormulaicError, ValueError, TypeError, ArithmeticError) as error:
        raise InputError(
            f"formula '{formula}': {seen.in_words(error)}; give transforms columns of numbers, "
            "contrasts levels that occur, and both the settings that they have"
        ) from None
    if not np.isfinite(codes).all():
        raise _not_finite(formula, seen.text(coded.columns[_first_bad(codes)]))
    of = _numbers_of(terms, coded.terms, seen.numeric, codes.shape[1])
    numbers, moves = [], []
    values = seen.numbers(variables, seen.numeric)
    for k, expr in enumerate(seen.numeric):
        if not np.isfinite(values[expr]).all():
            raise _not_finite(formula, seen.shown(expr))
        move = _without(k, codes, of)
        standard = (Standardised.scaled if move is None else Standardised.of)(values[expr])
        numbers.append(Number(expr, seen.called.get(expr), standard))
        moves.append(move)
    raw_columns, formula_rows = _between(numbers, of, moves)
    shown, intercept, column_names = _named(terms, coded.columns, seen)
    encoding = Encoding(
        names=column_names,
        terms=dict(zip(shown, coded.terms, strict=True)),
        factors={
            name: tuple(factor.expr for factor in term.factors if factor.expr != "1")
            for name, term in zip(shown, terms, strict=True)
        },
        intercept=intercept,
        codes=codes,
        numbers=tuple(numbers),
        numbers_of=tuple(of),
        raw_columns=raw_columns,
        formula_rows=formula_rows,
        log_scale=float(sum(np.log(numbers[k].standard.scale) for column in of for k in column)),
        _seen=seen,
        _factor_codes=coded,
        _references=references,
    )
    if not numbers:
        return encoding, Cells(codes, cell_of, weights)
    X = encoding.times_numbers(
        codes if cell_of is None else codes[cell_of],
        [number.standard.of_values(values[number.expr]) for number in numbers],
    )
    return encoding, Cells(X, None, np.ones(len(X)))


def _refuse_single_levels(formula: str, variables: Variables) -> None:
    for name, factor in variables.factors.items():
        if len(factor.categories) == 1:
            raise InputError(
                f"formula '{formula}': every row holds {quoted(factor.categories[0])} in "
                f"{quoted(name)}, and a factor with one level has no effect; leave {quoted(name)} "
                "out of the formula, with each term that it is part of"
            )


def _numbers_of(
    terms: Sequence, indices: Sequence[tuple[int, ...]], numeric: Sequence[str], p: int
) -> list[frozenset[int]]:
    """The positions of the numbers that each of p columns is a product of."""
    of: list[frozenset[int]] = [frozenset()] * p
    for term, columns in zip(terms, indices, strict=True):
        exprs = {factor.expr for factor in term.factors}
        numbers = frozenset(k for k, expr in enumerate(numeric) if expr in exprs)
        for column in columns:
            of[column] = numbers
    return of


def _without(number: int, codes: np.ndarray, of: list[frozenset[int]]) -> np.ndarray | None:
    """N (p, p) by which the columns with a number become those without it, where that is 1.

    None where some column does not stand in the model without the number.
    """
    p = codes.shape[1]
    matrix = np.zeros((p, p))
    for group in {numbers for numbers in of if number in numbers}:
        columns = [k for k in range(p) if of[k] == group]
        margin = [k for k in range(p) if of[k] == group - {number}]
        solution = same_columns(codes[:, margin], codes[:, columns])
        if solution is None:
            return None
        matrix[np.ix_(margin, columns)] = solution
    return matrix


def same_columns(codes: np.ndarray, wanted: np.ndarray) -> np.ndarray | None:
    """M with codes M = wanted, (K, a) and (K, b), or None where there is none."""
    solution = np.linalg.lstsq(codes, wanted, rcond=None)[0]
    if np.abs(codes @ solution - wanted).max(initial=0.0) > _ROUNDING * np.abs(wanted).max():
        return None
    # What is whole up to rounding would be multiplied by a column's large offset.
    whole = np.round(solution)
    return np.where(np.abs(solution - whole) < _ROUNDING, whole, solution)


def _between(
    numbers: list[Number], of: list[frozenset[int]], moves: list[np.ndarray | None]
) -> tuple[np.ndarray, np.ndarray]:
    """B and its inverse (p, p): each number in turn is put back into its own unit and origin.

    For one number B = D + m N, with D its scale on the columns that have it, m its centre and N
    from `_without`; as N N = 0, the inverse is D^-1 - (m / scale) N.
    """
    raw, back = np.eye(len(of)), np.eye(len(of))
    for k, (number, move) in enumerate(zip(numbers, moves, strict=True)):
        standard = number.standard
        scale = np.array([standard.scale if k in column else 1.0 for column in of])
        one, inverse = np.diag(scale), np.diag(1 / scale)
        if move is not None:
            one = one + (standard.centre_in_scales * standard.scale) * move
            inverse = inverse - standard.centre_in_scales * move
        raw, back = one @ raw, back @ inverse
    return raw, back


def _named(
    terms: Sequence, columns: tuple[str, ...], seen: Placeholders
) -> tuple[list[str], str | None, tuple[str, ...]]:
    """What terms, the constant one among them, and columns are called: all differently.

    A variable is called as in the table; the constant is "(Intercept)" where there is a variable
    called Intercept, and where that does not do, variables stand in backticks.
    """
    for intercept, quote in (("Intercept", False), ("(Intercept)", False), ("(Intercept)", True)):
        shown = [
            intercept
            if [factor.expr for factor in term.factors] == ["1"]
            else ":".join(seen.shown(factor.expr, quote) for factor in term.factors)
            for term in terms
        ]
        names = tuple(
            intercept if column == "Intercept" else seen.text(column, quote) for column in columns
        )
        if len(set(shown)) == len(shown) and len(set(names)) == len(names):
            break
    has_intercept = any([factor.expr for factor in term.factors] == ["1"] for term in terms)
    return shown, intercept if has_intercept else None, names


def _first_bad(codes: np.ndarray) -> int:
    return int(np.argmin(np.isfinite(codes).all(axis=0)))


def _not_finite(formula: str, column: str) -> InputError:
    return InputError(
        f"formula '{formula}': column {column} of the model is not finite on every row; "
        "expected finite numbers; check the transform and the values it is given"
    )
