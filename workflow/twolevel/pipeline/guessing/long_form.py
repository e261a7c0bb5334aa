"""A table with one row for each observation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twolevel.pipeline.guessing.between import between
from twolevel.pipeline.guessing.evidence import Column
from twolevel.pipeline.guessing.guess_made import Guess, formulas, group_words, name_in_formula
from twolevel.pipeline.guessing.vocabulary import (
    ATTRIBUTE,
    CONDITION,
    GROUP,
    ORDER,
    RESPONSE,
    SUBJECT,
    called,
    called_subject,
)
from twolevel.pipeline.guessing.within import Conditions, Within

# Of many columns, so many are looked at as subjects: all pairs would take hours.
MOST_SUBJECTS = 20
# Fewer labels than this are subjects only where they are called so.
FEWEST_UNNAMED = 5


@dataclass(frozen=True)
class Roles:
    """The subject and the response of a long table, with the conditions that go with them."""

    subject: str
    response: str
    within: Within
    conditions: Conditions

    @property
    def single(self) -> bool:
        """Whether subjects are crossed with conditions, one row under each."""
        return self.conditions.fullest == 1


def roles(columns: Mapping[str, Column], rows: int) -> Roles | None:
    """The likeliest roles of columns in a long table; None where nothing comes back as subjects."""
    found = []
    subjects = [name for name, column in columns.items() if _may_be_subject(name, column, rows)]
    subjects.sort(key=lambda name: (called_subject(name), columns[name].distinct), reverse=True)
    for subject in subjects[:MOST_SUBJECTS]:
        s, within = columns[subject], Within(columns, subject)
        for response, y in columns.items():
            if response == subject or not y.is_number or y.constant_within(s):
                continue
            conditions = within.conditions(response)
            if not _credible(subject, s, conditions):
                continue
            levels = max((columns[c].distinct for c in conditions.all), default=0)
            score = (
                3 * called_subject(subject)
                + 2 * called(response, RESPONSE)
                - 2 * called(response, f"{SUBJECT}|{CONDITION}|{ORDER}")
                + 2 * ((conditions.fullest == 1) + conditions.share)
                + (not y.is_whole)
                + (y.distinct > s.distinct) / 2
                + s.distinct / (s.distinct + y.distinct)
                + (s.distinct > levels)
            )
            found.append((score, Roles(subject, response, within, conditions)))
    return max(found, key=lambda f: f[0])[1] if found else None


def _may_be_subject(name: str, column: Column, rows: int) -> bool:
    """Whether a column's labels come back, and it is not called as something else is."""
    if column.is_number and not column.is_whole:
        return False
    if not 1 < column.distinct <= rows / 2 or column.counts.max() < 2:
        return False
    other = called(name, f"{CONDITION}|{GROUP}|{ATTRIBUTE}|{ORDER}|{RESPONSE}")
    return called_subject(name) or (not other and column.distinct >= FEWEST_UNNAMED)


def _credible(name: str, column: Column, conditions: Conditions) -> bool:
    """Whether what is not called a subject behaves as one."""
    if called_subject(name) or conditions.fullest == 1:
        return True
    return not column.is_number or np.ptp(column.counts) == 0


def guess_long(columns: Mapping[str, Column], found: Roles) -> Guess:
    """A study of a table in long form, whose roles were found."""
    subject, response, within = found.subject, found.response, found.within
    conditions, s = found.conditions, columns[found.subject]
    others = between(columns, s, {subject, response, *conditions.all})
    crossed = " * ".join(map(name_in_formula, conditions.crossed))
    terms = " + ".join(filter(None, [crossed, *map(name_in_formula, conditions.apart)]))
    formula, simpler = formulas(response, terms, others.groups)
    coded = {n: columns[n].levels for n in others.groups if columns[n].is_number}
    each = f"{s.counts.min()} to {s.counts.max()}" if np.ptp(s.counts) else f"{s.counts.max()}"
    why = [f"{s.distinct:,} labels, each in {each} rows."]
    if not called_subject(subject):
        why.append(
            "It is not called as subjects are: if these are groups of subjects that were measured "
            "once each, this is no table of repeated measurements."
        )
    words = [f"{response}: numbers that differ within subjects."]
    words += [within.words(name, response) for name in conditions.all]
    if conditions.apart:
        words.append("Subjects saw some combinations of these only, so their effects are added.")
    taken = {subject, response, *conditions.all, *others.groups, *others.unused}
    left = {n: within.left_out(n, conditions) for n in columns if n not in taken}
    return Guess(
        subject=subject,
        formula=formula,
        simpler=simpler,
        levels=within.numbered(conditions.all) | coded,
        reasons={"subject": why, "formula": words + group_words(others.groups, columns)},
        unused=others.unused | left,
    )
