"""The model that simulated observations are drawn from: cells, their effects, and what is random.

A cell is a combination of levels of the factors within subjects, or a value of a number. The mean
of a cell is the grand mean and the cell's effect; what a subject has of its own is an intercept,
with the number a slope, and effects of its own of factors:

    y_ick = grand_mean + z_c' b_i + effect_c + eta_ick.

The config reads this module before any job, so that it imports nothing that takes time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from twolevel.text.errors import InputError, listed, quoted

# What the one factor is called that has no name.
CONDITION = "condition"
# Names that other columns of a simulated table have.
_TAKEN = ("subject", "response", CONDITION)

# Levels with their effects; factors with these; or a number with its values.
Conditions = Mapping[str, float] | Mapping[str, Mapping[str, float]] | Mapping[str, Sequence[float]]


@dataclass(frozen=True, eq=False)
class Population:
    """The model that data are drawn from; standard deviations are in the response's unit.

    `conditions` are the levels of one factor, with their effects; several factors with such levels
    each, whose effects add up; or a number with its values, on which the mean rises by `slope` for
    each unit. `sigma_between` is the standard deviation of the subjects' intercepts; `random` has
    it as `intercept`, with that of their slopes under the number's name and their `correlation`.
    `strata` has the standard deviations of the subjects' own effects of the levels of a factor, or
    of combinations of levels, as of `a:b`.

    Raises InputError for what no data can be drawn from.
    """

    conditions: Conditions
    sigma_between: float | None = None
    slope: float | None = None
    random: Mapping[str, float] | None = None
    strata: Mapping[str, float] = field(default_factory=dict)
    replicates: int = 1

    def __post_init__(self) -> None:
        """Refuse what no data can be drawn from."""
        for name in self.names:
            if self.named and (name in _TAKEN or not re.fullmatch(r"[^\W\d]\w*", name)):
                raise InputError(
                    f"conditions: found the variable {quoted(name)}, expected a name of letters, "
                    f"digits and _ that is none of {listed(_TAKEN)}"
                )
        for name, levels in self.factors.items():
            if len(levels) < 2:
                place = f"conditions: {name}" if self.named else "conditions"
                raise InputError(f"{place}: found 1 level, expected at least 2")
        if (self.sigma_between is None) == (self.random is None):
            raise InputError(
                "expected one of sigma_between and random, which say how much subjects differ: "
                "sigma_between: 1, or random: {intercept: 1, day: 0.3} for subjects with slopes of "
                "their own"
            )
        self._check_number()
        self._check_strata()

    @property
    def named(self) -> bool:
        """Whether the conditions name their variables."""
        return not isinstance(next(iter(self.conditions.values())), int | float)

    @property
    def number(self) -> str | None:
        """The name of the number that the condition is, if it is one."""
        name, given = next(iter(self.conditions.items()))
        return None if isinstance(given, int | float | Mapping) else name

    @property
    def factors(self) -> dict[str, dict[str, float]]:
        """The factors with their levels' effects."""
        if self.number is not None:
            return {}
        given = self.conditions if self.named else {CONDITION: self.conditions}
        return {name: dict(levels) for name, levels in given.items()}  # type: ignore[arg-type]

    @property
    def names(self) -> list[str]:
        """The variables within subjects; the first is the condition."""
        return [self.number] if self.number is not None else list(self.factors)

    @property
    def formula(self) -> str:
        """The fixed part of the model, in the names of the table."""
        return f"response ~ {' * '.join(self.names)}"

    @property
    def values(self) -> tuple[float, ...]:
        """The number's values; none where the condition is no number."""
        return () if self.number is None else tuple(self.conditions[self.number])  # type: ignore

    @property
    def cells(self) -> list[tuple[str, ...]] | list[tuple[float]]:
        """The variables' values in each of the C cells, the last factor's changing fastest."""
        if self.number is not None:
            return [(value,) for value in self.values]
        return list(product(*self.factors.values()))

    @property
    def effects(self) -> list[float]:
        """What is added to the grand mean in each of the C cells."""
        if self.number is not None:
            assert self.slope is not None  # it is checked
            return [self.slope * value for value in self.values]
        return [sum(part) for part in product(*(own.values() for own in self.factors.values()))]

    @property
    def intercept_sd(self) -> float:
        """The standard deviation of the subjects' intercepts."""
        return self.random["intercept"] if self.random is not None else self.sigma_between or 0.0

    @property
    def own_varies(self) -> bool:
        """Whether subjects have slopes, or effects of the conditions, of their own."""
        return bool(self.random or self.strata)

    def _check_number(self) -> None:
        if self.number is None:
            if self.slope is not None or self.random is not None:
                key = "slope" if self.slope is not None else "random"
                raise InputError(
                    f"{key}: a slope needs a condition that is a number, and found levels; write "
                    "its values, as conditions: {day: [0, 1, 2, 3]}"
                )
            return
        if len(self.conditions) > 1:
            raise InputError(
                f"conditions: found {listed(self.conditions)}, expected one number with its "
                "values, as {day: [0, 1, 2, 3]}, or factors with their levels' effects"
            )
        values = self.values
        if len(set(values)) < max(3, len(values)):
            raise InputError(
                f"conditions: {self.number}: found the values {listed(map(str, values))}, expected "
                "at least 3, each once; replicates: says how often each is observed"
            )
        if self.slope is None:
            raise InputError(
                f"slope: missing, but needed: by how much the mean rises with {self.number}; write "
                "for example slope: 0.5"
            )
        if self.random is not None:
            expected = {"intercept", self.number}
            if not expected <= set(self.random) <= expected | {"correlation"}:
                raise InputError(
                    f"random: found {listed(self.random)}, expected intercept and {self.number}, "
                    f"and correlation if it is not 0: {{intercept: 1, {self.number}: 0.3, "
                    "correlation: 0.2}"
                )
            if min(self.random["intercept"], self.random[self.number]) < 0:
                raise InputError(
                    "random: found a standard deviation below 0, expected 0 or more; give the "
                    "standard deviations, and the sign in correlation"
                )
            if abs(self.random.get("correlation", 0.0)) > 1:
                raise InputError(
                    f"random: correlation: found {self.random['correlation']}, expected a number "
                    "from -1 to 1"
                )

    def _check_strata(self) -> None:
        for stratum, sd in self.strata.items():
            names = stratum.split(":")
            if not set(names) <= set(self.factors) or len(set(names)) < len(names):
                raise InputError(
                    f"strata: found {quoted(stratum)}, expected a factor, or several joined as in "
                    f"a:b; the factors are {listed(self.factors) or 'none, of a number'}"
                )
            if sd < 0:
                raise InputError(f"strata: {stratum}: found {sd}, expected 0 or more")
            if len(names) == len(self.factors) and self.replicates == 1:
                raise InputError(
                    f"strata: {stratum} has one observation of a subject in each cell, which "
                    "cannot be told from the errors; give replicates: 2 or more, or add its "
                    "variance to that of sigma_within"
                )
