"""The fewest subjects with which tests have a power: by theory, and by simulation.

In simulation, experiments of more subjects than are needed are drawn; of each, the first n subjects
are an experiment with n. So all sizes are compared on the same random numbers, powers rise with n
almost without noise, and a bisection finds where they pass a goal. The number's own error is that
of the power: the ends of its interval are the sizes at which the ends of the power's interval pass.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from twolevel.experiments.batch import fit_batch
from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.planned_experiments import rejected
from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.run import replicate_block
from twolevel.experiments.scenario import BLOCK, Scenario, draw, stream
from twolevel.experiments.sizing.exact_test import MOST
from twolevel.experiments.sizing.term_laws import Law, subjects_for, term_laws
from twolevel.numeric.tails import share_interval
from twolevel.text.confidence import LEVEL
from twolevel.text.methods import Test

# Random numbers that the experiments of one size draw, fewer where they take longer to fit: more
# subjects take fewer experiments than a block, but never fewer than so many, and the number's
# interval says so.
_NUMBERS, _SLOW, _FEWEST = 10_000_000, 1_000_000, 500
# Experiments of one size in which subjects differ in more than their intercepts.
_OWN = 2_000
# Random numbers that are drawn, and fitted, at once: memory that stays in cache.
_BATCH = 200_000
# Between the number that theory has for complete data, divided by this, and as many times it, is
# where the numbers are expected.
_MARGIN = 1.3
# A noncentrality of MOST subjects that is 0 but for rounding.
_NOTHING = 1e-20
# A number to begin with where theory has none.
_GUESS = 20

# In how many experiments a test rejects, and in how many it is made, by term.
Counts = dict[str, tuple[int, int]]


# Where the high end of a power, the power and its low end pass, and the experiments.
_Sizes = tuple[tuple[int | None, int | None, int | None], int | None]


@dataclass(frozen=True)
class SizeFound:
    """The fewest subjects with which a term's test reaches a power.

    exact: by theory, None where there is none. subjects, low, high: in simulation, with the ends of
    its interval. None for more than MOST. experiments: how many of them had a result; None where
    none was made, because complete data take more than MOST by theory.
    """

    term: str
    power: float
    exact: int | None
    subjects: int | None
    low: int | None
    high: int | None
    experiments: int | None


def search_sizes(
    scenario: AnyScenario, powers: Sequence[float], seed: int, test: Test, level: float = LEVEL
) -> list[SizeFound]:
    """Find the fewest subjects with which `test` has each of these powers, term by term.

    The number of the scenario's own subjects does not matter; with groups, numbers are multiples of
    `unit_of_subjects`. Terms without an effect are left out.
    """
    laws, found = term_laws(scenario), []
    counts = _counts_of(scenario, seed, test, level)
    for term in scenario.tested:
        law = laws.get(term)
        if law is not None and law(MOST).noncentrality < _NOTHING:
            continue
        search = _Search(scenario, term, law, counts, level, scenario.unit_of_subjects)
        for power, (simulated, n) in zip(powers, search.sizes(powers), strict=True):
            exact = None
            if law is not None and scenario.is_complete and test != "asymptotic":
                exact = subjects_for(law, power, level, search.unit)
            high, subjects, low = simulated
            found.append(SizeFound(term, power, exact, subjects, low, high, n))
    return found


@dataclass(frozen=True, eq=False)
class _Search:
    """The search for one term's sizes: `counts` gives the counts of experiments of any top size."""

    scenario: AnyScenario
    term: str
    law: Law | None
    counts: Callable[[int], Callable[[int], Counts]]
    level: float
    unit: int

    def sizes(self, powers: Sequence[float]) -> list[_Sizes]:
        """What is found for each power."""
        unit, most, nothing = self.unit, MOST // self.unit, (None, None, None)
        guess: int | None = _GUESS * unit
        if self.law is not None:
            guess = subjects_for(self.law, max(powers), self.level, unit)
        if guess is None:
            return [(nothing, None) for _ in powers]
        top = min(most, int(_MARGIN * guess / unit / (1 - self.scenario.missing)) + 2)
        while True:
            counts = self.counts(top * unit)

            def shares(k: int, counts: Callable[[int], Counts] = counts) -> tuple[float, ...]:
                return _interval(*counts(k * unit)[self.term])

            if not counts(top * unit)[self.term][1]:
                return [(nothing, 0) for _ in powers]
            if top == most or shares(top)[0] >= max(powers):
                break
            top = min(2 * top, most)
        # Everything below `least` is known not to be enough.
        least, below = -(-self.scenario.fewest_subjects // unit), guess / unit
        if (near := int(below / _MARGIN)) > least and shares(near)[2] < min(powers):
            least = near

        def passing(power: float, end: int) -> int | None:
            if shares(top)[end] < power:
                return None
            steps = range(top)
            return unit * bisect_left(steps, True, lo=least, key=lambda k: shares(k)[end] >= power)

        found: list[_Sizes] = []
        for power in powers:
            high, subjects, low = (passing(power, end) for end in range(3))
            experiments = counts(subjects or top * unit)[self.term][1]
            found.append(((high, subjects, low), experiments))
        return found


def _interval(count: int, n: int) -> tuple[float, float, float]:
    """The low end of a power's interval, the power, and the high end; 0 without a result."""
    if not n:
        return 0.0, 0.0, 0.0
    low, high = share_interval(np.array(count), np.array(n), LEVEL)
    return float(low), count / n, float(high)


def _counts_of(
    scenario: AnyScenario, seed: int, test: Test, level: float
) -> Callable[[int], Callable[[int], Counts]]:
    """What counts the experiments of each size, for the most subjects that are drawn."""
    if isinstance(scenario, Scenario) and scenario.plain:
        return lru_cache(1)(lambda top: _of_first(scenario, top, seed, test, level))
    own = cache(lambda n: _of_own(scenario, n, seed, test, level))
    return lambda top: own


def _of_first(
    scenario: Scenario, top: int, seed: int, test: Test, level: float
) -> Callable[[int], Counts]:
    """The counts of experiments with the first subjects of `top`, which are drawn once."""
    drawn = replace(scenario, subjects=top)
    size = _experiments(top * drawn.per_subject, _SLOW if drawn.missing else _NUMBERS)
    generator = np.random.default_rng(stream(drawn, 0, seed))
    standardised, nothing = drawn.standardised(), np.zeros((1, len(drawn.cells)))
    batch = max(1, _BATCH // (top * drawn.per_subject))
    sizes = [min(batch, size - start) for start in range(0, size, batch)]
    batches = [draw(standardised, each, generator) for each in sizes]

    @cache
    def of_first(subjects: int) -> Counts:
        count = n = 0
        for y, observed in batches:
            seen = None if observed is None else observed[:, :, :subjects]
            fit = fit_batch(y[:, :, :subjects], drawn.replicates, seen)
            rejections = fit.rejections(test, nothing, level)
            count += int(np.nansum(rejections))
            n += int(np.isfinite(rejections).sum())
        return {CONDITION: (count, n)}

    return of_first


def _of_own(scenario: AnyScenario, subjects: int, seed: int, test: Test, level: float) -> Counts:
    """The counts of experiments of their own, which are drawn as sums that subjects are not in."""
    drawn = replace(scenario, subjects=subjects)
    size = min(_OWN, _experiments(subjects * drawn.per_subject, _SLOW))
    table = replicate_block(drawn, 0, size, seed, test, level)
    made = {term: table[rejected(term, test)].dropna() for term in drawn.tested}
    return {term: (int(those.sum()), len(those)) for term, those in made.items()}


def _experiments(numbers: float, most: int) -> int:
    """How many experiments are made, of which each draws so many numbers."""
    return int(np.clip(most / numbers, _FEWEST, BLOCK))
