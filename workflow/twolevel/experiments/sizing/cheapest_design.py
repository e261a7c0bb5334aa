"""The cheapest design that reaches a power: more subjects, or more trials of each?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from math import hypot

from twolevel.experiments.scenario import Scenario
from twolevel.experiments.theory import Sampling
from twolevel.text.confidence import LEVEL

# Trials in a cell that stand for infinitely many.
_MANY = 10**9


@dataclass(frozen=True)
class Design:
    """So many subjects with so many trials in each cell, and what they cost."""

    subjects: int
    replicates: int
    cost: float


def cheapest_design(
    scenario: Scenario, subject: float, trial: float, power: float, level: float = LEVEL
) -> Design | None:
    """The cheapest subjects and trials with which the condition's F test has this power.

    A subject costs `subject`, and `trial` for each of its observations. Data are complete. All
    numbers of trials are tried, from 1, until the subjects that even endless trials take would cost
    more than what was found: where subjects' own effects of conditions have the variance sigma_a^2,
    the best number of trials is near sqrt(subject sigma_w^2 / (J trial sigma_a^2)) (Cochran 1977,
    sec. 10.6). None where no design with up to 100,000 subjects reaches the power.
    """
    least = _with_trials(scenario, _MANY).subjects_for(power, level)
    if least is None:
        return None
    best: Design | None = None
    for replicates in count(1):
        each = subject + trial * len(scenario.cells) * replicates
        if best is not None and least * each >= best.cost:
            return best
        subjects = _with_trials(scenario, replicates).subjects_for(power, level)
        if subjects is not None and (best is None or subjects * each < best.cost):
            best = Design(subjects, replicates, subjects * each)
    raise AssertionError("count() has no end")


def _with_trials(scenario: Scenario, replicates: int) -> Sampling:
    """The laws with so many observations in each cell.

    Of one observation, own effects of the conditions are part of the error.
    """
    if replicates == 1 and scenario.strata:
        (own,) = scenario.strata.values()
        within = hypot(scenario.sigma_within, own)
        return Sampling(replace(scenario, replicates=1, strata=None, sigma_within=within))
    return Sampling(replace(scenario, replicates=replicates))
