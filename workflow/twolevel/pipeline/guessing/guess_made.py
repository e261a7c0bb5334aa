"""What was guessed, in the config's own keys, and the formulas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twolevel.pipeline.guessing.evidence import Column


@dataclass
class Guess:
    """A study's table, in the config's own keys, with a reason for each.

    measured are the columns of a wide table with the response, levels those of numbers that stand
    for labels, simpler formulas to fall back to, and unused has every other column with the reason
    why it is left out.
    """

    subject: str
    formula: str
    reasons: dict[str, list[str]]
    wide: Any = None
    measured: tuple[str, ...] = ()
    condition: str | None = None
    levels: dict[str, list[float]] = field(default_factory=dict)
    simpler: list[str] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)


def formulas(response: str, within: str, groups: Sequence[str]) -> tuple[str, list[str]]:
    """The fullest formula, and simpler ones. `within` are the terms of the conditions."""
    names = [name_in_formula(group) for group in groups]
    if "+" in within:
        forms = [" + ".join([within, *names])]
    else:
        forms = [" * ".join(filter(None, [within, *names]))]
        forms.append(" + ".join(filter(None, [*within.split(" * "), *names])))
    forms += [" + ".join(filter(None, [within, *names[:1]])), within, "1"]
    found = list(dict.fromkeys(f"{name_in_formula(response)} ~ {form}" for form in forms if form))
    return found[0], found[1:]


def name_in_formula(column: str) -> str:
    """A column's name as it stands in formulas."""
    return column if re.fullmatch(r"[^\W\d]\w*", column) else f"`{column}`"


def group_words(groups: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    """What the factors between subjects are."""
    return [f"{name}: {columns[name].distinct} groups of subjects." for name in groups]
