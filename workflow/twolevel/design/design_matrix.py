"""The fixed part of a model: a formula evaluated on a table.

Columns and terms carry formulaic's names; coding is treatment coding unless the formula says
otherwise, or sum-to-zero coding where a Type III test needs it. The columns' numbers are centred
and scaled (see `encoding`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.cells import Cells, SubjectRows
from twolevel.design.coding import Coding
from twolevel.design.columns import columns_of, factor_or_number, response_of, subjects_of
from twolevel.design.encoding import Encoding, encode
from twolevel.design.formula import FormulaNames, parse
from twolevel.design.identifiability import refuse_aliased, refuse_unrepeated
from twolevel.design.moments import Coordinates, SubjectMoments, working_moments
from twolevel.design.reduction import Whole, whole_of
from twolevel.design.shards import Shards
from twolevel.design.variables import Variables, is_factor
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class DesignMatrix:
    """A formula evaluated on N rows of n subjects.

    cells holds the distinct rows of the model, and which of them each observation has; response
    (N,) is in the response's unit; subject_rows has each row's subject as a position in `subjects`
    (n,), in order of first appearance, and `subject` is the column that names them. `variables`
    are the formula's, one row per observation, which index (N,) names. Of a table in shards, all
    these are a sample, and `whole` is what is known of all of it. The p columns are those of
    `encoding`, whose formula_rows times their coefficients are the formula's.
    """

    formula: str
    cells: Cells
    response: np.ndarray
    subject_rows: SubjectRows
    subjects: pd.Index
    variables: Variables
    index: pd.Index
    encoding: Encoding
    subject: str
    whole: Whole | None = None

    @cached_property
    def data(self) -> pd.DataFrame:
        """The variables as a table (N rows)."""
        return self.variables.table(self.index)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the formula's coefficients (p,)."""
        return self.encoding.names

    @property
    def terms(self) -> dict[str, tuple[int, ...]]:
        """The positions of each term's columns."""
        return self.encoding.terms

    @property
    def tested_terms(self) -> dict[str, tuple[int, ...]]:
        """The same without the intercept."""
        return {term: at for term, at in self.terms.items() if term != self.encoding.intercept}

    @property
    def codes(self) -> np.ndarray:
        """The subject of each row (N,), as a position in `subjects`."""
        return self.subject_rows.codes

    @cached_property
    def X(self) -> np.ndarray:
        """The model matrix (N, p) of the formula's own coefficients."""
        return self.cells.spread(self.cells.X @ self.encoding.raw_columns)

    @property
    def nobs(self) -> int:
        """The number of all observations."""
        return len(self.response) if self.whole is None else int(self.whole.moments.counts.sum())

    @property
    def all_subjects(self) -> pd.Index:
        """All subjects, of which `subjects` may be a sample."""
        return self.subjects if self.whole is None else self.whole.subjects

    @property
    def positions(self) -> np.ndarray:
        """The positions (n,) of `subjects` among all subjects."""
        return np.arange(len(self.subjects)) if self.whole is None else self.whole.positions

    @property
    def with_all_rows(self) -> np.ndarray:
        """Which (n,) of the subjects have all their rows here."""
        if self.whole is None:
            return np.ones(len(self.subjects), dtype=bool)
        return self.subject_rows.counts == self.whole.moments.counts[self.whole.positions]

    @cached_property
    def _reduced(self) -> tuple[SubjectMoments, Coordinates]:
        if self.whole is not None:
            return self.whole.moments, self.whole.coordinates
        return working_moments(self.cells, self.response, self.subject_rows)

    def working_moments(self) -> tuple[SubjectMoments, Coordinates]:
        """All subjects' moments in the coordinates of `moments.working_moments`."""
        return self._reduced

    def working_columns(self) -> tuple[Cells, np.ndarray, Coordinates]:
        """The rows z = [x | y] in these coordinates: x, and y (N,)."""
        coordinates = self._reduced[1]
        cells = replace(self.cells, X=self.cells.X @ coordinates.T)
        return cells, coordinates.residual(cells, self.response), coordinates

    def without(self, position: int) -> DesignMatrix:
        """The same model for all subjects but the one at a position."""
        return self.of_subjects(np.delete(np.arange(len(self.subjects)), position))

    def of_subjects(self, positions: np.ndarray) -> DesignMatrix:
        """The same model for the subjects at some positions (m,) only, which ascend or not."""
        new = np.full(len(self.subjects), -1, dtype=np.intp)
        new[positions] = np.arange(len(positions))
        codes = new[self.codes]
        keep = codes >= 0
        whole = self.whole
        return replace(
            self,
            cells=self.cells.of_rows(keep),
            response=self.response[keep],
            subject_rows=SubjectRows(codes[keep], len(positions)),
            subjects=self.subjects[positions],
            variables=self.variables.of_rows(keep),
            index=self.index[keep],
            whole=whole and replace(whole, positions=whole.positions[positions]),
        )

    @property
    def profiles(self) -> pd.DataFrame:
        """The values of the variables in every subject's first row (n rows)."""
        return self.data.iloc[self.first_rows] if self.whole is None else self.whole.profiles

    @property
    def first_rows(self) -> np.ndarray:
        """The position (n,) of each subject's first row."""
        return np.unique(self.codes, return_index=True)[1]

    def rows(self, table: pd.DataFrame, at_means: Collection[str] = ()) -> np.ndarray:
        """The model's rows (m, p) for a table (m rows) of values of the same variables.

        Numbers named in `at_means` stand at their means over all observations.
        """
        # The encoding knows the means of the sample; the table holds those of all rows.
        return self.encoding.rows(Variables.of(table), at_means if self.whole is None else ())

    def levels(self, variable: str) -> list:
        """The levels of a categorical variable, or the distinct values of a numeric one."""
        values = self.variables.columns[variable]
        return list(values.categories) if is_factor(values) else sorted(pd.unique(values))

    def is_numeric(self, variable: str) -> bool:
        """Whether a variable enters as a number (a covariate) rather than as a factor."""
        return not is_factor(self.variables.columns[variable])

    def varies_within(self, variable: str) -> bool:
        """Whether a variable takes more than one value within some subject."""
        if self.whole is not None:
            return variable in self.whole.varying
        values = pd.factorize(self.data[variable])[0]
        first = np.full(len(self.subjects), -1)
        first[self.codes[::-1]] = values[::-1]
        return bool(np.any(values != first[self.codes]))

    def reference_grid(
        self, keep: Collection[str] = (), at: Mapping[str, Collection] | None = None
    ) -> tuple[pd.DataFrame, set[str]]:
        """Every combination of the factors' levels, and the numbers that are at their means.

        As in emmeans, a number with two values is taken as a factor. A number named in `keep` takes
        each of its distinct values, and a variable in `at` the values that stand there.
        """
        at = at or {}
        axes, at_means = {}, set()
        for name in self.data:
            if name in at:
                axes[name] = at[name]
            elif name in keep or self.is_factor(name) or len(self.levels(name)) == 2:
                axes[name] = self.levels(name)
            else:
                axes[name] = [self._mean(name)]
                at_means.add(name)
        if not axes:
            return pd.DataFrame(index=[0]), at_means
        grid = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
        factors = {name: self.data[name].dtype for name in axes if self.is_factor(name)}
        return grid.astype(factors), at_means

    def _mean(self, covariate: str) -> float:
        """The mean of a covariate over all observations."""
        return self.data[covariate].mean() if self.whole is None else self.whole.means[covariate]

    def interact(self, one: str, other: str) -> bool:
        """Whether some term of the formula is made of both variables."""
        return any({one, other} <= self.encoding.variables_of(term) for term in self.terms)

    def term_of(self, variable: str) -> str | None:
        """The term that is made of one variable alone."""
        return next((t for t in self.terms if self.encoding.variables_of(t) == {variable}), None)

    def is_factor(self, variable: str) -> bool:
        """Whether a variable is categorical."""
        return not self.is_numeric(variable)


def design_matrix(
    formula: str,
    data: Any,
    subject: str,
    coding: Coding = "treatment",
) -> DesignMatrix:
    """Evaluate `formula` on `data` (N rows), whose column `subject` names each row's subject.

    `coding="sum"` codes every factor to sum to zero, whatever the formula says; terms keep the
    names they have in the formula. A mapping of factors to levels makes these the reference.

    Raises InputError for columns that are missing or hold missing, infinite or unusable values,
    and for a formula whose columns are linearly dependent (the aliased ones are named).
    """
    if not isinstance(coding, Mapping) and coding not in ("treatment", "sum"):
        raise InputError(
            f"coding: found {coding!r}, expected 'treatment', 'sum' or a mapping of factors to "
            "their reference levels, as {'time': 't2'}"
        )
    if isinstance(data, Shards):
        return whole_of(design_matrix(formula, data.sample, subject, coding), data)
    names = parse(formula)
    wanted = [subject, names.response, *names.variables]
    table, index = columns_of(data, wanted, f"formula '{formula}'")
    codes, subjects = subjects_of(table[subject], subject)
    response = response_of(table[names.response], names.response)
    columns = {n: factor_or_number(table[n], n, n in names.factors) for n in names.variables}
    for name in names.factors & names.bare:
        if pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(
                f"formula '{formula}': '{name}' stands both as a number and, in C(), as a factor; "
                "add a copy of the column to the table for one of them"
            )
    rows = SubjectRows(codes, len(subjects))
    variables = Variables(columns, len(index))
    return _evaluated(formula, names, variables, index, response, rows, subjects, subject, coding)


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
    columns = {"condition": pd.Categorical.from_codes(short, dtype=levels)}
    response = np.asarray(response, dtype=float)
    formula, N = "response ~ condition", len(response)
    variables, subjects = Variables(columns, N), pd.RangeIndex(rows.n_subjects, name="subject")
    names, index = parse(formula), pd.RangeIndex(N)
    return _evaluated(formula, names, variables, index, response, rows, subjects)


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
    names: FormulaNames,
    variables: Variables,
    index: pd.Index,
    response: np.ndarray,
    rows: SubjectRows,
    subjects: pd.Index,
    subject: str = "subject",
    coding: Coding = "treatment",
) -> DesignMatrix:
    """Evaluate a formula on its variables (N rows), and refuse what cannot be fitted."""
    encoding, cells = encode(names, formula, variables, coding)
    design = DesignMatrix(
        formula=formula,
        cells=cells,
        response=response,
        subject_rows=rows,
        subjects=subjects,
        variables=variables,
        index=index,
        encoding=encoding,
        subject=subject,
    )
    refuse_unrepeated(design)
    refuse_aliased(design)
    return design
