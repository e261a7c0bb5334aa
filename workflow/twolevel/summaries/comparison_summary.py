"""What `compare_fits` finds: the same model three times."""

from __future__ import annotations

from twolevel.summaries.base import Summary


class Compared(Summary):
    """A quantity by the three methods; None where a method has none."""

    quantity: str
    two_stage: float | None
    mixed: float | None
    anova: float | None


class ComparedRow(Compared):
    """The same with the largest distance from the mixed model, relative to the larger value."""

    difference: float | None


class ComparisonSummary(Summary):
    """comparison.json: whether the methods agree to rounding, and what may keep them from it."""

    agree: bool
    boundary: bool
    unbalanced: bool
    largest_difference: float | None
    most_apart: Compared | None
    table: list[ComparedRow]
