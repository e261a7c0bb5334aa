"""What `compare_fits` finds: the same model three times."""

from __future__ import annotations

from twolevel.summaries.base import Number, Summary
from twolevel.summaries.rows import OfTerm


class Compared(Summary):
    """A quantity by the three methods; None where a method has none."""

    quantity: str
    two_stage: float | None
    mixed: float | None
    anova: float | None


class ComparedRow(Compared):
    """The same with the largest distance from the mixed model, relative to the larger value."""

    difference: float | None


class ComparedTest(OfTerm):
    """A term's test by the mixed model and by the ANOVA, in which it stands in a stratum."""

    stratum: str | None
    df_num: Number
    F_mixed: float | None
    df_den_mixed: Number | None
    p_mixed: float | None
    F_anova: float | None
    df_den_anova: Number | None
    p_anova: float | None
    agree: bool


class ComparisonSummary(Summary):
    """comparison.json: whether the methods agree to rounding, and what may keep them from it.

    boundary: a variance is estimated as 0. unbalanced: there is no exact ANOVA. pooled: strata for
    which the mixed model has no variance of its own. unequal: cells differ in their rows.
    """

    agree: bool
    boundary: bool
    unbalanced: bool
    pooled: list[str]
    unequal: bool
    largest_difference: float | None
    most_apart: Compared | None
    table: list[ComparedRow]
    tests: list[ComparedTest]
