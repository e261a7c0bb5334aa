"""A formula with its bars, on a table: the design of what is fixed, and the random columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.coding import Coding
from twolevel.design.columns import columns_of, factor_or_number
from twolevel.design.design_matrix import DesignMatrix, design_matrix
from twolevel.design.shards import Shards
from twolevel.design.variables import Column, Variables
from twolevel.random.bars import Bar, MixedFormula, read_bars
from twolevel.random.own_levels import OwnLevels
from twolevel.random.random_columns import RandomColumns, TermColumns
from twolevel.random.supported import supported, within_factors
from twolevel.random.term_source import TermSource, subject_intercept
from twolevel.random.unidentified import refuse_unidentified
from twolevel.text.errors import InputError, quoted


def mixed_design(
    formula: str, data: Any, subject: str | None, coding: Coding
) -> tuple[DesignMatrix, RandomColumns]:
    """Evaluate a formula on a table (N rows): its fixed part, and what is random.

    Without bars what is random is what the subjects' data support. With bars the subject may be
    left out: it is the column in whose levels those of all grouping factors are nested.

    Raises InputError as `design_matrix` does, where no such column is there, and for random effects
    that the rows cannot tell from each other or from the residual.
    """
    mixed = read_bars(formula)
    if not mixed.bars:
        if subject is None:
            raise InputError(
                f"formula {quoted(formula)}: it is not said which column names the subjects; give "
                "it as subject, or write what is random into the formula, as in + (1 | id)"
            )
        design = design_matrix(formula, data, subject, coding)
        return design, supported_columns(design)
    if subject is not None:
        mixed.refuse_other_subject(subject)
    if isinstance(data, Shards):
        subject = subject or mixed.subject
        if subject is None or mixed.bars != (Bar("1", (subject,)),):
            raise InputError(
                f"formula {quoted(formula)}: the table is too large to be held in memory, and such "
                f"tables are fitted with a random intercept only; write (1 | {subject or 'id'}), "
                "or take a part of the rows"
            )
        design = design_matrix(mixed.fixed, data, subject, coding)
        return design, subject_intercept(design)
    place = f"formula {quoted(formula)}"
    table, _ = columns_of(data, mixed.random_columns, place)
    named = mixed.subject if subject in (None, mixed.subject) else None
    factors = {
        name: factor_or_number(table[name], name, True) for name in mixed.grouping if name != named
    }
    subject = named or _coarsest(mixed, factors, subject)
    design = design_matrix(mixed.fixed, data, subject, coding)
    columns = RandomColumns(tuple(_terms(mixed, design, table, factors)))
    refuse_unidentified(columns, design.codes, len(design.subjects), place)
    return design, columns


def supported_columns(design: DesignMatrix) -> RandomColumns:
    """What the subjects' data support (see `supported`), on a design's rows.

    Of a table in shards it is an intercept: the sums that it is reduced to hold no more.
    """
    if design.whole is not None or _one_row_a_level(design):
        return subject_intercept(design)
    support = supported(design)
    if len(support.bars) == 1 and support.bars[0].formula == "1":
        return replace(subject_intercept(design), support=support)
    mixed = MixedFormula.of(design.formula, design.formula, support.bars)
    return RandomColumns(tuple(_terms(mixed, design, {}, within_factors(design))), support)


def _one_row_a_level(design: DesignMatrix) -> bool:
    """Whether one factor is all there is, and no subject has two rows under a level of it.

    That supports an intercept alone, and is soon seen: what else there may be takes longer to ask
    than such a design takes to fit.
    """
    cells, codes = design.cells, design.codes
    if cells.codes is None or len(design.variables.columns) != 1:
        return False
    size = len(design.subjects) * len(cells.X)
    return bool(np.bincount(codes * len(cells.X) + cells.codes, minlength=size).max() <= 1)


def _coarsest(mixed: MixedFormula, factors: Mapping[str, pd.Categorical], given: str | None) -> str:
    """The column in whose levels those of all grouping factors are nested, or the one given."""
    crossed = {name: _crossed(mixed.bars, factors, name) for name in mixed.grouping}
    found = [name for name in mixed.grouping if crossed[name] is None]
    if given in found or (given is None and found):
        return given or found[0]
    place = f"formula {quoted(mixed.text)}"
    if found:
        raise InputError(
            f"{place}: the subject is given as {quoted(given)}, whose levels are nested in those "
            f"of {quoted(found[0])}; leave the subject out, or take {quoted(found[0])} out of the "
            "bars"
        )
    raise InputError(f"{place}: {crossed[given or mixed.grouping[0]]}")


def _crossed(
    bars: tuple[Bar, ...], factors: Mapping[str, pd.Categorical], subject: str
) -> str | None:
    """How a grouping factor is crossed with the subject, in words; None where none is."""
    of_rows = factors[subject].codes
    for bar in bars:
        if subject in bar.grouping:
            continue
        own = {name: factors[name] for name in bar.grouping}
        levels = OwnLevels.of(np.zeros(len(of_rows), dtype=np.intp), 1, own)[1]
        of_level = np.zeros(int(levels.max()) + 1, dtype=np.intp)
        of_level[levels] = of_rows
        if (apart := of_level[levels] != of_rows).any():
            row = int(np.argmax(apart))
            level = ":".join(str(factor[row]) for factor in own.values())
            two = factors[subject].categories[[of_rows[row], of_level[levels[row]]]]
            nested = Bar(bar.formula, (subject, *bar.grouping))
            return (
                f"{bar} is crossed with {subject}: {quoted(level)} occurs with "
                f"{' and '.join(map(quoted, two))}; expected one grouping factor, in whose levels "
                f"those of all others are nested. If it is another {' '.join(bar.grouping)} each "
                f"time, write {nested}; models of crossed factors, as of subjects and items, are "
                "fitted by lme4 (R), pymer4 (Python) and MixedModels.jl (Julia)"
            )
    return None


def _terms(
    mixed: MixedFormula,
    design: DesignMatrix,
    table: Mapping[str, pd.Series],
    factors: Mapping[str, pd.Categorical],
) -> list[TermColumns]:
    """The columns of each bar."""
    n, known = len(design.subjects), dict[tuple[str, bool], Column]()
    for name, column in design.variables.columns.items():
        known[name, name in mixed.names.factors] = column
    groupings: dict[tuple[str, ...], tuple[OwnLevels, np.ndarray]] = {}
    terms = []
    for bar in mixed.bars:
        names = mixed.left[bar]
        columns = {}
        for name in names.variables:
            key = name, name in names.factors
            if key not in known:
                known[key] = factor_or_number(table[name], *key)
            columns[name] = known[key]
        within = bar.within(design.subject)
        if within and within not in groupings:
            own = {name: factors[name] for name in within}
            groupings[within] = OwnLevels.of(design.codes, n, own)
        own_levels, levels = groupings[within] if within else (None, None)
        grouping = (design.subject, *within) if design.subject in bar.grouping else bar.grouping
        variables = Variables(columns, len(design.response))
        source = TermSource.of(Bar(bar.formula, grouping), names, variables, own_levels)
        terms.append(source.on(variables, levels))
    return terms
