"""The fixed part of a model: a formula evaluated on a table, by formulaic.

Columns and terms carry formulaic's names; coding is treatment coding unless the formula says
otherwise, or sum-to-zero coding where a Type III test needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from twolevel.cells import Cells
from twolevel.errors import InputError
from twolevel.formula import parse
from twolevel.moments import centred_columns, gram_matrix

# Relative squared norm below which a column counts as a combination of earlier ones. R's lm uses
# 1e-7 on the norm, and squares lose half the digits of double precision.
ALIAS_TOLERANCE = 1e-11

# Combinations of factor levels up to which rows are held once for each.
_MOST_CELLS = 10_000

# The parameters beside the coefficients, by their names in tables.
PARAMETERS = ("sigma_between", "sigma_within", "icc")


@dataclass(frozen=True, eq=False)
class DesignMatrix:
    """A formula evaluated on N rows of n subjects.

    cells holds the distinct rows of the model, and which of them each observation has; response
    (N,) is in the response's unit, codes (N,) the subject of each row as a position in `subjects`
    (n,), in order of first appearance. `terms` maps each term to the positions of its columns;
    `data` holds the formula's variables, one row per observation.
    """

    formula: str
    cells: Cells
    response: np.ndarray
    codes: np.ndarray
    subjects: pd.Index
    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    data: pd.DataFrame
    _spec: Any

    @cached_property
    def X(self) -> np.ndarray:
        """The model matrix (N, p)."""
        return self.cells.spread(self.cells.X)

    @property
    def first_rows(self) -> np.ndarray:
        """The position (n,) of each subject's first row."""
        return np.unique(self.codes, return_index=True)[1]

    def rows(self, table: pd.DataFrame) -> np.ndarray:
        """The model's rows (m, p) for a table (m rows) of values of the same variables."""
        return np.asarray(self._spec.get_model_matrix(table), dtype=float)

    def levels(self, variable: str) -> list:
        """The levels of a categorical variable, or the distinct values of a numeric one."""
        values = self.data[variable]
        if isinstance(values.dtype, pd.CategoricalDtype):
            return list(values.cat.categories)
        return sorted(values.unique())

    def is_numeric(self, variable: str) -> bool:
        """Whether a variable enters as a number (a covariate) rather than as a factor."""
        return pd.api.types.is_numeric_dtype(self.data[variable])

    def varies_within(self, variable: str) -> bool:
        """Whether a variable takes more than one value within some subject."""
        values = pd.factorize(self.data[variable])[0]
        first = np.full(len(self.subjects), -1)
        first[self.codes[::-1]] = values[::-1]
        return bool(np.any(values != first[self.codes]))

    def reference_grid(self, keep: Sequence[str] = ()) -> pd.DataFrame:
        """Every combination of the factors' levels, covariates at their means (as emmeans).

        A covariate named in `keep` takes each of its distinct values instead.
        """
        axes = {
            name: [self.data[name].mean()]
            if self.is_numeric(name) and name not in keep
            else self.levels(name)
            for name in self.data
        }
        grid = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
        if not axes:
            return pd.DataFrame(index=[0])
        return grid.astype({name: self.data[name].dtype for name in axes if self.is_factor(name)})

    def interact(self, one: str, other: str) -> bool:
        """Whether some term of the formula is made of both variables."""
        terms = self._spec.term_variables.values()
        # In C(time), C is a name too, but no value.
        return any({one, other} <= {str(v) for v in term if "value" in v.roles} for term in terms)

    def is_factor(self, variable: str) -> bool:
        """Whether a variable is categorical."""
        return not self.is_numeric(variable)


def design_matrix(
    formula: str,
    data: pd.DataFrame,
    subject: str,
    coding: Literal["treatment", "sum"] = "treatment",
) -> DesignMatrix:
    """Evaluate `formula` on `data` (N rows), whose column `subject` names each row's subject.

    `coding="sum"` codes every factor to sum to zero, whatever the formula says; terms keep the
    names they have in the formula.

    Raises InputError for columns that are missing or hold missing, infinite or unusable values,
    and for a formula whose columns are linearly dependent (the aliased ones are named).
    """
    from formulaic import Formula

    names = parse(formula)
    table = _checked(data, formula, names.response, names.variables, subject)
    rhs = Formula(formula).rhs
    variables = _with_factors(table[list(names.variables)], rhs, formula)
    labels = [str(term) for term in rhs]
    if coding == "sum":
        rhs = sum_coded(rhs, variables)
    distinct, cell_of = distinct_rows(variables)
    matrix = rhs.get_model_matrix(distinct, na_action="raise", ensure_full_rank=True)
    spec = matrix.model_spec
    # formulaic lists interactions' factors in the order of the formula; so do we.
    terms = {
        "Intercept" if label == "1" else label: tuple(columns)
        for label, columns in zip(labels, spec.term_indices.values(), strict=True)
    }
    X = np.asarray(matrix, dtype=float)
    if not np.isfinite(X).all():
        column = spec.column_names[int(np.argmin(np.isfinite(X).all(axis=0)))]
        raise InputError(
            f"formula '{formula}': column {column} of the model is not finite on every row; "
            "expected finite numbers; check the transform and the values it is given"
        )
    codes, subjects = pd.factorize(table[subject])
    design = DesignMatrix(
        formula=formula,
        cells=Cells(X, cell_of),
        response=table[names.response].to_numpy(dtype=float),
        codes=codes,
        subjects=pd.Index(subjects, name="subject"),
        names=tuple(spec.column_names),
        terms=terms,
        data=variables,
        _spec=spec,
    )
    _refuse_names(design)
    _refuse_unrepeated(design)
    _refuse_aliased(design)
    return design


def distinct_rows(variables: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The combinations of factor levels that occur, and which one (N,) each row has.

    Where a variable is a number, and so what a transform makes of it may depend on all rows, the
    table itself, and None; so too where there would be many combinations.
    """
    cell_of = np.zeros(len(variables), dtype=np.intp)
    size = 1
    for name in variables:
        if not isinstance(variables[name].dtype, pd.CategoricalDtype):
            return variables, None
        codes = variables[name].cat.codes.to_numpy()
        size *= len(variables[name].cat.categories)
        if size > _MOST_CELLS:
            return variables, None
        cell_of *= len(variables[name].cat.categories)
        cell_of += codes
    occurs = np.flatnonzero(np.bincount(cell_of, minlength=size))
    if len(occurs) < size:
        cell_of = np.searchsorted(occurs, cell_of)
    first = np.empty(len(occurs), dtype=np.intp)
    first[cell_of[::-1]] = np.arange(len(variables))[::-1]
    return variables.iloc[first], cell_of


def independent_columns(gram: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Positions of the columns that are not combinations of earlier ones, from a Gram matrix.

    `gram` (p, p) is the columns' cross-products, `scale` (p,) the squared norms that roundoff is
    measured against. Columns are taken from left to right, as R's lm keeps them.
    """
    rest = np.array(gram, dtype=float)
    kept = []
    for k in range(len(rest)):
        if rest[k, k] > ALIAS_TOLERANCE * scale[k]:
            kept.append(k)
            rest = rest - np.outer(rest[:, k], rest[k]) / rest[k, k]
    return np.array(kept, dtype=int)


def _checked(
    data: pd.DataFrame, formula: str, response: str, variables: Sequence[str], subject: str
) -> pd.DataFrame:
    columns = list(dict.fromkeys([subject, response, *variables]))
    missing = [name for name in columns if name not in data.columns]
    if missing:
        raise InputError(
            f"formula '{formula}': column '{missing[0]}' is not in the table, whose columns are "
            f"{', '.join(map(str, data.columns))}; correct the name"
        )
    if len(data) == 0:
        raise InputError(f"formula '{formula}': the table has no rows; expected observations")
    table = data[columns]
    for name in columns:
        holes = table[name].isna()
        if holes.any():
            raise InputError(
                f"column '{name}': {int(holes.sum())} missing values, the first in row "
                f"{int(np.argmax(holes.to_numpy())) + 1}; drop these rows first, knowingly"
            )
    if not pd.api.types.is_numeric_dtype(table[response]) or pd.api.types.is_bool_dtype(
        table[response]
    ):
        raise InputError(
            f"column '{response}': the response holds {table[response].dtype} values, expected "
            "numbers; convert the column"
        )
    if not np.isfinite(table[response].to_numpy(dtype=float)).all():
        raise InputError(f"column '{response}': infinite values; expected finite numbers")
    for name in variables:  # unused levels of a factor would be columns of zeros
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            table = table.assign(**{name: table[name].cat.remove_unused_categories()})
        elif not pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_bool_dtype(
            table[name]
        ):
            table = table.assign(**{name: table[name].astype("category")})
    return table


def as_factor(factor: Any) -> str | None:
    """The variable that a part of a formula turns into a factor, as `C(day)` does with `day`."""
    if not factor.expr.startswith("C("):
        return None
    return factor.expr.removeprefix("C(").partition(",")[0].rstrip(")").strip(" `")


def _with_factors(variables: pd.DataFrame, rhs: Any, formula: str) -> pd.DataFrame:
    """Make every variable that stands in C() categorical, so that its levels are known as such."""
    factors = [factor for term in rhs for factor in term.factors]
    coded = {as_factor(factor) for factor in factors} - {None}
    bare = {factor.expr.strip("`") for factor in factors}
    for name in sorted(coded):
        if name in bare and pd.api.types.is_numeric_dtype(variables[name]):
            raise InputError(
                f"formula '{formula}': '{name}' stands both as a number and, in C(), as a factor; "
                "add a copy of the column to the table for one of them"
            )
    return variables.astype({name: "category" for name in coded if name in variables})


def sum_coded(rhs: Any, variables: pd.DataFrame) -> Any:
    """The same terms with every factor coded to sum to zero."""
    from formulaic import Formula
    from formulaic.parser.types import Factor, Term

    def recode(factor: Factor) -> Factor:
        name = as_factor(factor) or factor.expr.strip("`")
        if name in variables and not pd.api.types.is_numeric_dtype(variables[name]):
            return Factor(f"C(`{name}`, contr.sum)", eval_method="python")
        return factor

    return Formula([Term([recode(factor) for factor in term.factors]) for term in rhs])


def _refuse_names(design: DesignMatrix) -> None:
    taken = [name for name in design.names if name in PARAMETERS]
    if taken:
        raise InputError(
            f"column '{taken[0]}' has the name of a parameter of the model, beside which its "
            "coefficient stands in tables; rename the column"
        )


def _refuse_unrepeated(design: DesignMatrix) -> None:
    n = len(design.subjects)
    if n < 2:
        raise InputError(
            f"one subject only ('{design.subjects[0]}'); expected at least 2, for sigma_between is "
            "the spread of subjects; check the subject column"
        )
    if n == len(design.response):
        raise InputError(
            "every subject has one observation, so sigma_between and sigma_within cannot be told "
            "apart; expected repeated measurements; check the subject column"
        )
    if np.ptp(design.response) == 0:
        raise InputError(
            f"the response is {design.response[0]} in every row; expected values that vary"
        )


def _refuse_aliased(design: DesignMatrix) -> None:
    names = design.names
    gram = gram_matrix(centred_columns(design.cells)[0])
    # A column with a large offset is constant only if it is so to the last digits.
    norms = np.diag(gram_matrix(design.cells))
    kept = independent_columns(gram, np.diag(gram) + 1e-13 * norms)
    aliased = [name for k, name in enumerate(names) if k not in kept]
    if aliased:
        raise InputError(
            f"formula '{design.formula}': the data cannot tell {', '.join(aliased)} apart from "
            "the columns before; expected linearly independent columns; remove terms or add "
            "observations in the empty cells"
        )
    if len(design.response) <= len(names):
        raise InputError(
            f"formula '{design.formula}': {len(names)} coefficients and {len(design.response)} "
            "observations leave nothing to estimate the variances from; simplify the formula"
        )
