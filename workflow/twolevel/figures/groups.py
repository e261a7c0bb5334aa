"""Which factors figures tell apart besides the condition: drawer, caption and report ask here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twolevel.findings.varying.random_words import own_effects
from twolevel.findings.verdicts import is_clear

if TYPE_CHECKING:
    from twolevel.summaries.base import Level
    from twolevel.summaries.design_summary import DesignSummary
    from twolevel.summaries.mixed_summary import ConditionMeanWithin, LevelMean, MixedSummary

MOST_GROUPS = 6  # levels of the factor
MOST_CELLS = 18  # cells of two factors that have room on an axis


def drawn_by(
    mixed: MixedSummary, condition: str | None
) -> tuple[str, list[ConditionMeanWithin]] | None:
    """The factor with few levels within which the condition's means are drawn, with these.

    The first that it clearly interacts with, as the headline tells; else the first there is; None
    where there is none.
    """
    able = [
        (factor.factor, factor.within.means)
        for factor in mixed.factors
        if factor.within and 2 <= len(factor.means) <= MOST_GROUPS
    ]
    clear = {
        frozenset(mixed.terms[row.term]) for row in mixed.anova if is_clear(row.p, mixed.level)
    }
    able.sort(key=lambda each: {condition, each[0]} not in clear)
    return able[0] if able else None


def on_the_axis(mixed: MixedSummary, condition: str | None) -> tuple[str, list[LevelMean]] | None:
    """The factor whose means are drawn where there is no condition, with these.

    None where the condition's means are drawn, or there is no factor.
    """
    if condition is not None or not mixed.factors:
        return None
    return mixed.factors[0].factor, mixed.factors[0].means


def has_own_panel(mixed: MixedSummary, condition: str | None) -> tuple[str, list[LevelMean]] | None:
    """The first factor with few levels that is neither on the axis nor in its colours, with means.

    None where there is none.
    """
    axis = on_the_axis(mixed, condition)
    if drawn_by(mixed, condition) is None:
        for factor in mixed.factors[1 if axis else 0 :]:
            if 2 <= len(factor.means) <= MOST_GROUPS:
                return factor.factor, factor.means
    return None


def second_within(design: DesignSummary) -> tuple[str, list[Level]] | None:
    """The first factor within subjects besides the condition, and its levels, few enough to draw.

    None where there is none, and of a table in parts, of whose rows not all are at hand.
    """
    if "condition" not in design.columns or design.sampled:
        return None
    most = MOST_CELLS // len(design.conditions)
    few = (each for each in design.other_factors.items() if 2 <= len(each[1]) <= most)
    return next(few, None)


def own_line(design: DesignSummary, mixed: MixedSummary) -> str | None:
    """The number along which single subjects are drawn: where there is no condition, that of their
    own slopes. None where there are none, or the formula computes it.
    """
    if "condition" in design.columns:
        return None
    own = (each for term in own_effects(mixed.random_terms) for each in term)
    numbers = (each.of for each in own if each.is_slope and not each.within)
    return next((number for number in numbers if number in design.columns.values()), None)


def is_a_line(mixed: MixedSummary, condition: str | None) -> bool:
    """Whether the condition's means lie on a line, as those of a number do."""
    return condition is not None and any(row.variable == condition for row in mixed.slopes)


def answer_figure(mixed: MixedSummary, condition: str | None) -> str:
    """The name of the one figure that shows what the headline says: means, or each observation."""
    shows_means = condition is not None or on_the_axis(mixed, condition) is not None
    return "condition_means" if shows_means else "data_by_subject"
