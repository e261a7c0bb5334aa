"""The fewest subjects with which intervals are as narrow as asked for: by theory, or by simulation.

Of all differences of two levels of a factor, the widest interval counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.special import ndtri

from twolevel.experiments.blocks import stream
from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.planned_experiments import PlannedExperiments
from twolevel.experiments.sizing.bracketing import NOWHERE, Passed, Seen, passing
from twolevel.experiments.sizing.laws import Laws, study_of
from twolevel.experiments.sizing.size_search import is_exact, is_made
from twolevel.text.confidence import LEVEL, alpha
from twolevel.text.methods import Test

# Experiments of one size: an average width is known far better than a power.
_EXPERIMENTS = 500


@dataclass(frozen=True)
class WidthFound:
    """The fewest subjects with which the intervals of a factor's differences are so narrow.

    variable: the factor, or with `slope` the number whose slope it is. low, high: the ends of the
    number's interval; None where it is exact. subjects is None for more than MOST. made: whether
    there are intervals.
    """

    variable: str
    slope: bool
    subjects: int | None
    low: int | None
    high: int | None
    exact: bool
    made: bool


def search_widths(
    scenario: AnyScenario, width: float, seed: int, test: Test, level: float = LEVEL
) -> list[WidthFound]:
    """Find the fewest subjects with which intervals by `test` are expected to be this wide."""
    every, found = Laws(scenario), []
    mean = cache(lambda n: _mean_widths(scenario, n, seed, test, level))
    for variable, laws in every.contrasts.items():
        sizes = [law.subjects_for_width(width, level, scenario.replicates) for law in laws]
        n = None if None in sizes else max(size for size in sizes if size is not None)
        exact = all(is_exact(scenario, law, test) for law in laws)
        made = all(is_made(scenario, law, test) for law in laws)
        one = NOWHERE
        if exact:
            one = Passed(n, None, None)
        elif made and n is not None:
            one = _simulated(scenario, mean, variable, width, n)
        slope = not every.study.design.is_factor(variable)
        found.append(WidthFound(variable, slope, one.subjects, one.low, one.high, exact, made))
    return found


def _simulated(
    scenario: AnyScenario,
    mean: Callable[[int], dict[str, Seen]],
    variable: str,
    width: float,
    guess: int,
) -> Passed:
    (one,), _ = passing(scenario, lambda top: lambda n: mean(n)[variable], [-width], guess)
    return one


def _mean_widths(
    scenario: AnyScenario, subjects: int, seed: int, test: Test, level: float
) -> dict[str, Seen]:
    """Less each factor's mean width, with the ends of the interval of this, so that it rises."""
    drawn = replace(scenario, subjects=subjects)
    study = study_of(drawn)
    rows = {of: np.stack(list(named.values())) for of, named in study.contrasts.items()}
    experiments = PlannedExperiments(study, test, (test,), level)
    generator = np.random.default_rng(stream(drawn, 0, seed))
    every = np.concatenate(list(rows.values()))
    batches = experiments.widths(every, _EXPERIMENTS, generator)
    widths = np.concatenate([np.empty((len(every), 0)), *batches], axis=1)
    widths = widths[:, np.isfinite(widths).all(axis=0)]
    found, start = {}, 0
    for of, own in rows.items():
        found[of] = _interval(widths[start : start + len(own)])
        start += len(own)
    return found


def _interval(widths: np.ndarray) -> Seen:
    """Of the widest (k, B) on average; nothing is narrow enough where there are no widths."""
    if widths.shape[1] < 2:
        return -np.inf, -np.inf, -np.inf
    means = widths.mean(axis=1)
    k = int(np.argmax(means))
    error = -ndtri(alpha(LEVEL) / 2) * widths[k].std(ddof=1) / np.sqrt(widths.shape[1])
    return -means[k] - error, -means[k], -means[k] + error
