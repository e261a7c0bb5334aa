"""What the model pools: how subjects differ in effects of which they support ones of their own.

A model that leaves such differences out takes them for error of single observations. In balanced
data they are the error of an effect's test in the partitioned ANOVA (`Error(id / (a * b))`), so
that its tests are those of another model where they are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.mixed import MixedFit, fit_design
from twolevel.random.mixed_design import supported_columns
from twolevel.random.random_columns import RandomColumns, TermColumns
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class PooledErrors:
    """A model with all that subjects' data support, beside one that leaves some of it out.

    random is its random part, with what else the other has; left_out are the terms with the effects
    that the other has not, and tests the Type III F tests (F, df_num, df_den, p) of it by REML, by
    term. Where it cannot be fitted, tests has no rows and reason says why.
    """

    random: str
    left_out: list[dict]
    tests: pd.DataFrame
    reason: str | None

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {**vars(self), "tests": self.tests.reset_index()}


def pooled_errors(fit: MixedFit) -> PooledErrors | None:
    """What a fit leaves out; None where it leaves out nothing."""
    design, has = fit.design, fit.random_columns.terms
    left_out: dict[TermColumns, list[str]] = {}
    for each in supported_columns(design).terms:
        within = each.term.within(design.subject)
        same = [other for other in has if other.term.within(design.subject) == within]
        known = {effect for other in same for effect in other.term.effects}
        effects = [effect for effect in each.term.effects if effect not in known]
        if effects and not any(_covers(other, each, design) for other in has):
            left_out[each] = effects
    if not left_out:
        return None
    replaced = {each.term.within(design.subject) for each in left_out}
    kept = [each for each in has if each.term.within(design.subject) not in replaced]
    columns = RandomColumns((*kept, *left_out))
    effects_left_out = [
        {"within": list(each.term.within(design.subject)), "effects": effects}
        for each, effects in left_out.items()
    ]
    random = str(columns.part)
    tests = pd.DataFrame(columns=["F", "df_num", "df_den", "p"]).rename_axis("term")
    reason = None
    try:
        tests = fit_design(design, columns, "REML").anova()
    except InputError as error:
        reason = str(error)
    return PooledErrors(random, effects_left_out, tests, reason)


def _covers(term: TermColumns, other: TermColumns, design: DesignMatrix) -> bool:
    """Whether a term lets subjects differ in all that another one does, by other columns.

    It does where each column of the other, in each of its levels within those of the term, is a
    sum of the term's columns: (0 + f | id) has (1 | id) and (1 | id:f) in it.
    """
    wide, narrow = (each.term.within(design.subject) for each in (term, other))
    if not set(wide) <= set(narrow):
        return False
    levels = [name for name in narrow if name not in wide]
    columns = other.values[:, :, None]
    if levels:
        code = pd.DataFrame(design.data)[levels].groupby(levels, observed=True).ngroup().to_numpy()
        columns = columns * (code[:, None] == np.arange(code.max() + 1))[:, None]
    columns = columns.reshape(len(columns), -1)
    fitted = term.values @ np.linalg.lstsq(term.values, columns, rcond=None)[0]
    return np.allclose(fitted, columns, atol=1e-8)


def unconnected(design: DesignMatrix, variable: str | None) -> list[list]:
    """Sets of a variable's levels no two of which have a subject in common; [] if there is one.

    Levels of different sets are compared between subjects only. Of a table in shards, its sample
    is looked at.
    """
    if variable is None or not design.varies_within(variable):
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    levels = design.levels(variable)
    codes = pd.Categorical(design.data[variable], levels).codes.astype(int)
    J, n = len(levels), len(design.subjects)
    met = coo_array((np.ones(len(codes)), (codes, J + design.codes)), shape=(J + n, J + n))
    count, of = connected_components(met, directed=False)
    if count == 1:
        return []
    return [
        [level for level, own in zip(levels, of, strict=False) if own == k] for k in range(count)
    ]
