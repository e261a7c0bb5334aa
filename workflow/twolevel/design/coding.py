"""How factors become columns: reference levels, or effects that sum to zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from twolevel.design.variables import Variables
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
    variables: Variables, references: Mapping[str, str], formula: str
) -> dict[str, list]:
    """The levels of factors in the order of their columns: the reference, which has none, first."""
    ordered, factors = {}, variables.factors
    for name, level in references.items():
        place = f"formula '{formula}': reference level {quoted(level)} of {quoted(name)}"
        if name not in factors:
            raise InputError(
                f"{place}: found no such factor{did_you_mean(name, factors)}; the factors are "
                f"{listed(map(quoted, factors))}"
            )
        levels = list(factors[name].categories)
        named = {str(known): known for known in levels}
        if level not in named:
            raise InputError(
                f"{place}: found no such level{did_you_mean(level, named)}; the levels are "
                f"{listed(map(quoted, levels), 30)}"
            )
        first = named[level]
        ordered[name] = [first, *(other for other in levels if other != first)]
    return ordered


def reordered(variables: Variables, levels: Mapping[str, list]) -> Variables:
    """The same, with the levels of factors in these orders."""
    factors = variables.factors
    turned = {name: factors[name].set_categories(order) for name, order in levels.items()}
    return replace(variables, columns={**variables.columns, **turned})
