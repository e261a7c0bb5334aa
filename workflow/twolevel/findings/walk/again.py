"""The experiment again with another subject: what changes, and what does not.

What changes from subject to subject is a random variable, what does not is a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twolevel.findings.results import Results
from twolevel.findings.varying.of_own_effects import nested_in_words
from twolevel.findings.walk.two_levels import more_within
from twolevel.random.effect_names import INTERCEPT
from twolevel.summaries.two_stage_summary import FirstSubject
from twolevel.text.markdown import Markdown, code, escape, num, words

# Numbers up to which a cell lists them.
_FEW = 4
SHARED = Markdown("no: shared by assumption")
CHANGES = Markdown("yes")


@dataclass(frozen=True)
class Changing:
    """A quantity of the model, what it is in each of the first subjects, and whether it changes."""

    quantity: Markdown
    values: list[Markdown]
    changes: Markdown


def what_changes(found: Results) -> list[Changing]:
    """The quantities of Level 1 in each of the first subjects, their own, the shared, the errors.

    Estimates, by ordinary least squares over all subjects.
    """
    first = found.level1.first_subjects
    means = [num(each.subject_mean) for each in first]
    own = [Changing(Markdown(r"$\mu_i$"), means, CHANGES)]
    if found.level1.own:
        own = _own(found, first)
    errors = [[row.residual for row in each.rows] for each in first]
    return [*own, *_shared(found, first), _listed(r"$\eta_{ij}$", errors)]


def _own(found: Results, first: Sequence[FirstSubject]) -> list[Changing]:
    """The rows of what subjects have of their own where that is more than a mean."""
    rows, slopes = [], [effect for effect in first[0].own if effect != INTERCEPT]
    for effect in first[0].own:
        if effect == INTERCEPT:
            said = Markdown(r"$\mu_i$" + (" (intercept)" if slopes else ""))
        elif effect.endswith("]"):
            said = Markdown(f"effect {code(effect)}")
        else:
            said = Markdown(rf"$\beta_i$ (slope of {escape(effect)})")
        values = [num(each.own[effect]) for each in first]
        rows.append(Changing(said, values, CHANGES))
    for grp in first[0].nested:
        name = escape(nested_in_words(grp, found.design.columns["subject"]))
        levels = list(first[0].nested[grp])
        of = f" ({words(levels)})" if len(levels) <= _FEW else ""
        own = [list(each.nested[grp].values()) for each in first]
        rows.append(_listed(f"own effects of {name}{of}", own))
    return rows


def _listed(what: str, of_subjects: Sequence[Sequence[float]]) -> Changing:
    """A row with each subject's numbers, or their root mean square where they are many."""
    if max(map(len, of_subjects)) > _FEW:
        squares = [float(np.mean(np.square(own))) for own in of_subjects]
        values = [num(square**0.5, 3) for square in squares]
        return Changing(Markdown(f"{what}, root mean square"), values, CHANGES)
    values = [Markdown(", ".join(num(value, 2) for value in own)) for own in of_subjects]
    return Changing(Markdown(what), values, CHANGES)


def _shared(found: Results, first: Sequence[FirstSubject]) -> list[Changing]:
    """The row of the condition's effects, and of others within subjects that all share."""
    effects, rows = found.level1.condition_effects, []
    if effects:
        values = [num(effect.estimate, 3) for effect in effects]
        alike = Markdown(", ".join(values) if len(values) <= _FEW else "the same")
        rows.append(Changing(Markdown(r"$\alpha_j$"), [alike] * len(first), SHARED))
    if others := _others(found, first):
        alike = Markdown("the same")
        rows.append(Changing(others, [alike] * len(first), SHARED))
    return rows


def _others(found: Results, first: Sequence[FirstSubject]) -> Markdown | None:
    """What subjects share besides the condition's effects, those who are alike in all else."""
    if found.level1.own is None:
        return Markdown(r"$\cdots$ (other effects)") if more_within(found) else None
    own = {frozenset(name.split(":")[1:]) for name in first[0].nested}
    own |= {frozenset([effect]) for effect in first[0].own}
    shared = [
        code(each.term)
        for each in found.design.random_part.supported.candidates
        if frozenset(filter(None, [each.number, *each.factors])) not in own
    ]
    return Markdown(f"effects of {words(shared)}") if shared else None
