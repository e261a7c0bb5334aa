"""The cheapest design that reaches a power: more subjects, or more trials of each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import hypot

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.laws import Law, Laws
from twolevel.experiments.sizing.size_search import SizeSearch, is_exact, is_made
from twolevel.text.confidence import LEVEL
from twolevel.text.errors import InputError
from twolevel.text.methods import Test

# Trials in a cell that stand for infinitely many.
_MANY = 10**9


@dataclass(frozen=True)
class Costs:
    """What a subject costs, and each of its observations, in any unit."""

    subject: float
    trial: float

    def of(self, scenario: Scenario, replicates: int) -> float:
        """What a subject with so many observations in each cell costs."""
        return self.subject + self.trial * len(scenario.cells) * replicates


@dataclass(frozen=True)
class Cheapest:
    """So many subjects with so many trials in each cell, and what they cost.

    With these a term's test has the power. exact: whether by theory; else the trials are those
    that are cheapest with complete data, and the subjects are found in simulation.
    """

    term: str
    power: float
    subjects: int
    replicates: int
    cost: float
    exact: bool


def cheapest_designs(
    scenario: AnyScenario,
    costs: Costs,
    powers: Sequence[float],
    seed: int,
    test: Test,
    level: float = LEVEL,
) -> list[Cheapest]:
    """The cheapest subjects and trials of each term and power; see `cheapest_design`.

    A row that is planned is paid for, whether it is there or not. Left out are terms without an
    effect, or without an exact law in complete data, and what no design reaches.

    Raises InputError where a study's own rows say how many trials there are.
    """
    if not isinstance(scenario, Scenario):
        raise InputError(
            "cost: found with like:, whose subjects have the rows of that study, so that there are "
            "no trials to choose; leave out cost:, or give the design in keys instead of like:"
        )
    found = []
    # From two trials on, what subjects have of their own is told from the errors.
    terms = Laws(with_trials(scenario, max(2, scenario.replicates))).terms
    for term, law in terms.items():
        if law.is_nothing or not law.exact or not is_made(scenario, law, test):
            continue
        for power in powers:
            best = cheapest_design(scenario, law, costs, power, level)
            if best is None:
                continue
            subjects, R = best
            exact = is_exact(scenario, law, test)
            if not exact:
                search = SizeSearch(with_trials(scenario, R), seed, test, level)
                (size,) = search.of(term, [power])
                if size.subjects is None:
                    continue
                subjects = size.subjects
            cost = subjects * costs.of(scenario, R)
            found.append(Cheapest(term, power, subjects, R, cost, exact))
    return found


def cheapest_design(
    scenario: Scenario, law: Law, costs: Costs, power: float, level: float = LEVEL
) -> tuple[int, int] | None:
    """The cheapest subjects and trials in each cell with which a test of this law has the power.

    All numbers of trials are tried, from 1, until the subjects that even endless trials take would
    cost more than what was found: where subjects' own effects of conditions have the variance
    sigma_a^2, the best number of trials is near sqrt(subject sigma_w^2 / (J trial sigma_a^2))
    (Cochran 1977, sec. 10.6). None where no design with up to 100,000 subjects reaches the power.
    """
    least = law.subjects_for(power, level, _MANY)
    if least is None:
        return None
    best, lowest = None, float("inf")
    for replicates in count(1):
        each = costs.of(scenario, replicates)
        if least * each >= lowest:
            return best
        subjects = law.subjects_for(power, level, replicates)
        if subjects is not None and subjects * each < lowest:
            best, lowest = (subjects, replicates), subjects * each
    raise AssertionError("count() has no end")


def with_trials(scenario: Scenario, replicates: int) -> Scenario:
    """The same with so many observations in each cell.

    Of one observation, the subjects' own effects of the cells are part of the error.
    """
    if replicates > 1:
        return replace(scenario, replicates=replicates)
    cells, strata = set(scenario.population.factors), scenario.strata or {}
    own = {name: sd for name, sd in strata.items() if set(name.split(":")) == cells}
    others = {name: sd for name, sd in strata.items() if name not in own}
    within = hypot(scenario.sigma_within, *own.values())
    return replace(scenario, replicates=1, strata=others or None, sigma_within=within)
