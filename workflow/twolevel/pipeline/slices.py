"""The grid of a replication study, and which of its experiments are still to be run.

A slice is a product of grid values for a range of experiments, and the file of one job. Its path
says which, so that more experiments or grid values later need only slices that are not there yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from twolevel.experiments.blocks import BLOCK
from twolevel.text.numbers import written

AXES = ("subjects", "sigma_between", "missing", "replicates")

# The other keys of a replication study that the data of its experiments depend on.
PARAMETERS = (
    "conditions",
    "effect",
    "slope",
    "grand_mean",
    "random",
    "strata",
    "sigma_within",
    "icc",
    "groups",
    "interactions",
    "covariates",
    "dropout",
    "adjust",
)

# Stands for the value of the study that a replication is like.
SAME = "same"

# A value of each axis, as it is written in paths.
Point = tuple[str, ...]

# Between the values of an axis in paths. Snakemake cannot send a job with a comma in its wildcards
# to a cluster.
_BETWEEN = "_"

# Random numbers that a job may draw, some twenty seconds' worth, and what it takes to fit data with
# missing cells, in those.
_NUMBERS, _INCOMPLETE = 1_000_000_000, 5
# Letters in the name of a folder.
_LONGEST = 200


@dataclass(frozen=True, order=True)
class Slice:
    """Experiments `first` to `last` (not included) at the points of a product of axis values."""

    values: tuple[tuple[str, ...], ...]
    first: int
    last: int

    @property
    def path(self) -> str:
        """The slice's own part of its path."""
        axes = zip(AXES, self.values, strict=True)
        folders = [f"{axis}={_BETWEEN.join(values)}" for axis, values in axes]
        return "/".join([*folders, f"{self.first}-{self.last}"])

    @classmethod
    def of_path(cls, path: str) -> Slice:
        """The slice of a path."""
        *folders, name = path.split("/")
        first, last = name.partition(".")[0].split("-")
        values = tuple(tuple(f.partition("=")[2].split(_BETWEEN)) for f in folders[-len(AXES) :])
        return cls(values, int(first), int(last))

    @classmethod
    def up_to(cls, experiments: int) -> Slice:
        """So many experiments, at no point."""
        return cls(((),) * len(AXES), 0, experiments)

    @property
    def points(self) -> list[Point]:
        """The points of the grid, in the order of the axes."""
        return list(product(*self.values))

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """The number and the size of each block."""
        return [
            (start // BLOCK, min(BLOCK, self.last - start))
            for start in range(self.first, self.last, BLOCK)
        ]

    def numbers(self, per_subject: int) -> int:
        """How many random numbers its experiments take, of subjects with so many cells each.

        Data with missing cells count as several times as many, for they take longer to fit.
        """
        return (self.last - self.first) * sum(_cost(point, per_subject) for point in self.points)


def grid_points(axes: Iterable[Sequence[float] | None]) -> list[Point]:
    """All points of a grid; an axis without values has that of the study."""
    values = ([SAME] if a is None else map(written, a) for a in axes)
    return list(product(*values))


def plan(
    points: Sequence[Point], experiments: int, there: Iterable[Slice], per_subject: int
) -> list[Slice]:
    """The slices with the experiments of all points: those that are there, and what they lack.

    `per_subject` is the number of cells of a subject, for the size of jobs.
    """
    wanted = set(Slice.up_to(experiments).blocks)
    absent = {point: set(wanted) for point in points}
    used = []
    for part in sorted(there):
        blocks = wanted.intersection(part.blocks)
        news = [p for p in part.points if not blocks.isdisjoint(absent.get(p, ()))]
        for point in news:
            absent[point] -= blocks
        used += [part] * bool(news)
    alike: dict[tuple, list[Point]] = {}
    for point, blocks in absent.items():
        alike.setdefault(tuple(sorted(blocks)), []).append(point)
    new = [
        job
        for blocks, some in alike.items()
        if blocks
        for values in _products(some)
        for part in _foldable(values)
        for job in _jobs(part, blocks, per_subject)
    ]
    return sorted(used + new)


def _products(points: Sequence[tuple]) -> list[tuple[tuple[str, ...], ...]]:
    """Points as products of values of each axis, as few as can be had at once."""
    axes = [tuple(dict.fromkeys(values)) for values in zip(*points, strict=True)]
    if prod(map(len, axes)) == len(points):
        return [tuple(axes)]
    rests: dict[frozenset, list[str]] = {}
    for value in axes[0]:
        rest = frozenset(point[1:] for point in points if point[0] == value)
        rests.setdefault(rest, []).append(value)
    return [
        (tuple(values), *others)
        for rest, values in rests.items()
        for others in _products([p[1:] for p in points if p[0] == values[0]])
    ]


def _foldable(values: tuple[tuple[str, ...], ...]) -> list[tuple[tuple[str, ...], ...]]:
    """The same points in parts whose axes can be written as the name of a folder."""
    for k, axis in enumerate(values):
        if len(axis) > 1 and len(_BETWEEN.join(axis)) > _LONGEST:
            return [p for half in _halves(values, k) for p in _foldable(half)]
    return [values]


def _halves(values: tuple[tuple[str, ...], ...], k: int) -> list[tuple[tuple[str, ...], ...]]:
    middle = len(values[k]) // 2
    parts = values[k][:middle], values[k][middle:]
    return [(*values[:k], part, *values[k + 1 :]) for part in parts]


def _jobs(
    values: tuple[tuple[str, ...], ...], blocks: Sequence[tuple[int, int]], per_subject: int
) -> list[Slice]:
    """Slices of neighbouring blocks, so many as a job may draw numbers for."""
    cost = Slice(values, 0, BLOCK).numbers(per_subject)
    longest = max(range(len(values)), key=lambda k: len(values[k]))
    if cost > _NUMBERS and len(values[longest]) > 1:
        return [j for half in _halves(values, longest) for j in _jobs(half, blocks, per_subject)]
    most = max(1, int(_NUMBERS // cost))
    found = []
    start = 0
    for k, (number, size) in enumerate(blocks):
        ends = k + 1 == len(blocks) or blocks[k + 1][0] != number + 1 or k + 1 - start == most
        if ends:
            found.append(Slice(values, blocks[start][0] * BLOCK, number * BLOCK + size))
            start = k + 1
    return found


def _cost(point: Point, per_subject: int) -> int:
    subjects, _, missing, replicates = point
    n = 30 if subjects == SAME else int(subjects)
    rows = n * per_subject * (1 if replicates == SAME else int(replicates))
    return rows * (1 if missing == "0" else _INCOMPLETE)
