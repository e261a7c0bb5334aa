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
from twolevel.design.reduction import parts_of, refuse_stateful
from twolevel.design.shards import Shards
from twolevel.design.variables import Column, Variables
from twolevel.random.bars import CROSSED, Bar, MixedFormula, read_bars
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
    place, rows = f"formula {quoted(formula)}", data
    named = mixed.subject if subject in (None, mixed.subject) else None
    if isinstance(data, Shards):
        refuse_stateful(formula)
        if alone := [bar for bar in mixed.bars if data.subject not in bar.grouping]:
            nested = Bar(alone[0].formula, (data.subject, *alone[0].grouping))
            raise InputError(
                f"{place}: the table is too large to be held in memory, and such tables need the "
                f"subject right of every bar; write {nested} for {alone[0]}"
            )
        named, rows = data.subject, data.sample
    table, _ = columns_of(rows, mixed.random_columns, place)
    factors = {
        name: factor_or_number(table[name], name, True) for name in mixed.grouping if name != named
    }
    subject = named or _coarsest(mixed, factors, subject)
    design = design_matrix(mixed.fixed, data, subject, coding)
    columns = RandomColumns(tuple(_terms(mixed, design, table, factors)))
    refuse_unidentified(columns, design, place)
    return design, columns


def supported_columns(design: DesignMatrix) -> RandomColumns:
    """What the subjects' data support (see `supported`), on a design's rows."""
    if _one_row_a_level(design):
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
                f"time, write {nested}. {CROSSED}"
            )
    return None


def _terms(
    mixed: MixedFormula,
    design: DesignMatrix,
    table: Mapping[str, pd.Series],
    factors: Mapping[str, pd.Categorical],
) -> list[TermColumns]:
    """The columns of each bar."""
    known = dict[tuple[str, bool], Column]()
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
            groupings[within] = _own_levels(design, {name: factors[name] for name in within})
        own_levels, levels = groupings[within] if within else (None, None)
        grouping = (design.subject, *within) if design.subject in bar.grouping else bar.grouping
        variables = Variables(columns, len(design.response))
        source = TermSource.of(Bar(bar.formula, grouping), names, variables, own_levels)
        terms.append(source.on(variables, levels))
    return terms


def _own_levels(
    design: DesignMatrix, factors: Mapping[str, pd.Categorical]
) -> tuple[OwnLevels, np.ndarray]:
    """The levels that the subjects have of some factors (N,), and those (N,) of the design's rows.

    Of a table in shards, those of all subjects.
    """
    if design.whole is None:
        return OwnLevels.of(design.codes, len(design.subjects), factors)
    stored = design.whole.shards.sample.dtypes
    levels = {  # of a factor all, which the sample need not hold
        name: stored[name] if isinstance(stored[name], pd.CategoricalDtype) else factor.dtype
        for name, factor in factors.items()
    }
    n, sizes = len(design.all_subjects), [len(dtype.categories) for dtype in levels.values()]
    found, more = np.empty(0, dtype=np.intp), list[np.ndarray]()
    for table, part in parts_of(design):
        codes = [_codes(table[name], name, dtype) for name, dtype in levels.items()]
        subjects = part.positions[part.codes]
        more.append(np.unique(np.ravel_multi_index((subjects, *codes), (n, *sizes))))
        # Put together where they have doubled, so that each is sorted a few times only.
        if sum(map(len, more)) > len(found):
            found, more = np.unique(np.concatenate([found, *more])), []
    found = np.unique(np.concatenate([found, *more]))
    subjects, *codes = np.unravel_index(found, (n, *sizes))
    occurring = {
        name: pd.Categorical.from_codes(own, dtype=dtype)
        for own, (name, dtype) in zip(codes, levels.items(), strict=True)
    }
    own, _ = OwnLevels.of(subjects, n, occurring)
    return own, own.positions(design.positions[design.codes], factors)


def _codes(values: pd.Series, name: str, levels: pd.CategoricalDtype) -> np.ndarray:
    """The positions (N,) of a part's values among a factor's levels."""
    factor = pd.Categorical(factor_or_number(values, name, True))
    codes = factor.set_categories(levels.categories).codes.astype(np.intp)
    if (codes < 0).any():
        raise InputError(
            f"column {quoted(name)}: the table is read in parts, and the number "
            f"{values.iloc[int(np.argmin(codes))]} is not in the sample that its levels are from; "
            "store the column as text"
        )
    return codes
