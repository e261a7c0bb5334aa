"""Wide form turned long: one row per subject, a column for every condition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from twolevel.pipeline.tables.table_files import check_columns, columns_needed
from twolevel.random.bars import read_bars
from twolevel.text.errors import InputError, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

# The config's `wide:` once it is checked: each level with its column, each column with its levels
# of several factors, or a pattern.
Wide = Mapping[str, str] | Mapping[str, Mapping[str, str]] | str

# As `subject:`, where no column says whose rows they are: their numbers.
ROW = "row"

# The name of a factor in a pattern.
FIELD = re.compile(r"\{([^{}*]+)\}")


@dataclass(frozen=True)
class Cells:
    """The columns of a wide table that hold the response: each with its level of every factor."""

    factors: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]


def made_factors(wide: Wide, formula: str, condition: str | None) -> tuple[str, ...]:
    """The factors that a wide table's columns make; none where their name is not clear.

    `wide` names them itself, or there is one: `condition`, else the formula's only variable.
    """
    if isinstance(wide, str):
        named = tuple(FIELD.findall(wide))
    else:
        first = next(iter(wide.values()))
        named = tuple(first) if isinstance(first, Mapping) else ()
    variables = read_bars(formula).names.variables
    if named or condition is not None:
        return named or (condition,)
    return variables if len(variables) == 1 else ()


def columns_read(
    formula: str,
    subject: str,
    wide: Wide | None,
    condition: str | None,
    header: Sequence[str],
    place: str,
) -> tuple[list[str], Cells | None]:
    """The columns that a study reads of its table, and of a wide one those with the response.

    These stand in place of the response and of the factors that they make. Raises InputError where
    the header has not all of them, or has a name that is to be made.
    """
    needed = columns_needed(formula, subject)
    numbered = subject == ROW and ROW not in header
    if wide is None:
        if numbered:
            raise InputError(
                f"{place}: there is no column {quoted(ROW)}, and rows can be numbered as subjects "
                "in a wide table only (see wide:): in a long one every subject has several rows; "
                "name the column that says whose they are"
            )
        check_columns(needed, header, place)
        return needed, None
    factors = made_factors(wide, formula, condition)
    made = (*factors, read_bars(formula).names.response)
    kept = [n for n in needed if n not in made and not (numbered and n == subject)]
    check_columns(kept, [*header, *factors], place)
    cells = _cells(wide, factors, [name for name in header if name not in kept], header, place)
    if both := [name for name in cells.levels if name in kept]:
        raise InputError(
            f"{place}: wide: column {quoted(both[0])} is also in the formula or the subject; it "
            "can be one of these only"
        )
    for name in made:
        if name == subject or (name in header and name not in cells.levels):
            raise InputError(
                f"{place}: wide: {quoted(name)} is to be made of the columns, and the table has a "
                "column of that name, or it is the subject; choose another name for what is made"
            )
    return [*kept, *cells.levels], cells


def _cells(
    wide: Wide, factors: tuple[str, ...], free: Sequence[str], header: Sequence[str], place: str
) -> Cells:
    """The columns as mapped, or those of `free` that a pattern matches."""
    if isinstance(wide, str):
        return _matched(wide, factors, free, place)
    levels = {}
    for one, other in wide.items():
        if isinstance(other, Mapping):
            levels[one] = tuple(other[factor] for factor in factors)
        else:
            levels[other] = (one,)
    check_columns(levels, header, f"{place}: wide")
    return Cells(factors, levels)


def _matched(pattern: str, factors: tuple[str, ...], names: Sequence[str], place: str) -> Cells:
    """The columns that a pattern matches, with what stands in place of * or each brace."""
    where, literal = f"{place}: wide: the pattern {quoted(pattern)}", FIELD.sub("*", pattern)
    longest, shortest = (
        re.compile(re.escape(literal).replace(r"\*", group)) for group in ("(.+)", "(.+?)")
    )
    levels = {name: m.groups() for name in names if (m := longest.fullmatch(name))}
    if len(levels) < 2:
        raise InputError(
            f"{where} matches {len(levels)} of the columns {listed(map(quoted, names), 30)}; "
            "expected two at least"
        )
    by_hand = (
        "name each column with its levels, as wide: "
        f"{{{next(iter(levels))}: {{{factors[0]}: ...}}, ...}}"
    )
    for name, found in levels.items():
        least = shortest.fullmatch(name)
        assert least is not None  # the longest match is there, so a shortest is
        other = least.groups()
        if found != other:
            raise InputError(
                f"{where} can be read in several ways in {quoted(name)}, as "
                f"{' and '.join(found)} or as {' and '.join(other)}; {by_hand}"
            )
    counts = [len(set(found)) for found in zip(*levels.values(), strict=True)]
    if len(levels) < prod(counts) or min(counts) < 2:
        sizes = ", ".join(f"{n} of {f}" for n, f in zip(counts, factors, strict=True))
        raise InputError(
            f"{where} matches the columns {listed(map(quoted, levels), 30)}, which are not all "
            f"combinations of two levels or more each ({sizes}); {by_hand}"
        )
    return Cells(factors, levels)


def lengthened(
    data: pd.DataFrame, cells: Cells, response: str, subject: str, start: int = 0
) -> pd.DataFrame:
    """The rows (R x J) of a wide table with R rows, those of one row together.

    cells are the J columns, all of numbers. Where `subject` is not among the columns it is the
    number of a row, of which the first has `start` rows before it.
    """
    import numpy as np
    import pandas as pd

    J, R = len(cells.levels), len(data)
    kept = data.drop(columns=list(cells.levels))
    if subject not in kept:
        kept = kept.assign(**{subject: np.arange(start + 1, start + R + 1)})
    long = kept.loc[kept.index.repeat(J)].reset_index(drop=True)
    values = [data[name].to_numpy(dtype=float, na_value=np.nan) for name in cells.levels]
    made = {}
    for factor, found in zip(cells.factors, zip(*cells.levels.values(), strict=True), strict=True):
        levels = pd.CategoricalDtype(list(dict.fromkeys(found)))
        codes = levels.categories.get_indexer(list(found)).astype(np.min_scalar_type(-J))
        made[factor] = pd.Categorical.from_codes(np.tile(codes, R), dtype=levels)
    return long.assign(**made, **{response: np.column_stack(values).ravel()})
