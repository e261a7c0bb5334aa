"""Wide form turned long: one row per subject, a column for every condition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twolevel.errors import InputError, listed, quoted
from twolevel.formula import parse
from twolevel.pipeline.tables import check_columns, columns_needed

if TYPE_CHECKING:
    import pandas as pd

Wide = Mapping[str, str] | Sequence[str] | str


def wide_columns(wide: Wide, header: Sequence[str], place: str) -> dict[str, str]:
    """Each condition with its column: as mapped, as listed, or by a pattern with one *.

    Raises InputError where the header has not all of them.
    """
    if isinstance(wide, str):
        pattern = re.compile(re.escape(wide).replace(r"\*", "(.+)"))
        found = {m[1]: name for name in header if (m := pattern.fullmatch(name))}
        if len(found) < 2:
            raise InputError(
                f"{place}: wide: the pattern {quoted(wide)} matches {len(found)} of the columns "
                f"{listed(map(quoted, header), 30)}; expected two at least"
            )
        return found
    columns = dict(wide) if isinstance(wide, Mapping) else {name: name for name in wide}
    check_columns(columns.values(), header, f"{place}: wide")
    return columns


def columns_read(
    formula: str,
    subject: str,
    wide: Wide | None,
    condition: str | None,
    header: Sequence[str],
    place: str,
) -> tuple[list[str], dict[str, str]]:
    """The columns that a study reads of its table, and those of them that hold a condition each.

    Of a wide table, these are in place of the response and of `condition`.
    """
    needed = columns_needed(formula, subject)
    if wide is None:
        return needed, {}
    made = wide_columns(wide, header, place)
    gone = condition, parse(formula).response
    kept = [name for name in needed if name not in gone]
    if both := set(kept).intersection(made.values()):
        raise InputError(
            f"{place}: wide: column {quoted(sorted(both)[0])} is also in the formula or the "
            "subject; it can be one of these only"
        )
    return [*kept, *made.values()], made


def lengthened(
    data: pd.DataFrame, columns: Mapping[str, str], condition: str, response: str
) -> pd.DataFrame:
    """The rows (R x J) of a wide table with R rows, those of one row together.

    columns maps each of the J conditions to its column, all of numbers.
    """
    import numpy as np
    import pandas as pd

    J = len(columns)
    kept = data.drop(columns=list(columns.values()))
    long = kept.loc[kept.index.repeat(J)].reset_index(drop=True)
    values = np.column_stack(
        [data[name].to_numpy(dtype=float, na_value=np.nan) for name in columns.values()]
    )
    levels = pd.CategoricalDtype(list(columns))
    codes = np.tile(np.arange(J, dtype=np.min_scalar_type(-J)), len(data))
    return long.assign(
        **{condition: pd.Categorical.from_codes(codes, dtype=levels), response: values.ravel()}
    )
