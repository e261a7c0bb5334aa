"""What the figure of means draws, by which factor: drawer, caption and report ask here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twolevel.summaries.mixed_summary import (
        ConditionMeanWithin,
        LevelMean,
        MixedSummary,
        OtherFactor,
    )

MOST_GROUPS = 6  # levels of the factor


def drawn_by(factors: Sequence[OtherFactor]) -> tuple[str, list[ConditionMeanWithin]] | None:
    """The first factor with few levels within which the condition has means of its own, with these.

    None where there is none.
    """
    for factor in factors:
        if factor.within and 2 <= len(factor.means) <= MOST_GROUPS:
            return factor.factor, factor.within.means
    return None


def on_the_axis(mixed: MixedSummary, condition: str | None) -> tuple[str, list[LevelMean]] | None:
    """The factor whose means are drawn where there is no condition, with these.

    None where the condition's means are drawn, or there is no factor.
    """
    if condition is not None or not mixed.factors:
        return None
    return mixed.factors[0].factor, mixed.factors[0].means


def is_a_line(mixed: MixedSummary, condition: str | None) -> bool:
    """Whether the condition's means lie on a line, as those of a number do."""
    return condition is not None and any(row.variable == condition for row in mixed.slopes)


def answer_figure(mixed: MixedSummary, condition: str | None) -> str:
    """The name of the one figure that shows what the headline says: means, or each observation."""
    shows_means = condition is not None or on_the_axis(mixed, condition) is not None
    return "condition_means" if shows_means else "data_by_subject"
