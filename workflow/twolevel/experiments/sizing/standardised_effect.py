"""Effects as planners say them, in units of the total standard deviation, as effects of conditions.

With sigma = sqrt(sigma_b^2 + sigma_w^2), the standard deviation of a single observation:

    d            the largest difference of two conditions' means, over sigma
    f            the standard deviation of the conditions' means (over J), over sigma
                 (Cohen 1988, sec. 8.2)
    eta_squared  f^2 / (1 + f^2): the share of the variance that conditions make; the population's
                 generalised eta squared (Olejnik & Algina 2003) where subjects differ in their
                 intercepts only

The config reads this module before any job, so that it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

from twolevel.experiments.population import Conditions
from twolevel.text.errors import InputError, listed, quoted

Shape = Literal["linear", "one differs"]
# How the conditions' means lie: as one of these, or as weights, in order or by name.
Pattern = Shape | Sequence[float] | Mapping[str, float]

# What an effect's size may be given as.
SIZES = ("d", "f", "eta_squared")


@dataclass(frozen=True)
class EffectSize:
    """The size of an effect, given as one of SIZES, and the pattern of the conditions' means.

    Raises InputError where it is not given exactly once, or is out of range.
    """

    d: float | None = None
    f: float | None = None
    eta_squared: float | None = None
    pattern: Pattern = "linear"

    def __post_init__(self) -> None:
        """Refuse what is no size."""
        given = [name for name in SIZES if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError(
                f"effect: found {listed(given) if given else 'no size'}, expected one of "
                f"{listed(SIZES)}; write for example effect: {{d: 0.5, pattern: linear}}"
            )
        size = getattr(self, given[0])
        if size <= 0 or (given[0] == "eta_squared" and size >= 1):
            expected = "a share above 0 and below 1" if given[0] == "eta_squared" else "above 0"
            raise InputError(f"effect: {given[0]}: found {size}, expected {expected}")

    def effects(self, levels: Sequence[str], sigma: float) -> dict[str, float]:
        """The effects of these levels, around a mean of 0, in the unit of `sigma`.

        Raises InputError where the pattern is not one of these levels.
        """
        weights = self._weights(levels)
        middle = sum(weights) / len(weights)
        apart = [weight - middle for weight in weights]
        unit = self._size(apart) * sigma
        return {level: unit * weight for level, weight in zip(levels, apart, strict=True)}

    def slope(self, values: Sequence[float], sigma: float) -> float:
        """The slope on these values of a number that has an effect of this size.

        Raises InputError where the pattern is no line.
        """
        if self.pattern != "linear":
            raise InputError(
                f"effect: pattern: found {quoted(self.pattern)}, expected linear, which is what "
                "the means are where the condition is a number; leave out pattern:"
            )
        middle = sum(values) / len(values)
        return self._size([value - middle for value in values]) * sigma

    def _size(self, apart: Sequence[float]) -> float:
        """What deviations are multiplied by to be of this size where sigma is 1."""
        if self.d is not None:
            return self.d / (max(apart) - min(apart))
        f = self.f if self.f is not None else sqrt(self.eta_squared / (1 - self.eta_squared))  # type: ignore[operator]
        return f / spread(apart)

    def _weights(self, levels: Sequence[str]) -> list[float]:
        match self.pattern:
            case "linear":
                return [float(k) for k in range(len(levels))]
            case "one differs":
                return [0.0] * (len(levels) - 1) + [1.0]
            case Mapping() as named:
                if set(named) != set(levels):
                    raise InputError(
                        f"effect: pattern: found weights of {listed(map(quoted, named))}, expected "
                        f"one of each condition, {listed(map(quoted, levels))}"
                    )
                weights = [float(named[level]) for level in levels]
            case _:
                weights = [float(weight) for weight in self.pattern]
        if len(weights) != len(levels):
            raise InputError(
                f"effect: pattern: found {len(weights)} weights, expected one of each condition, "
                f"which are {len(levels)}"
            )
        if max(weights) == min(weights):
            raise InputError(
                "effect: pattern: found weights that are all the same, expected at least two that "
                "differ, as [0, 1, 1]"
            )
        return weights


def spread(apart: Sequence[float]) -> float:
    """The standard deviation, over their number, of deviations from their mean."""
    return sqrt(sum(value**2 for value in apart) / len(apart))


def sizes(effects: Sequence[float], sigma: float) -> dict[str, float]:
    """All of SIZES of conditions' effects around a mean of 0, for the total standard deviation."""
    f = spread(effects) / sigma
    return {"d": (max(effects) - min(effects)) / sigma, "f": f, "eta_squared": f**2 / (1 + f**2)}


def sigma_between_of(icc: float, sigma_within: float | None) -> float:
    """sigma_b of an intraclass correlation; of a total variance of 1 where sigma_w is not given."""
    return sqrt(icc) if sigma_within is None else sigma_within * sqrt(icc / (1 - icc))


def sigma_within_of(sigma_between: float) -> float:
    """sigma_w where the total variance is 1."""
    return sqrt(1 - sigma_between**2)


def with_effect(
    conditions: Conditions | Sequence[str], effect: EffectSize, sigma: float
) -> dict[str, Any]:
    """The conditions, and the slope on a number, that have this effect: keys of a scenario.

    conditions: names, or names with effects that this one replaces, or a number with its values.
    Raises InputError where the pattern is none of theirs, and for several factors.
    """
    if isinstance(conditions, Mapping):
        _, given = next(iter(conditions.items()))
        if isinstance(given, Mapping):
            raise InputError(
                f"effect: found the factors {listed(conditions)}, expected one factor; give each "
                "level's effect in conditions:"
            )
        if isinstance(given, Sequence):
            return {"conditions": conditions, "slope": effect.slope(given, sigma)}
    return {"conditions": effect.effects(list(conditions), sigma)}
