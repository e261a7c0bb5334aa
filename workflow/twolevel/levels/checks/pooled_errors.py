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
from twolevel.random.random_part import RandomPart
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class PooledErrors:
    """A model with all that subjects' data support, beside one that leaves some of it out.

    random is its random part, left_out are the terms with the effects that the other has not, and
    tests the Type III F tests (F, df_num, df_den, p) of it by REML, by term. Where it cannot be
    fitted, tests has no rows and reason says why.
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
    design = fit.design
    columns = supported_columns(design)
    here = dict(_effects(fit.random_part, design.subject))
    left_out = [
        {"within": list(within), "effects": [e for e in effects if e not in here.get(within, ())]}
        for within, effects in _effects(columns.part, design.subject)
    ]
    left_out = [term for term in left_out if term["effects"]]
    if not left_out:
        return None
    random = str(columns.part)
    tests = pd.DataFrame(columns=["F", "df_num", "df_den", "p"]).rename_axis("term")
    try:
        return PooledErrors(random, left_out, fit_design(design, columns, "REML").anova(), None)
    except InputError as error:
        return PooledErrors(random, left_out, tests, str(error))


def _effects(part: RandomPart, subject: str) -> list[tuple[tuple[str, ...], list[str]]]:
    """The effects in each combination of factors besides the subject."""
    found: dict[tuple[str, ...], list[str]] = {}
    for term in part.terms:
        found.setdefault(term.within(subject), []).extend(term.effects)
    return list(found.items())


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
