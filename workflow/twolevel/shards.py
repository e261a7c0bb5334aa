"""A table too large for memory, in parts: all of it reduced to moments, a sample of it kept.

Moments of disjoint sets of rows merge exactly (Chan, Golub & LeVeque 1983), also where a subject's
rows lie in several parts. Tests, intervals and per-subject tables rest on every row; what looks at
single rows (diagnostics, influence, the observed covariance) sees the sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twolevel.cells import Cells, SubjectRows, distinct_rows
from twolevel.errors import InputError
from twolevel.formula import parse
from twolevel.moments import Coordinates, SubjectMoments, subject_moments, working_columns

if TYPE_CHECKING:
    from twolevel.design_matrix import DesignMatrix

# Transforms that depend on all rows at once.
_STATEFUL = r"\b(center|scale|standardize|poly|bs|cc|cr|cs)\("

SAMPLE_ROWS = 1_000_000
# Subjects that are in the sample at least; of their rows, it then has a part only.
_FEWEST = 1_000


@dataclass(frozen=True, eq=False)
class Whole:
    """What is known of all rows of a table of which a design holds a sample.

    moments and coordinates are those of all n subjects; positions (m,) are those of the sample's
    subjects among them. profiles (n rows) are the variables in each subject's first row, varying
    those that differ within a subject, means the covariates' means over all rows.
    """

    moments: SubjectMoments
    coordinates: Coordinates
    subjects: pd.Index
    positions: np.ndarray
    profiles: pd.DataFrame
    varying: frozenset[str]
    means: dict[str, float]


@dataclass(frozen=True, eq=False)
class Shards:
    """A table in parts, which `parts` reads anew, one after the other.

    Every part has the same columns, factors with the same levels; the column `subject` holds
    positions in `subjects` (n,). sample has the rows of some subjects, spread evenly (of few
    subjects with many rows each, some of their rows), and at least one row of each combination of
    factors; counts (n,) are the numbers of all rows.
    """

    parts: Callable[[], Iterator[pd.DataFrame]]
    subject: str
    subjects: pd.Index
    sample: pd.DataFrame
    counts: np.ndarray
    profiles: pd.DataFrame
    varying: frozenset[str]
    means: dict[str, float]

    @classmethod
    def of(
        cls,
        parts: Callable[[], Iterator[pd.DataFrame]],
        subject: str,
        response: str,
        subjects: pd.Index,
        nobs: int,
    ) -> Shards:
        """Read all parts once."""
        n = len(subjects)
        few = max(1, n // _FEWEST)
        step = min(-(-nobs // SAMPLE_ROWS), few)  # from subject to subject
        share = SAMPLE_ROWS * step / nobs  # of their rows
        counts, first = np.zeros(n, dtype=np.int64), {}
        varying, means, kept, seen, rows = set(), {}, [], set(), 0
        for part in parts():
            codes = part[subject].to_numpy()
            new = counts[codes] == 0
            counts += np.bincount(codes, minlength=n)
            number = np.arange(rows, rows + len(part))
            rows += len(part)
            variables = part.drop(columns=[subject, response])
            for name, values in variables.items():
                factor = isinstance(values.dtype, pd.CategoricalDtype)
                plain = (values.cat.codes if factor else values).to_numpy()
                own = first.setdefault(name, np.zeros(n, dtype=plain.dtype))
                own[codes[new][::-1]] = plain[new][::-1]
                if name not in varying and (own[codes] != plain).any():
                    varying.add(name)
                if not factor:
                    before = means.get(name, 0.0)
                    means[name] = before + (plain.mean() - before) * len(part) / rows
            chosen = (codes % step == 0) & _lot(number, share)
            chosen[_first_of_each(variables, seen)] = True
            kept.append(part[chosen])
        profiles = {
            name: pd.Categorical.from_codes(values, dtype=part[name].dtype)
            if isinstance(part[name].dtype, pd.CategoricalDtype)
            else values
            for name, values in first.items()
        }
        return cls(
            parts,
            subject,
            subjects,
            pd.concat(kept, ignore_index=True),
            counts,
            pd.DataFrame(profiles, index=range(n)),
            frozenset(varying),
            means,
        )

    def renamed(self, names: Mapping[str, str]) -> Shards:
        """The same table with other names for its columns."""
        return replace(
            self,
            parts=lambda: (part.rename(columns=names) for part in self.parts()),
            subject=names.get(self.subject, self.subject),
            sample=self.sample.rename(columns=names),
            profiles=self.profiles.rename(columns=names),
            varying=frozenset(names.get(name, name) for name in self.varying),
            means={names.get(name, name): mean for name, mean in self.means.items()},
        )

    def whole_of(self, sample: DesignMatrix) -> DesignMatrix:
        """A design of the sample, with the moments of all rows.

        Raises InputError for transforms that cannot be had part by part.
        """
        if found := re.search(_STATEFUL, sample.formula):
            raise InputError(
                f"formula '{sample.formula}': {found[1]}() needs all rows at once, and this table "
                "is read in parts; compute it as a column of the table"
            )
        moments, coordinates = self._reduced(sample)
        positions = sample.subjects.to_numpy()
        variables = list(sample.data)
        return replace(
            sample,
            subjects=self.subjects[positions].rename("subject"),
            whole=Whole(
                moments,
                coordinates,
                self.subjects.rename("subject"),
                positions,
                self.profiles[variables].astype(dict(sample.data.dtypes)),
                self.varying.intersection(variables),
                self.means,
            ),
        )

    def _reduced(self, sample: DesignMatrix) -> tuple[SubjectMoments, Coordinates]:
        """The moments of all subjects, in coordinates that the sample sets."""
        response = parse(sample.formula).response
        columns, _, coordinates = working_columns(sample.cells, sample.response)
        n, p = len(self.subjects), len(sample.names)
        counts, means = np.zeros(n, dtype=np.int64), np.zeros((n, p + 1))
        within = np.zeros((p + 1, p + 1))
        for part in self.parts():
            variables = part[list(sample.data)].astype(dict(sample.data.dtypes))
            distinct, cell_of, weights = distinct_rows(variables)
            rows = sample.rows(distinct)
            if len(rows) != len(distinct):  # a bare intercept
                rows = np.broadcast_to(rows, (len(distinct), p))
            cells = Cells(rows @ coordinates.T, cell_of, weights)
            y = coordinates.residual(cells, part[response].to_numpy(dtype=float))
            here, codes = np.unique(part[self.subject].to_numpy(), return_inverse=True)
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
        return moments, replace(coordinates, centre=centre)


def _lot(numbers: np.ndarray, share: float) -> np.ndarray:
    """Which rows (N,) are drawn by their numbers: a share of them, whatever their order repeats."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)) < np.uint64(min(share, 1.0) * 2**32)


def _first_of_each(variables: pd.DataFrame, seen: set) -> np.ndarray:
    """The first row of each combination of factors that was not seen before, and is now."""
    factors = variables.select_dtypes("category")
    distinct, cell_of, _ = distinct_rows(factors)
    if cell_of is None or factors.shape[1] == 0:
        return np.empty(0, dtype=int)
    keys = list(zip(*(distinct[name].cat.codes for name in distinct), strict=True))
    new = [k for k, key in enumerate(keys) if key not in seen]
    seen.update(keys)
    _, first = np.unique(cell_of, return_index=True)
    return first[new]
