"""What differs between subjects: the factors that group them, and what is left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from twolevel.pipeline.guessing.evidence import Column, crossing
from twolevel.pipeline.guessing.vocabulary import ATTRIBUTE, GROUP, called
from twolevel.text.errors import quoted

MOST_GROUPS = 10
# Up to so many different numbers are codes of groups, where the name does not say that they are.
MOST_CODES = 4
# A formula with all effects of more factors is hard to read.
MOST_FACTORS = 2
# A column that lacks more of its values than this share costs too many rows.
MOST_MISSING = 0.1


@dataclass
class Between:
    """The factors that group subjects, and the reason why each other column is left out."""

    groups: list[str] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)


def between(columns: Mapping[str, Column], subject: Column, taken: Collection[str]) -> Between:
    """Look at all columns, but those taken, that have one value for every subject."""
    found = Between()
    names = [n for n, c in columns.items() if n not in taken and c.constant_within(subject)]
    names.sort(key=lambda n: (called(n, GROUP), not columns[n].is_number), reverse=True)
    for name in names:
        reason = _no_group(name, columns[name], subject) or _not_beside(
            name, columns, subject, found.groups
        )
        if reason:
            found.unused[name] = reason
        else:
            found.groups.append(name)
    return found


def _no_group(name: str, column: Column, subject: Column) -> str | None:
    """Why a column does not group subjects; None if it does."""
    groups = called(name, GROUP)
    if column.is_number:
        codes = column.is_whole and (
            (column.distinct <= MOST_CODES and not called(name, ATTRIBUTE))
            or (column.distinct <= MOST_GROUPS and groups)
        )
        if not codes:
            return (
                "numbers that differ between subjects; to correct for them, add them to the "
                "formula with +"
            )
    if column.distinct > MOST_GROUPS:
        return f"more than {MOST_GROUPS} labels, too many for groups of subjects"
    rows = len(column.codes)
    if column.missing > MOST_MISSING * rows:
        return f"its value is missing in {column.missing:,} of {rows:,} rows"
    sizes = subjects_of(column, subject)
    if sizes.min() < 2:
        return "one of its groups has a single subject"
    return None


def _not_beside(
    name: str, columns: Mapping[str, Column], subject: Column, groups: list[str]
) -> str | None:
    """Why a column that groups subjects is left out beside others; None if it is not."""
    column = columns[name]
    for other in groups:
        if column.constant_within(columns[other]) or columns[other].constant_within(column):
            return f"it groups subjects as {quoted(other)} does, or more finely"
    if len(groups) == MOST_FACTORS:
        return "a further factor between subjects; add it to the formula with + or *"
    cells = crossing([columns[other] for other in (*groups, name)])
    complete = np.prod([columns[other].distinct for other in (*groups, name)])
    if groups and (cells.distinct < complete or subjects_of(cells, subject).min() < 2):
        return (
            f"a further factor between subjects, but some of its combinations with "
            f"{quoted(groups[0])} have less than two; add it to the formula with +"
        )
    return None


def subjects_of(column: Column, subject: Column) -> np.ndarray:
    """The number of subjects with each label of a column that has one for every subject."""
    both = (column.codes >= 0) & (subject.codes >= 0)
    pairs = np.unique(np.column_stack([subject.codes[both], column.codes[both]]), axis=0)
    return np.bincount(pairs[:, 1], minlength=column.distinct)
