"""The fixed part of a model: a formula evaluated on a table, by formulaic.

Columns and terms carry formulaic's names; coding is treatment coding unless the formula says
otherwise, or sum-to-zero coding where a Type III test needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from twolevel.cells import Cells, SubjectRows, distinct_rows
from twolevel.coding import Coding, as_factor, references_first, renamed, reordered, sum_coded
from twolevel.errors import InputError
from twolevel.estimable import refuse_aliased, refuse_names, refuse_unrepeated
from twolevel.formula import parse
from twolevel.moments import Coordinates, SubjectMoments, working_columns, working_moments
from twolevel.reduction import Whole, whole_of
from twolevel.shards import Shards


@dataclass(frozen=True, eq=False)
class DesignMatrix:
    """A formula evaluated on N rows of n subjects.

    cells holds the distinct rows of the model, and which of them each observation has; response
    (N,) is in the response's unit; subject_rows has each row's subject as a position in `subjects`
    (n,), in order of first appearance. `terms` maps each term to the positions of its columns;
    `data` holds the formula's variables, one row per observation. Of a table in shards, all these
    are a sample, and `whole` is what is known of all of it.
    """

    formula: str
    cells: Cells
    response: np.ndarray
    subject_rows: SubjectRows
    subjects: pd.Index
    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    data: pd.DataFrame
    _spec: Any
    _references: Mapping[str, list]
    whole: Whole | None = None

    @property
    def codes(self) -> np.ndarray:
        """The subject of each row (N,), as a position in `subjects`."""
        return self.subject_rows.codes

    @cached_property
    def X(self) -> np.ndarray:
        """The model matrix (N, p)."""
        return self.cells.spread(self.cells.X)

    @property
    def nobs(self) -> int:
        """The number of all observations."""
        return len(self.response) if self.whole is None else int(self.whole.moments.counts.sum())

    @property
    def all_subjects(self) -> pd.Index:
        """All subjects, of which `subjects` may be a sample."""
        return self.subjects if self.whole is None else self.whole.subjects

    @property
    def positions(self) -> np.ndarray | slice:
        """The positions of `subjects` among all subjects."""
        return slice(None) if self.whole is None else self.whole.positions

    def working_moments(self) -> tuple[SubjectMoments, Coordinates]:
        """All subjects' moments in the coordinates of `moments.working_columns`."""
        if self.whole is not None:
            return self.whole.moments, self.whole.coordinates
        return working_moments(self.cells, self.response, self.subject_rows)

    def working_columns(self) -> tuple[Cells, np.ndarray, Coordinates]:
        """The rows z = [x | y] in these coordinates: x, and y (N,)."""
        if self.whole is None:
            return working_columns(self.cells, self.response)
        coordinates = self.whole.coordinates
        cells = replace(self.cells, X=self.cells.X @ coordinates.T)
        return cells, coordinates.residual(cells, self.response), coordinates

    def without(self, position: int) -> DesignMatrix:
        """The same model for all subjects but the one at a position."""
        keep = self.codes != position
        codes = self.codes[keep]
        return replace(
            self,
            cells=self.cells.of_rows(keep),
            response=self.response[keep],
            subject_rows=SubjectRows(codes - (codes > position), len(self.subjects) - 1),
            subjects=self.subjects.delete(position),
            data=self.data[keep],
        )

    @property
    def profiles(self) -> pd.DataFrame:
        """The values of the variables in every subject's first row (n rows)."""
        return self.data.iloc[self.first_rows] if self.whole is None else self.whole.profiles

    @property
    def first_rows(self) -> np.ndarray:
        """The position (n,) of each subject's first row."""
        return np.unique(self.codes, return_index=True)[1]

    def rows(self, table: pd.DataFrame) -> np.ndarray:
        """The model's rows (m, p) for a table (m rows) of values of the same variables."""
        return np.asarray(
            self._spec.get_model_matrix(reordered(table, self._references)), dtype=float
        )

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
        if self.whole is not None:
            return variable in self.whole.varying
        values = pd.factorize(self.data[variable])[0]
        first = np.full(len(self.subjects), -1)
        first[self.codes[::-1]] = values[::-1]
        return bool(np.any(values != first[self.codes]))

    def reference_grid(self, keep: Sequence[str] = ()) -> pd.DataFrame:
        """Every combination of the factors' levels, covariates at their means (as emmeans).

        A covariate named in `keep` takes each of its distinct values instead.
        """
        axes = {
            name: [self._mean(name)]
            if self.is_numeric(name) and name not in keep
            else self.levels(name)
            for name in self.data
        }
        grid = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
        if not axes:
            return pd.DataFrame(index=[0])
        return grid.astype({name: self.data[name].dtype for name in axes if self.is_factor(name)})

    def _mean(self, covariate: str) -> float:
        """The mean of a covariate over all observations."""
        return self.data[covariate].mean() if self.whole is None else self.whole.means[covariate]

    @property
    def _made_of(self) -> dict[str, set[str]]:
        """The variables that each term is made of; in C(time), C is a name too, but no value."""
        used = self._spec.term_variables.values()
        return {
            term: {str(v) for v in variables if "value" in v.roles}
            for term, variables in zip(self.terms, used, strict=True)
        }

    def interact(self, one: str, other: str) -> bool:
        """Whether some term of the formula is made of both variables."""
        return any({one, other} <= used for used in self._made_of.values())

    def term_of(self, variable: str) -> str | None:
        """The term that is made of one variable alone."""
        return next((term for term, used in self._made_of.items() if used == {variable}), None)

    def columns_of(self, variable: str) -> list[int]:
        """The positions of all columns of terms that a variable is part of."""
        terms = (term for term, used in self._made_of.items() if variable in used)
        return [column for term in terms for column in self.terms[term]]

    def is_factor(self, variable: str) -> bool:
        """Whether a variable is categorical."""
        return not self.is_numeric(variable)


def design_matrix(
    formula: str,
    data: pd.DataFrame | Shards,
    subject: str,
    coding: Coding = "treatment",
) -> DesignMatrix:
    """Evaluate `formula` on `data` (N rows), whose column `subject` names each row's subject.

    `coding="sum"` codes every factor to sum to zero, whatever the formula says; terms keep the
    names they have in the formula. A mapping of factors to levels makes these the reference.

    Raises InputError for columns that are missing or hold missing, infinite or unusable values,
    and for a formula whose columns are linearly dependent (the aliased ones are named).
    """
    from formulaic import Formula

    if isinstance(data, Shards):
        return whole_of(design_matrix(formula, data.sample, subject, coding), data)
    names = parse(formula)
    table, codes, subjects = _checked(data, formula, names.response, names.variables, subject)
    rhs = Formula(formula).rhs
    variables = _with_factors(table[list(names.variables)], rhs, formula)
    response = table[names.response].to_numpy(dtype=float)
    rows = SubjectRows(codes, len(subjects))
    return _evaluated(formula, variables, response, rows, subjects, coding)


def design_of_arrays(
    response: np.ndarray, subjects: np.ndarray, conditions: np.ndarray
) -> DesignMatrix:
    """The design of `response ~ condition` from arrays (N,): see `mixed.fit_arrays`."""
    if not len(response) == len(subjects) == len(conditions) > 0:
        raise InputError(
            f"arrays of lengths {len(response)}, {len(subjects)} and {len(conditions)}; expected "
            "response, subjects and conditions of one length, and not empty"
        )
    if not np.isfinite(np.sum(response)):
        raise InputError("response: missing or infinite values; expected finite numbers")
    rows = SubjectRows(*_codes(subjects, "subjects"))
    conditions, J = _codes(conditions, "conditions")
    for name, counts in (("subjects", rows.counts), ("conditions", np.bincount(conditions))):
        if not counts.all():
            raise InputError(
                f"{name}: found no {int(np.argmin(counts))}, but {len(counts) - 1}; expected codes "
                "that count from 0 without gaps, as pandas.factorize gives"
            )
    levels = pd.CategoricalDtype([str(j) for j in range(J)])
    short = conditions.astype(np.min_scalar_type(-J))  # as pandas holds them, faster to check
    variables = pd.DataFrame({"condition": pd.Categorical.from_codes(short, dtype=levels)})
    response = np.asarray(response, dtype=float)
    names = pd.RangeIndex(rows.n_subjects)
    return _evaluated("response ~ condition", variables, response, rows, names)


def _codes(values: np.ndarray, name: str) -> tuple[np.ndarray, int]:
    """Codes (N,), and one more than the largest."""
    values = np.asarray(values)
    codes = values.astype(np.intp, copy=False)
    # As an unsigned number, a negative one is a large one.
    most = codes.view(np.uintp).max()
    if not np.issubdtype(values.dtype, np.integer) or most >= len(codes):
        raise InputError(
            f"{name}: found {values.dtype} values from {values.min()} to {values.max()}; expected "
            "integer codes that count from 0 without gaps, as pandas.factorize gives"
        )
    return codes, int(most) + 1


def _evaluated(
    formula: str,
    variables: pd.DataFrame,
    response: np.ndarray,
    rows: SubjectRows,
    subjects: pd.Index,
    coding: Coding = "treatment",
) -> DesignMatrix:
    """Evaluate a formula on its variables (N rows), and refuse what cannot be fitted."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    rhs = Formula(formula).rhs
    labels = [str(term) for term in rhs]
    called: dict[str, str] = {}
    levels: dict[str, list] = {}
    if coding == "sum":
        rhs, called = sum_coded(rhs, variables)
    elif coding != "treatment":
        levels = references_first(variables, coding, formula)
    distinct, cell_of, weights = distinct_rows(variables)
    try:
        matrix = rhs.get_model_matrix(
            reordered(distinct, levels), na_action="raise", ensure_full_rank=True
        )
    # As formulaic's transforms and contrasts refuse what they are given.
    except (FormulaicError, ValueError, TypeError) as error:
        raise InputError(
            f"formula '{formula}': {' '.join(str(error).split()).rstrip('.')}; give transforms "
            "columns of numbers, contrasts levels that occur, and both the settings that they have"
        ) from None
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
    design = DesignMatrix(
        formula=formula,
        cells=Cells(X, cell_of, weights),
        response=response,
        subject_rows=rows,
        subjects=pd.Index(subjects, name="subject"),
        names=tuple(renamed(name, called) for name in spec.column_names),
        terms=terms,
        data=variables,
        _spec=spec,
        _references=levels,
    )
    refuse_names(design)
    refuse_unrepeated(design)
    refuse_aliased(design)
    return design


def _checked(
    data: pd.DataFrame, formula: str, response: str, variables: Sequence[str], subject: str
) -> tuple[pd.DataFrame, np.ndarray, pd.Index]:
    """The formula's columns, labels as factors, and the subjects as codes (N,) with their names."""
    columns = list(dict.fromkeys([subject, response, *variables]))
    missing = [name for name in columns if name not in data.columns]
    if missing:
        raise InputError(
            f"formula '{formula}': column '{missing[0]}' is not in the table, whose columns are "
            f"{', '.join(map(str, data.columns))}; correct the name"
        )
    if len(data) == 0:
        raise InputError(f"formula '{formula}': the table has no rows; expected observations")
    codes, subjects = pd.factorize(data[subject])
    _refuse_holes(subject, codes < 0)
    table = {name: data[name] for name in (response, *variables)}
    values = table[response]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        raise InputError(
            f"column '{response}': the response holds {values.dtype} values, expected "
            "numbers; convert the column"
        )
    _refuse_holes(response, values.isna())
    if not np.isfinite(values.to_numpy(dtype=float)).all():
        raise InputError(f"column '{response}': infinite values; expected finite numbers")
    for name in variables:
        table[name] = _usable(table[name], name)
    return pd.DataFrame(table, index=data.index), codes, subjects


def _usable(values: pd.Series, name: str) -> pd.Series:
    """A variable without holes, as numbers or as a factor of the levels that occur."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        _refuse_holes(name, values.isna())
        return values
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    codes = values.cat.codes.to_numpy()
    _refuse_holes(name, codes < 0)
    counts = np.bincount(codes, minlength=len(values.cat.categories))
    # An unused level would be a column of zeros.
    return values if counts.all() else values.cat.remove_unused_categories()


def _refuse_holes(name: str, holes: np.ndarray | pd.Series) -> None:
    count = int(np.sum(holes))
    if count:
        raise InputError(
            f"column '{name}': {count} missing values, the first in row "
            f"{int(np.argmax(np.asarray(holes))) + 1}; drop these rows first, knowingly"
        )


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
