"""Which levels differ: of two, by how much; of more, which pairs, or how many of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from twolevel.findings.verdicts import is_clear
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.summaries.base import Level
from twolevel.summaries.mixed_summary import Contrast
from twolevel.text.confidence import alpha, percent
from twolevel.text.markdown import Markdown, bracketed, escape, num, words

# Levels, and pairs, up to which they are named.
FEW_LEVELS, FEW_PAIRS = 6, 5


def pairs_that_differ(
    levels: Sequence[Level],
    contrasts: Sequence[Contrast],
    clear: bool,
    adjust: str,
    level: float,
) -> Markdown | None:
    """What the pairwise differences of levels show; clear says whether their common test did.

    contrasts are in the order of the pairs of levels; one without a test differs from nothing.
    """
    apart = [is_clear(row.p, level) for row in contrasts]
    by = escape(ADJUSTMENTS[adjust].criterion(alpha(level)))
    if len(contrasts) == 1:
        (row,) = contrasts
        return Markdown(
            f"The difference {escape(row.contrast)} is {num(row.estimate)} "
            f"({percent(level)} % interval {num(row.ci_low)} to {num(row.ci_high)})."
        )
    if all(apart) and clear:
        return Markdown(f"All {len(contrasts)} pairs of levels differ ({by}).")
    if not any(apart):
        if clear:
            return Markdown(f"No pair of levels differs clearly by itself ({by}).")
        return None
    said = _named(levels, contrasts, apart, by)
    if not clear:
        said = f"Single pairs can still be told apart, because each is tested by itself. {said}"
    return Markdown(said)


def _named(
    levels: Sequence[Level], contrasts: Sequence[Contrast], apart: list[bool], by: str
) -> str:
    some = f"Of {len(contrasts)} pairs of levels, {sum(apart)} differ ({by})."
    if len(levels) > FEW_LEVELS:
        return some
    differ, alike = [], []
    for (one, other), row, is_apart in zip(combinations(levels, 2), contrasts, apart, strict=True):
        if is_apart:
            higher, lower = (one, other) if (row.estimate or 0) > 0 else (other, one)
            differ.append(f"{higher} above {lower}")
        else:
            alike.append(f"{one}, {other}")
    if len(differ) <= FEW_PAIRS:
        others = "the other is" if len(alike) == 1 else "the others are"
        return f"Pairs that differ ({by}): {words(differ)}; {others} not told apart."
    if len(alike) <= FEW_PAIRS:
        return f"All pairs of levels differ ({by}) but {len(alike)}: {bracketed(alike)}."
    return some
