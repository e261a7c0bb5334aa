"""Regular expressions for Snakemake's wildcards."""

from __future__ import annotations

from collections.abc import Iterable


def any_of(names: Iterable[str]) -> str:
    """A pattern for one of these names (letters, digits, _ and -), or for nothing where none is.

    It branches letter by letter: in a plain list of a thousand names, every match would try half.
    """
    rests: dict[str, list[str]] = {}
    for name in names:
        rests.setdefault(name[:1], []).append(name[1:])
    branches = [first + any_of(rest) if first else "" for first, rest in rests.items()]
    if len(branches) == 1:
        return branches[0]
    return f"(?:{'|'.join(branches)})" if branches else "(?!)"
