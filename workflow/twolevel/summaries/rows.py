"""Rows that several summaries have: estimates with their intervals, and tests.

What a row is of comes first, so it is the last of its bases: pydantic lays out fields that way.
"""

from __future__ import annotations

from twolevel.summaries.base import Level, Number, Summary


class OfTerm(Summary):
    """A row of a term or of a column, by its name."""

    term: str


class OfCondition(Summary):
    """A row of a level of the condition."""

    condition: Level


class OfLevel(Summary):
    """A row of a level of a factor."""

    level: Level


class MeanWithError(Summary):
    """An estimate with its standard error alone, in the response's unit."""

    estimate: float
    se: float


class Estimate(Summary):
    """An estimate with its t test and interval, in the response's unit; None for no value."""

    estimate: float | None
    se: float | None
    df: Number | None
    t: float | None
    p: float | None
    ci_low: float | None
    ci_high: float | None


class Known(Estimate):
    """An estimate that always has a value."""

    estimate: float


class FTest(OfTerm):
    """The F test of a term."""

    F: float | None
    df_num: Number
    df_den: Number | None
    p: float | None
