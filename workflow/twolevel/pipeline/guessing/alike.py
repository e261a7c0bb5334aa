"""Columns that are called alike: what their names share, and the factors by which they differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import prod

from twolevel.pipeline.guessing.evidence import Column, comparable
from twolevel.pipeline.guessing.vocabulary import (
    ATTRIBUTE,
    CONDITION,
    DIMENSION,
    RESPONSE,
    TIME,
    called,
    free,
    usable,
)

_SEPARATORS = r"([_.,;:/\- ]+)"
# Letters, digits, and words that begin with a capital: the parts of names without separators.
_PIECES = r"\d+|[^\W\d_]?[^\W\d_A-ZÄÖÜ]+|[A-ZÄÖÜ]+(?![^\W\d_A-ZÄÖÜ])"
# With more parts than this a name is a sentence.
_MOST_PARTS = 6


@dataclass(frozen=True)
class Family:
    """Columns that are called alike.

    The parts of their names that all share are `shared`; `factors` are those by which they differ,
    each with its level in every column, and `pattern` has the names of the factors in braces.
    """

    columns: tuple[str, ...]
    shared: str
    factors: dict[str, tuple[str, ...]]
    pattern: str
    complete: bool  # all combinations of the factors' levels


def families(columns: Mapping[str, Column]) -> list[Family]:
    """The families among columns of numbers, the likeliest first; a column may be in several."""
    found: dict[tuple[str, ...], Family] = {}
    for whole in (True, False):
        by_shape: dict[tuple, dict[str, list[str]]] = defaultdict(dict)
        for name in columns:
            shape, parts = _split(name, whole)
            if 0 < len(parts) <= _MOST_PARTS:
                by_shape[shape][name] = parts
        for shape, named in by_shape.items():
            for family in _of_shape(shape, named, whole):
                kind = comparable([columns[name] for name in family.columns])
                # Only what is called alike except for a number may differ much in size.
                if kind or _numbered(family):
                    found.setdefault(family.columns, family)
    return sorted(found.values(), key=lambda f: _likely(f, columns), reverse=True)


def _numbered(family: Family) -> bool:
    """Whether names differ by one number only."""
    return len(family.factors) == 1 and all(
        level.isdigit() or stem_of((level,)) for level in next(iter(family.factors.values()))
    )


def _likely(family: Family, columns: Mapping[str, Column]) -> tuple:
    return (
        not called(family.shared, ATTRIBUTE),
        comparable([columns[name] for name in family.columns]),
        len(family.columns),
        family.complete,
    )


def _split(name: str, whole: bool) -> tuple[tuple, list[str]]:
    """A name's parts, and what is between them: whole words between separators, or pieces."""
    words = re.split(_SEPARATORS, name)
    if not all(words):
        return (), []
    if whole:
        return tuple(words[1::2]), words[::2]
    parts, shape = [], []
    for word in words[::2]:
        pieces = re.findall(_PIECES, word)
        if "".join(pieces) != word:
            return (), []
        parts += pieces
        shape.append(tuple(piece.isdigit() for piece in pieces))
    return (tuple(shape), *words[1::2]), parts


def _of_shape(shape: tuple, named: Mapping[str, list[str]], whole: bool) -> Iterator[Family]:
    """The families among names with as many parts each, for every choice of those that differ."""
    count = len(next(iter(named.values())))
    places = range(count)
    for size in range(1, count + 1):
        if size == count == 1:
            continue  # nothing is shared
        for differing in combinations(places, size):
            alike: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(dict)
            for name, parts in named.items():
                alike[tuple(p for k, p in enumerate(parts) if k not in differing)][name] = parts
            for members in alike.values():
                if len(members) > 1:
                    yield from _family(shape, members, differing, whole)


def _family(
    shape: tuple, members: Mapping[str, list[str]], differing: tuple[int, ...], whole: bool
) -> Iterator[Family]:
    """The family whose names differ at these places, if they look like factors."""
    levels = {k: tuple(parts[k] for parts in members.values()) for k in differing}
    counts = [len(set(found)) for found in levels.values()]
    if min(counts) < 2 or any(_quantities(found) for found in levels.values()):
        return
    complete = len(members) == prod(counts)
    names = tuple(members)
    if not complete:
        # Most of a crossing: as one factor no column is lost.
        if 2 * len(members) > prod(counts):
            factor = free("condition", ())
            yield Family(names, "", {factor: names}, f"{{{factor}}}", complete=False)
        return
    first = next(iter(members.values()))
    same = [part for k, part in enumerate(first) if k not in differing]
    if any(called(part, DIMENSION) for part in same) and not all(map(_in_time, levels.values())):
        return
    words = _words(shape, first, whole)
    shared: list[str] = []
    pattern: list[str] = []
    factors: dict[str, tuple[str, ...]] = {}
    for word in words:
        apart = [k for k in word if k in differing]
        text = "".join(first[k] for k in word)
        if not apart:
            shared.append(text)
            pattern.append(text)
        elif len(apart) == 1:
            # Of c1 and c2 the c belongs to the level.
            found = tuple("".join(parts[k] for k in word) for parts in members.values())
            factor = free(_factor_name(found, shared), factors)
            factors[factor] = found
            pattern.append(f"{{{factor}}}")
        else:
            piece = []
            for k in word:
                if k in differing:
                    factor = free(_factor_name(levels[k], shared), factors)
                    factors[factor] = levels[k]
                    piece.append(f"{{{factor}}}")
                else:
                    piece.append(first[k])
            pattern.append("".join(piece))
    separators = shape if whole else shape[1:]
    text = pattern[0] + "".join(s + p for s, p in zip(separators, pattern[1:], strict=True))
    # Parts that all share on both sides of others are names of factors rather than of one thing.
    together = "_".join(shared) in "_".join(
        "*" if any(k in differing for k in word) else "".join(first[k] for k in word)
        for word in words
    )
    yield Family(names, "_".join(shared) if together else "", factors, text, complete=True)


def _words(shape: tuple, parts: list[str], whole: bool) -> list[list[int]]:
    """The places of the parts of each word between separators."""
    if whole:
        return [[k] for k in range(len(parts))]
    words, start = [], 0
    for pieces in shape[0]:
        words.append(list(range(start, start + len(pieces))))
        start += len(pieces)
    return words


def _quantities(levels: tuple[str, ...]) -> bool:
    """Whether parts of names say what was measured, and are no levels of a factor."""
    return any(called(level, DIMENSION) for level in levels) or any(
        called(level, RESPONSE) and not level.isdigit() for level in levels
    )


def _in_time(levels: tuple[str, ...]) -> bool:
    """Whether levels are points in time, or numbers."""
    return all(level.isdigit() or re.fullmatch(TIME, level.casefold()) for level in levels)


def _factor_name(levels: tuple[str, ...], shared: list[str]) -> str:
    """What levels share: t of t1 and t2; else a word that the column's name has; else neutral."""
    stem = stem_of(levels)
    if stem and usable(stem) and not called(stem, RESPONSE):
        return stem
    if shared and called(shared[-1], CONDITION) and usable(shared[-1]):
        return shared[-1]
    return "time" if _in_time(levels) and not all(map(str.isdigit, levels)) else "condition"


def stem_of(levels: tuple[str, ...]) -> str:
    """The letters before the number in each level, if they are the same."""
    stems = {m[1] if (m := re.fullmatch(r"([^\W\d]+)\d+", level)) else "" for level in levels}
    return stems.pop() if len(stems) == 1 else ""
