"""Values of a config as YAML gives them: what they are in words, and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twolevel.text.errors import InputError, quoted
from twolevel.text.numbers import written


def described(value: object) -> str:
    """Say what stands in the config, in plain words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"{str(value).lower()} (yes or no)"
        case int():
            return str(value) if abs(value) < 10**20 else "an integer too large to count with"
        case float() if value.is_integer():
            return f"{value} (a number with a decimal point)"
        case float():
            return f"{value} (a number with a fraction)"
        case str() if _is_number(value):
            return f"{quoted(value)} (text: leave out quotes, and write powers of ten as 1.0e+5)"
        case str():
            return f"{quoted(value)} (text)"
        case Mapping():
            return "a group of keys" if value else "an empty group of keys"
        case list() | tuple():
            return "a list"
    return f"{quoted(value)} ({type(value).__name__})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def text_keys(value: Any) -> Any:
    """Turn keys that YAML reads as numbers back into text; refuse true, null and dates."""
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int | float):
            raise InputError(f"YAML reads one name here as {described(key)}; put it in quotes")
        name = str(key)
        if not name.strip() or name != name.strip():
            raise InputError(f"the name {quoted(name)} is empty or has blanks around it; fix it")
        if name in result:
            raise InputError(f"the name {quoted(name)} occurs twice; rename one")
        result[name] = item
    return result


def as_text(value: Any) -> str:
    """Text as it is, numbers as they are written; refuse true, null and groups."""
    match value:
        case str() if value:
            return value
        case int() | float() if not isinstance(value, bool):
            return written(value)
    raise InputError(f"found {described(value)}, expected text or a number; put text in quotes")
