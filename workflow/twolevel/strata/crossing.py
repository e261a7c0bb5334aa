"""The variables that change within subjects, crossed: every subject in every cell.

A cell is a combination of levels of these variables. Where every subject has all of them, the
scatter within subjects falls into orthogonal parts, one for each effect of the variables: a main
effect, or an interaction of some. Each is the error of the terms of its effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import prod

import numpy as np
import pandas as pd

from twolevel.design.cells import SubjectRows
from twolevel.design.design_matrix import DesignMatrix, design_matrix
from twolevel.design.formula import parse
from twolevel.design.shards import Shards

Effect = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Crossing:
    """C cells for each of n subjects: variables with their numbers of levels, in `sizes`.

    place (N,) is where each row belongs in the flattened array of (n, *sizes).
    """

    sizes: dict[str, int]
    place: np.ndarray
    n_subjects: int

    @property
    def effects(self) -> list[Effect]:
        """Main effects and interactions of the variables, those of fewer variables first."""
        names = list(self.sizes)
        return [effect for k in range(1, len(names) + 1) for effect in combinations(names, k)]

    @property
    def n_cells(self) -> int:
        """The number C of cells of a subject."""
        return prod(self.sizes.values())

    def df(self, effect: Effect) -> int:
        """The degrees of freedom of an effect: how many contrasts of cells it has."""
        return prod(self.sizes[name] - 1 for name in effect)

    @cached_property
    def counts(self) -> np.ndarray:
        """The numbers of rows (n, C) of the cells."""
        counts = np.bincount(self.place, minlength=self.n_subjects * self.n_cells)
        return counts.reshape(self.n_subjects, -1)

    def means(self, values: np.ndarray) -> np.ndarray:
        """The means (n, C) of values (N,) in the cells."""
        sums = np.bincount(self.place, values, minlength=self.counts.size)
        return sums.reshape(self.counts.shape) / self.counts

    def squares(self, values: np.ndarray, effect: Effect) -> np.ndarray:
        """The sums of squares (...) of an effect's part of values (m, C, ...), over the first two.

        The part is what is left when every variable of the effect is centred and all others are
        averaged over; of a mean, each value counts as often as it stands for cells.
        """
        part = values.reshape(len(values), *self.sizes.values(), *values.shape[2:])
        for axis, name in enumerate(self.sizes, start=1):
            mean = part.mean(axis=axis, keepdims=True)
            part = part - mean if name in effect else mean
        stands_for = prod(size for name, size in self.sizes.items() if name not in effect)
        return stands_for * np.sum(part**2, axis=tuple(range(len(self.sizes) + 1)))

    def contrasts(self, effect: Effect) -> np.ndarray:
        """Orthonormal contrasts (C, df) of the cells that span an effect."""
        matrix = np.eye(1)
        for name, J in self.sizes.items():
            centred = np.linalg.qr(np.eye(J)[:, : J - 1] - 1 / J)[0]
            matrix = np.kron(matrix, centred if name in effect else np.full((J, 1), J**-0.5))
        return matrix


def crossing(design: DesignMatrix) -> Crossing | None:
    """The cells of a design; None where nothing changes within subjects or a cell is empty.

    Of a table in shards, it is that of the sample.
    """
    names = [name for name in design.data if design.varies_within(name)]
    sizes = {name: len(design.levels(name)) for name in names}
    n = len(design.subjects)
    # As many cells as rows at the most: numbers of subjects' own are no cells at all.
    if not names or n * prod(sizes.values()) > len(design.response):
        return None
    codes = [pd.Categorical(design.data[name], design.levels(name)).codes for name in names]
    place = np.ravel_multi_index((design.codes, *codes), (n, *sizes.values()))
    found = Crossing(sizes, place, n)
    return found if found.counts.all() else None


@dataclass(frozen=True, eq=False)
class Averaged:
    """How many rows became how many cells, the range of rows of a cell, and their scatter.

    per_cell is the harmonic mean of the rows of a cell, for which the mean square of the cells'
    means is multiplied to stand beside that of the rows within them (Winer 1971, sec. 6.1).
    """

    n_rows: int
    n_cells: int
    fewest: int
    most: int
    per_cell: float
    ss: float

    @property
    def df(self) -> int:
        """The degrees of freedom of the rows within their cells."""
        return self.n_rows - self.n_cells


def average_cells(design: DesignMatrix, cells: Crossing) -> tuple[DesignMatrix, float, Averaged]:
    """The same design with one row for each cell, the mean of its rows, less the mean of all.

    The mean of all (the number) is taken off, for a mean of large numbers would be rounded.
    """
    centre = float(design.response.mean())
    centred = design.response - centre
    means, counts = cells.means(centred).ravel(), cells.counts.ravel()
    apart = centred - means[cells.place]
    first = np.zeros(len(centred), dtype=bool)
    first[np.unique(cells.place, return_index=True)[1]] = True
    made = replace(
        design,
        cells=design.cells.of_rows(first),
        response=means[cells.place[first]],
        subject_rows=SubjectRows(design.codes[first], cells.n_subjects),
        variables=design.variables.of_rows(first),
        index=design.index[first],
    )
    return made, centre, _averaged(counts, float(apart @ apart))


def average_shards(
    formula: str, shards: Shards, subject: str
) -> tuple[DesignMatrix, float, Averaged]:
    """The same of a table in shards, part by part: as many rows as cells are held in memory."""
    names = parse(formula)
    response, by = names.response, [subject, *names.variables]
    centre = float(shards.sample[response].mean())
    table = pd.concat(_sums(shards.parts(), response, by, centre))
    table = table.groupby(level=by, observed=True, sort=False).sum()
    means = table["sum"] / table["count"]
    # Squares about the means of cells, which only a second pass can give without cancelling.
    ss = 0.0
    for part in shards.parts():
        place = pd.MultiIndex.from_frame(part[by])
        ss += float(np.sum((part[response].to_numpy() - centre - means.loc[place]) ** 2))
    data = means.rename(response).reset_index()
    averaged = _averaged(table["count"].to_numpy(), ss)
    return design_matrix(formula, data, subject, coding="sum"), centre, averaged


def _sums(
    parts: Iterable[pd.DataFrame], response: str, by: list[str], centre: float
) -> Iterable[pd.DataFrame]:
    for part in parts:
        rows = part[by].assign(**{response: part[response].astype(float) - centre})
        yield rows.groupby(by, observed=True, sort=False)[response].agg(["sum", "count"])


def _averaged(counts: np.ndarray, ss: float) -> Averaged:
    return Averaged(
        n_rows=int(counts.sum()),
        n_cells=len(counts),
        fewest=int(counts.min()),
        most=int(counts.max()),
        per_cell=float(len(counts) / np.sum(1 / counts)),
        ss=ss,
    )
