"""By which factor the figure of means draws the condition's: drawer and caption ask here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twolevel.summaries.mixed_summary import ConditionMeanWithin, OtherFactor

MOST_GROUPS = 6  # levels of the factor


def drawn_by(factors: Sequence[OtherFactor]) -> tuple[str, list[ConditionMeanWithin]] | None:
    """The first factor with few levels within which the condition has means of its own, with these.

    None where there is none.
    """
    for factor in factors:
        if factor.within and 2 <= len(factor.means) <= MOST_GROUPS:
            return factor.factor, factor.within.means
    return None
