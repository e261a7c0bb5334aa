"""What `simulate_data` draws from."""

from __future__ import annotations

from twolevel.summaries.base import Summary


class Entered(Summary):
    """The grand mean, and the effects at [factor][level], as the config gives them.

    Of a number there are none: the grand mean is then the mean where it is 0.
    """

    grand_mean: float
    effects: dict[str, dict[str, float]]


class TruthSummary(Summary):
    """truth.json; effects sum to zero, and standard deviations are in the response's unit.

    condition_effects are by level, of a number by value; other_effects are those of further
    factors, at [factor][level]. slope is the number's, random has the standard deviations of
    intercept and slope with their correlation, strata those of the subjects' own effects of
    factors; left out where there are none.
    """

    grand_mean: float
    condition_effects: dict[str, float]
    sigma_between: float
    sigma_within: float
    entered: Entered
    other_effects: dict[str, dict[str, float]] | None = None
    slope: float | None = None
    random: dict[str, float] | None = None
    strata: dict[str, float] | None = None
