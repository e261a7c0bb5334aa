"""The fewest subjects with which tests have a power: by theory, and by simulation.

In simulation, experiments of more subjects than are needed are drawn; of each, the first n subjects
are an experiment with n. So all sizes are compared on the same random numbers, powers rise with n
almost without noise, and a bisection finds where they pass a goal (see `bracketing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

import numpy as np

from twolevel.experiments.batch import fit_batch
from twolevel.experiments.blocks import BLOCK, stream
from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.planned_experiments import rejected
from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.run import replicate_block
from twolevel.experiments.scenario import Scenario, draw
from twolevel.experiments.sizing.bracketing import NOWHERE, Passed, Seen, passing
from twolevel.experiments.sizing.laws import Law, Laws
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

# In how many experiments a test rejects, and in how many it is made, by what is tested.
Counts = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class SizeFound:
    """The fewest subjects with which a term's test, or a difference's, reaches a power.

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


@dataclass(frozen=True, eq=False)
class SizeSearch:
    """The search for the fewest subjects with which `test` has a power.

    The number of the scenario's own subjects does not matter; with groups, numbers are multiples of
    `unit_of_subjects`.
    """

    scenario: AnyScenario
    seed: int
    test: Test
    level: float = LEVEL

    def terms(self, powers: Sequence[float]) -> list[SizeFound]:
        """Those of each term and each of these powers; terms without an effect are left out."""
        return self._those(self.laws.terms, powers)

    def differences(self, powers: Sequence[float]) -> list[SizeFound]:
        """The same of the pairwise differences that are tested."""
        return self._those(self.laws.differences, powers)

    def _those(self, laws: Mapping[str, Law], powers: Sequence[float]) -> list[SizeFound]:
        there = [name for name, law in laws.items() if not law.is_nothing]
        return [size for name in there for size in self.of(name, powers)]

    def of(self, term: str, powers: Sequence[float]) -> list[SizeFound]:
        """Those of the test of one term, or of one difference."""
        where, law = self.scenario, self.laws.tests[term]
        by_theory = [law.subjects_for(power, self.level, where.replicates) for power in powers]
        known = is_exact(where, law, self.test)
        exact = by_theory if known else [None] * len(powers)
        simulated: list[tuple[Passed, int | None]] = [(NOWHERE, None)] * len(powers)
        guess = by_theory[int(np.argmax(powers))]
        if not is_made(where, law, self.test):
            simulated = [(NOWHERE, 0)] * len(powers)
        elif guess is not None:
            simulated = self._simulated(term, powers, guess)
        return [
            SizeFound(term, power, size, one.subjects, one.low, one.high, n)
            for power, size, (one, n) in zip(powers, exact, simulated, strict=True)
        ]

    def _simulated(
        self, term: str, powers: Sequence[float], guess: int
    ) -> list[tuple[Passed, int | None]]:
        """What is found in simulation for each power, and of how many experiments."""

        def seen_up_to(top: int) -> Callable[[int], Seen]:
            counts = self._counts(top)
            return lambda n: _interval(*counts(n)[term])

        passed, top = passing(self.scenario, seen_up_to, powers, guess)
        counts = self._counts(top)
        return [(one, counts(one.subjects or top)[term][1]) for one in passed]

    @cached_property
    def laws(self) -> Laws:
        """Those of complete data."""
        return Laws(self.scenario)

    @cached_property
    def _counts(self) -> Callable[[int], Callable[[int], Counts]]:
        """What counts the experiments of each size, for the most subjects that are drawn."""
        where, others = self.scenario, (self.seed, self.test, self.level)
        if isinstance(where, Scenario) and where.plain:
            return lru_cache(1)(lambda top: _of_first(where, top, *others))
        own = cache(lambda n: _of_own(where, n, *others))
        return lambda top: own


def is_exact(scenario: AnyScenario, law: Law, test: Test) -> bool:
    """Whether a law is that of what is tested: the asymptotic test has another."""
    apart = law.family is None or law.family.is_exact
    return law.exact and apart and scenario.is_complete and test != "asymptotic"


def is_made(scenario: AnyScenario, law: Law, test: Test) -> bool:
    """Whether there is a test at all: the ANOVA has none where no F is exact."""
    return test != "anova" or (law.exact and scenario.is_complete)


def _interval(count: int, n: int) -> tuple[float, float, float]:
    """The low end of a power's interval, the power, and the high end; 0 without a result."""
    if not n:
        return 0.0, 0.0, 0.0
    low, high = share_interval(np.array(count), np.array(n), LEVEL)
    return float(low), count / n, float(high)


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
    names = (*drawn.tested, *drawn.differences)
    made = {name: table[rejected(name, test)].dropna() for name in names}
    return {term: (int(those.sum()), len(those)) for term, those in made.items()}


def _experiments(numbers: float, most: int) -> int:
    """How many experiments are made, of which each draws so many numbers."""
    return int(np.clip(most / numbers, _FEWEST, BLOCK))
