"""All rows of a table in shards reduced to moments, part by part.

Moments of disjoint sets of rows merge exactly (Chan, Golub & LeVeque 1983), also where a subject's
rows lie in several parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twolevel.design.cells import Cells, SubjectRows, distinct_rows
from twolevel.design.formula import parse
from twolevel.design.moments import (
    Coordinates,
    SubjectMoments,
    separated,
    subject_moments,
    working_columns,
)
from twolevel.design.shards import Shards
from twolevel.design.variables import Variables
from twolevel.text.errors import InputError

if TYPE_CHECKING:
    from twolevel.design.design_matrix import DesignMatrix

# Transforms that depend on all rows at once.
_STATEFUL = r"\b(center|scale|standardize|poly|bs|cc|cr|cs)\("


@dataclass(frozen=True, eq=False)
class Whole:
    """What is known of all rows of a table of which a design holds some.

    shards are all of them, moments and coordinates those of all n subjects; positions (m,) are
    those of the design's subjects among them. profiles (n rows) are the variables in each subject's
    first row, varying those that differ within a subject, means the covariates' means over all
    rows.
    """

    shards: Shards
    moments: SubjectMoments
    coordinates: Coordinates
    subjects: pd.Index
    positions: np.ndarray
    profiles: pd.DataFrame
    varying: frozenset[str]
    means: dict[str, float]


def whole_of(sample: DesignMatrix, shards: Shards) -> DesignMatrix:
    """A design of shards from that of their sample: with the moments of all rows.

    Raises InputError for transforms that cannot be had part by part.
    """
    refuse_stateful(sample.formula)
    moments, coordinates = _reduced(sample, shards)
    positions = sample.subjects.to_numpy()
    variables = list(sample.data)
    return replace(
        sample,
        subjects=shards.subjects[positions].rename("subject"),
        whole=Whole(
            shards,
            moments,
            coordinates,
            shards.subjects.rename("subject"),
            positions,
            shards.profiles[variables].astype(dict(sample.data.dtypes)),
            shards.varying.intersection(variables),
            shards.means,
        ),
    )


def refuse_stateful(formula: str) -> None:
    """Refuse transforms that cannot be had part by part. Raises InputError."""
    if found := re.search(_STATEFUL, formula):
        raise InputError(
            f"formula '{formula}': {found[1]}() needs all rows at once, and this table is read in "
            "parts; compute it as a column of the table"
        )


def parts_of(design: DesignMatrix) -> Iterator[tuple[pd.DataFrame, DesignMatrix]]:
    """The parts of the table that a design of shards is from, each with the design of its rows."""
    whole = design.whole
    assert whole is not None
    response = parse(design.formula).response
    for part in whole.shards.parts():
        variables, cells = _rows_of(design, part)
        here, codes = np.unique(part[whole.shards.subject].to_numpy(), return_inverse=True)
        yield (
            part,
            replace(
                design,
                cells=cells,
                response=part[response].to_numpy(dtype=float),
                subject_rows=SubjectRows(codes, len(here)),
                subjects=whole.subjects[here],
                variables=variables,
                index=part.index,
                whole=replace(whole, positions=here),
            ),
        )


def _rows_of(design: DesignMatrix, part: pd.DataFrame) -> tuple[Variables, Cells]:
    """The variables of a design in the rows of a part, and its columns there."""
    variables = Variables.of(part[list(design.data)].astype(dict(design.data.dtypes)))
    distinct, cell_of, weights = distinct_rows(variables)
    return variables, Cells(design.encoding.rows(distinct), cell_of, weights)


def _reduced(sample: DesignMatrix, shards: Shards) -> tuple[SubjectMoments, Coordinates]:
    """The moments of all subjects, in coordinates that the sample sets."""
    response = parse(sample.formula).response
    columns, _, coordinates = working_columns(sample.cells, sample.response)
    n, p = len(shards.subjects), len(sample.names)
    counts, means = np.zeros(n, dtype=np.int64), np.zeros((n, p + 1))
    within = np.zeros((p + 1, p + 1))
    for part in shards.parts():
        _, cells = _rows_of(sample, part)
        cells = replace(cells, X=cells.X @ coordinates.T)
        y = coordinates.residual(cells, part[response].to_numpy(dtype=float))
        here, codes = np.unique(part[shards.subject].to_numpy(), return_inverse=True)
        more = subject_moments(cells, y, SubjectRows(codes, len(here)))
        before, after = counts[here], counts[here] + more.counts
        apart = more.means - means[here]
        weight = before * more.counts / after
        within += more.within + (apart.T * weight) @ apart
        means[here] += apart * (more.counts / after)[:, None]
        counts[here] = after
    # The sample's centre is not that of all rows.
    centre = counts @ means[:, :p] / counts.sum()
    constant = np.flatnonzero((np.ptp(columns.X, axis=0) == 0) & (columns.X[0] != 0))
    if len(constant):
        k = constant[0]
        off = np.where(np.arange(p) == k, 0.0, centre)
        means[:, :p] -= off
        coordinates = replace(
            coordinates,
            T=coordinates.T - np.outer(coordinates.T[:, k], off / columns.X[0, k]),
            rest=float(off @ coordinates.first),
        )
        centre = centre - off
    moments = SubjectMoments(counts, means[:, :p], np.arange(n), means[:, p], within)
    return separated(moments, replace(coordinates, centre=centre))
