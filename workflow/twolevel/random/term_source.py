"""A bar of a formula as columns of numbers, on the rows of a model and on others.

The columns are those of the formula left of the bar, by treatments whatever the coding of the
fixed effects (as in lme4), and with formulaic's names: `time[T.t2]` where lme4 has `timet2`.
Numbers are centred where the term has an intercept beside them, and only scaled where not (see
`design.encoding`): so the columns span what the formula's own do, an unstructured covariance of
their effects means the same model, and neither origin nor unit costs digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.columns import factor_or_number, like
from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.encoding import Encoding, encode
from twolevel.design.formula import FormulaNames
from twolevel.design.variables import Column, Variables
from twolevel.numeric.standardised import power_of_two
from twolevel.random.bars import Bar
from twolevel.random.effect_names import INTERCEPT
from twolevel.random.own_levels import OwnLevels
from twolevel.random.random_columns import RandomColumns, TermColumns
from twolevel.random.random_part import RandomTerm


@dataclass(frozen=True, eq=False)
class TermSource:
    """How a term's columns follow from a table.

    known are the variables left of the bar on the model's rows, encoding what the formula makes of
    them (None of an intercept alone), scale (q,) what its columns are divided by. own are the
    subjects' levels of the grouping factor, None where it is the subject.
    """

    term: RandomTerm
    own: OwnLevels | None
    known: Mapping[str, Column]
    encoding: Encoding | None
    scale: np.ndarray

    @classmethod
    def of(
        cls, bar: Bar, names: FormulaNames, variables: Variables, own: OwnLevels | None
    ) -> TermSource:
        """Evaluate a bar, of which `names` are the columns, on the model's rows (N rows).

        Raises InputError for transforms that cannot be had of these variables.
        """
        if not names.variables:
            term = RandomTerm(bar.formula, bar.grouping, (INTERCEPT,))
            return cls(term, own, {}, None, np.ones(1))
        encoding, cells = encode(names, str(bar), variables, "treatment")
        effects = tuple(
            INTERCEPT if name == encoding.intercept else name for name in encoding.names
        )
        term = RandomTerm(bar.formula, bar.grouping, effects)
        # Half of it, so that columns of 0 and 1 stay as they are.
        scale = np.array([power_of_two(column) / 2 for column in cells.X.T])
        return cls(term, own, variables.columns, encoding, scale)

    def columns(self, nested: bool) -> tuple[str, ...]:
        """The columns of a table that `at` reads, with those of what is nested or not."""
        return (*self.known, *(self.own.factors if self.own and nested else ()))

    def at(self, table: Mapping[str, pd.Series], subjects: np.ndarray) -> TermColumns:
        """The term on other rows (m,), of subjects at these positions: -1 for ones not known.

        Raises InputError for variables of another kind, or with levels not known.
        """
        values = {name: like(table[name], known, name) for name, known in self.known.items()}
        levels = None
        if self.own is not None and (subjects < 0).all():
            levels = subjects
        elif self.own is not None:
            factors = {name: factor_or_number(table[name], name, True) for name in self.own.factors}
            levels = self.own.positions(subjects, factors)
        return self.on(Variables(values, len(subjects)), levels)

    def on(self, variables: Variables, levels: np.ndarray | None) -> TermColumns:
        """The term on rows (m,) of the variables, at these levels (m,) of the grouping factor."""
        if self.encoding is None:
            ones = np.broadcast_to(1.0, (variables.rows, 1))
            return TermColumns(self.term, ones, np.eye(1), levels, self)
        values = self.encoding.rows(variables) / self.scale
        return TermColumns(self.term, values, self.encoding.formula_rows / self.scale, levels, self)


def subject_intercept(design: DesignMatrix) -> RandomColumns:
    """(1 | subject) on a design's rows."""
    bar = Bar("1", (design.subject,))
    nothing = Variables({}, len(design.response))
    return RandomColumns(
        (TermSource.of(bar, FormulaNames("", ()), nothing, None).on(nothing, None),)
    )
