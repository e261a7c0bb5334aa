"""The fewest subjects with which what simulation sees reaches a goal.

The number's own error is that of what is seen: the ends of its interval are the sizes at which the
ends of the interval of what is seen pass the goal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.sizing.exact_test import MOST

# The low end of an interval, what is seen, and the high end; they rise with the number of subjects.
Seen = tuple[float, float, float]

# Between the number that theory has for complete data, divided by this, and as many times it, is
# where numbers are expected.
_MARGIN = 1.3


@dataclass(frozen=True)
class Passed:
    """Where what is seen passes a goal, with the ends of its interval; None beyond MOST."""

    subjects: int | None
    low: int | None
    high: int | None


NOWHERE = Passed(None, None, None)


def passing(
    scenario: AnyScenario,
    seen_up_to: Callable[[int], Callable[[int], Seen]],
    goals: Sequence[float],
    guess: int,
) -> tuple[list[Passed], int]:
    """Where each goal is passed, and the largest number of subjects that was looked at.

    Numbers are multiples of the scenario's `unit_of_subjects`. seen_up_to gives, for the largest
    that is looked at, what is seen with any up to it; guess is where the highest goal is expected
    to be passed with complete data.
    """
    unit, expected = scenario.unit_of_subjects, guess / (1 - scenario.missing)
    most, least = MOST // unit, -(-scenario.fewest_subjects // unit)
    top = min(most, int(_MARGIN * expected / unit) + 2)
    while top < most and seen_up_to(top * unit)(top * unit)[0] < max(goals):
        top = min(2 * top, most)
    seen = seen_up_to(top * unit)
    # Everything below `least` is known not to be enough.
    near = int(expected / unit / _MARGIN)
    if near > least and seen(near * unit)[2] < min(goals):
        least = near

    def passed(goal: float, end: int) -> int | None:
        if seen(top * unit)[end] < goal:
            return None
        steps = range(top)
        return unit * bisect_left(steps, True, lo=least, key=lambda k: seen(k * unit)[end] >= goal)

    return [Passed(passed(goal, 1), passed(goal, 2), passed(goal, 0)) for goal in goals], top * unit
