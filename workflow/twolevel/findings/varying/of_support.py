"""What a report says one subject's data support, and what not: effects of its own, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twolevel.text.markdown import Markdown, code, counted, escape, words

if TYPE_CHECKING:
    from twolevel.random.support_reasons import Reason
    from twolevel.summaries.design_summary import Candidate, DesignSummary, RandomPartSummary

# Why the data do not support an effect of a subject's own, by the reason that was found.
_REASONS: dict[Reason, str] = {
    "one cell": "most subjects were seen under one only",
    "single rows": "with one observation in each, it would repeat the data and leave no error",
    "same cells": "they divide a subject's observations as another term's do",
    "combination": "its variance could not be told from those of the other terms",
    "few values": "most subjects have too few different values, which a line would pass exactly",
    "collinear": "in most subjects its values follow from those of other numbers",
    "few rows": "there would be as many effects as observations",
}


@dataclass(frozen=True)
class Support:
    """Effects of subjects' own that the data support, those that they do not, and the verdict.

    able says that the data support more than a mean of each subject's own; more that the model has
    it, or could.
    """

    supported: list[Markdown]
    unsupported: list[Markdown]
    said: Markdown
    able: bool
    more: bool


def support(design: DesignSummary, pooled: bool) -> Support:
    """What the subjects' data support, and whether the model has it; pooled: it leaves some out."""
    part = design.random_part
    able, unable = [], []
    for each in part.supported.candidates:
        if each.reason is None:
            able.append(_able(each, part.supported.n_subjects))
        else:
            unable.append(Markdown(f"{_own(each)}: {_REASONS[each.reason]}"))
    return Support(
        [Markdown("**a mean**, as every subject does"), *able],
        unable,
        _verdict(part, pooled),
        able=bool(able),
        more=bool(able) or not part.intercept_only,
    )


def _able(each: Candidate, n_subjects: int) -> Markdown:
    if each.number is None:
        why = f"saw {'them' if len(each.factors) > 1 else 'a level'} several times"
    else:
        why = "have three different values or more"
    of = f"{each.subjects:,} of {counted(n_subjects, 'subject')}"
    return Markdown(f"**{_own(each)}**: {of} {why}")


def _own(each: Candidate) -> Markdown:
    """An effect of a subject's own: an effect of each level of dose, a slope of day."""
    cells = ""
    if each.factors:
        of = "level" if len(each.factors) == 1 else "combination of levels"
        cells = f"each {of} of {words(each.factors)}"
    if each.number is None:
        return Markdown(f"an effect of {cells}")
    return Markdown(f"a slope of {escape(each.number)}{' in ' if cells else ''}{cells}")


def _verdict(part: RandomPartSummary, pooled: bool) -> Markdown:
    able = [each for each in part.supported.candidates if each.reason is None]
    if part.random == part.supported.random:
        has = (
            f"The model gives each subject what the data support, and no more: {code(part.random)}."
        )
        if able:
            return Markdown(has)
        return Markdown(f"{has} All other effects must be shared: the data constrain us.")
    said = (
        f"The model has {code(part.random)}, where the data support {code(part.supported.random)}"
    )
    if pooled:
        return Markdown(f"{said}. What is left out of that is part of the residuals here.")
    return Markdown(f"{said}: subjects may differ in all of that here, too.")
