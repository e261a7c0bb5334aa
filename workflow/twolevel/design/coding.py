"""How factors become columns: reference levels, or effects that sum to zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from twolevel.text.errors import InputError, did_you_mean, listed, quoted

# How factors become columns: as the formula says; all to sum to zero; or as the formula says, with
# other reference levels than the first ones for some factors.
Coding = Literal["treatment", "sum"] | Mapping[str, str]


def as_factor(expr: str) -> str | None:
    """The variable that a part of a formula turns into a factor, as `C(day)` does with `day`."""
    if not expr.startswith("C("):
        return None
    return expr.removeprefix("C(").partition(",")[0].rstrip(")").strip()


def references_first(
    variables: pd.DataFrame, references: Mapping[str, str], formula: str
) -> dict[str, list]:
    """The levels of factors in the order of their columns: the reference, which has none, first."""
    ordered = {}
    for name, level in references.items():
        place = f"formula '{formula}': reference level {quoted(level)} of {quoted(name)}"
        if name not in variables or pd.api.types.is_numeric_dtype(variables[name]):
            factors = variables.select_dtypes("category").columns
            raise InputError(
                f"{place}: found no such factor{did_you_mean(name, factors)}; the factors are "
                f"{listed(map(quoted, factors))}"
            )
        levels = list(variables[name].cat.categories)
        named = {str(known): known for known in levels}
        if level not in named:
            raise InputError(
                f"{place}: found no such level{did_you_mean(level, named)}; the levels are "
                f"{listed(map(quoted, levels), 30)}"
            )
        first = named[level]
        ordered[name] = [first, *(other for other in levels if other != first)]
    return ordered


def reordered(table: pd.DataFrame, levels: Mapping[str, list]) -> pd.DataFrame:
    """A table whose factors have their levels in these orders."""
    if not levels:
        return table
    return table.assign(**{name: table[name].cat.set_categories(levels[name]) for name in levels})
