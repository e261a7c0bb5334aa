"""What the config says of a wide table's columns, checked; apart, for jobs need no models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twolevel.pipeline.config.values import as_text, described, text_keys
from twolevel.pipeline.tables.wide import FIELD, Wide
from twolevel.text.errors import InputError, listed, quoted


def checked_wide(value: Any) -> Wide:
    """What the config says of the columns, as it is kept. Raises InputError."""
    match value:
        case str() if _is_pattern(value):
            return value
        case Mapping() if value and all(isinstance(item, Mapping) for item in value.values()):
            return _of_several_factors(value)
        case Mapping():
            columns = {level: as_text(column) for level, column in text_keys(value).items()}
            if len(columns) > 1 and len(set(columns.values())) == len(columns):
                return columns
        case list() | tuple():
            columns = {as_text(column): as_text(column) for column in value}
            if len(value) > 1 and len(columns) == len(value):
                return columns
    raise InputError(
        f"found {described(value)}, expected two columns or more, each once: as "
        "{t1: score_1, t2: score_2}, as a list, each with its levels, as "
        "{a_t1: {drug: a, time: t1}, a_t2: {drug: a, time: t2}}, or as a pattern in quotes: with "
        'one *, such as "score_*", or with factors in braces, such as "{drug}_{time}"'
    )


def _is_pattern(text: str) -> bool:
    """Whether a text has one *, or the names of factors in braces."""
    named, rest = FIELD.findall(text), FIELD.sub("", text)
    if re.search(r"[{}]", rest) or any(name != name.strip() for name in named):
        return False
    return rest.count("*") == (not named) and len(set(named)) == len(named)


def _of_several_factors(value: Mapping) -> dict[str, dict[str, str]]:
    """Each column with its levels: of the same factors, and no two columns with the same levels."""
    columns = {
        column: {factor: as_text(level) for factor, level in text_keys(levels).items()}
        for column, levels in text_keys(value).items()
    }
    first, factors = next((column, list(levels)) for column, levels in columns.items())
    if not factors:
        raise InputError(f"{first}: found no factor, expected its levels, as {{time: t1}}")
    cells: dict[tuple[str, ...], str] = {}
    for column, levels in columns.items():
        if set(levels) != set(factors):
            raise InputError(
                f"{column}: found the factors {listed(levels)}, expected {listed(factors)} as for "
                f"{first}; name a level of each for every column"
            )
        other = cells.setdefault(tuple(levels[factor] for factor in factors), column)
        if other != column:
            raise InputError(f"{other} and {column} have the same levels; fix one of them")
    for factor, found in zip(factors, zip(*cells, strict=True), strict=True):
        if len(set(found)) == 1:
            raise InputError(
                f"{factor} has one level only, {quoted(found[0])}; expected two or more, or leave "
                "this factor out"
            )
    return columns
