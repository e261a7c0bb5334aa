"""How subjects differ by plan: groups with effects of their own, covariates, and who leaves.

The config reads this module before any job, so that it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from twolevel.experiments.population import CONDITION, Conditions, Population
from twolevel.text.errors import InputError, listed, quoted

# What the column of groups is called.
GROUP = "group"


@dataclass(frozen=True)
class Group:
    """A group of subjects: `size` is its share, in proportion to those of the others.

    All its means are `effect` larger; conditions and slope, where given, take the place of those
    that other groups have.
    """

    size: int = 1
    effect: float = 0.0
    conditions: Conditions | None = None
    slope: float | None = None

    def population(self, others: Population) -> Population:
        """What its subjects are drawn from."""
        conditions = others.conditions if self.conditions is None else self.conditions
        slope = others.slope if self.slope is None else self.slope
        found = replace(others, conditions=conditions, slope=slope)
        if found.cells != others.cells:
            raise InputError(
                f"conditions: found {listed(map(str, found.cells))}, expected the cells of the "
                f"study, {listed(map(str, others.cells))}, in their order"
            )
        return found


@dataclass(frozen=True)
class Covariate:
    """A number that each subject has: its mean and standard deviation, and the response's slope."""

    sd: float
    slope: float
    mean: float = 0.0


# The share of subjects that have left by the last time, or by each.
Leaving = float | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class BetweenSubjects:
    """What differs between subjects, besides what they draw: see `Scenario`."""

    groups: Mapping[str, Group] = field(default_factory=dict)
    covariates: Mapping[str, Covariate] = field(default_factory=dict)
    dropout: Leaving | Mapping[str, Leaving] = 0.0
    interactions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether there is anything of it."""
        return bool(self.groups or self.covariates or self.dropout or self.interactions)

    def check(self, population: Population, subjects: int) -> None:
        """Refuse what does not fit the conditions, or so few subjects. Raises InputError."""
        if len(self.groups) == 1:
            raise InputError("groups: found 1 group, expected at least 2")
        if self.groups and subjects < 2 * len(self.groups):
            raise InputError(
                f"subjects: found {subjects} in {len(self.groups)} groups, expected at least 2 in "
                "each"
            )
        taken = {GROUP, CONDITION, "subject", "response", *population.names}
        for name in self.covariates:
            if name in taken or not name.isidentifier():
                raise InputError(
                    f"covariates: found {quoted(name)}, expected a name of letters, digits and _ "
                    f"that is none of {listed(sorted(taken))}"
                )
        self._check_interactions(population)
        self.means(population)
        self.gone(population)

    def sizes(self, subjects: int) -> list[int]:
        """How many of so many subjects are in each group; all of them where there is none."""
        return in_proportion(subjects, [group.size for group in self.groups.values()] or [1])

    def means(self, population: Population) -> list[list[float]]:
        """The means of the C cells in each group, less the grand mean."""
        means = []
        for name, group in (self.groups or {"": Group()}).items():
            try:
                own = group.population(population).effects
            except InputError as error:
                raise InputError(f"groups: {name}: {error}") from None
            added = [self._added(population, name, cell) for cell in population.cells]
            means.append([e + group.effect + more for e, more in zip(own, added, strict=True)])
        return means

    def _added(self, population: Population, group: str, cell: Sequence[object]) -> float:
        """What interactions add to the mean of a cell in a group."""
        levels = dict(zip(population.names, cell, strict=True)) | {GROUP: group}
        return sum(
            effect
            for term, cells in self.interactions.items()
            for of, effect in cells.items()
            if [levels[name] for name in term.split(":")] == of.split(":")
        )

    def _check_interactions(self, population: Population) -> None:
        known = {name: list(levels) for name, levels in population.factors.items()}
        if self.groups:
            known[GROUP] = list(self.groups)
        for term, cells in self.interactions.items():
            names = term.split(":")
            if len(set(names)) < max(2, len(names)) or not set(names) <= set(known):
                raise InputError(
                    f"interactions: found {quoted(term)}, expected two factors or more joined as "
                    f"in a:b, of {listed(known)}"
                )
            for cell in cells:
                levels = cell.split(":")
                fits = len(levels) == len(names)
                if not fits or any(v not in known[k] for k, v in zip(names, levels, strict=True)):
                    raise InputError(
                        f"interactions: {term}: found the cell {quoted(cell)}, expected a level of "
                        f"each of {listed(names)}, joined as in "
                        f"{':'.join(known[name][-1] for name in names)}"
                    )

    def gone(self, population: Population) -> list[list[float]]:
        """The share of each group's subjects that have left by the time of each of the C cells.

        The times are those of the first variable within subjects. One number is the share that has
        left by the last of them: the same share of all leaves between any two.
        """
        first = [
            str(cell[0]) if population.number is None else f"{cell[0]:g}"
            for cell in population.cells
        ]
        times = list(dict.fromkeys(first))
        shares = [_leaving(self._leaving_of(name), times) for name in self.groups or [""]]
        return [[share[time] for time in first] for share in shares]

    def _leaving_of(self, group: str) -> Leaving:
        """The shares of one group: its own, where each group that leaves is named."""
        given = self.dropout
        if isinstance(given, Mapping) and self.groups and set(given) <= set(self.groups):
            return given.get(group, 0.0)
        return given  # type: ignore[return-value]


def in_proportion(subjects: int, sizes: Sequence[int]) -> list[int]:
    """How many of so many subjects are in each group, in proportion to their sizes.

    At least 2, where there are as many: what is left over goes to the largest remainders.
    """
    shares = [subjects * size / sum(sizes) for size in sizes]
    least = min(2, subjects // len(sizes))
    counts = [max(int(share), least) for share in shares]
    while sum(counts) != subjects:
        step = 1 if sum(counts) < subjects else -1
        free = [k for k, count in enumerate(counts) if step > 0 or count > least]
        counts[max(free, key=lambda k: step * (shares[k] - counts[k]))] += step
    return counts


def _leaving(given: Leaving, times: list[str]) -> dict[str, float]:
    if not isinstance(given, Mapping):
        steps = max(len(times) - 1, 1)
        given = {time: given * k / steps for k, time in enumerate(times)}
    if unknown := [time for time in given if time not in times]:
        raise InputError(
            f"dropout: found {quoted(unknown[0])}, expected a share, or one for each group or "
            f"time; the times are {listed(times)}"
        )
    share, found = 0.0, {}
    for time in times:
        before, share = share, given.get(time, share)
        if not before <= share < 1:
            raise InputError(
                f"dropout: {time}: found {share}, expected the share that has left by then, at "
                f"least the {before:g} before it and below 1"
            )
        found[time] = share
    return found
