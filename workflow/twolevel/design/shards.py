"""A table too large for memory, read in parts, of which a sample is kept.

Estimates, tests and per-subject tables rest on every row (see `reduction`, and for effects of
subjects' own `model.subject_sums`); what looks at single rows or at whole subjects
(diagnostics, influence, the observed covariance, what subjects' data support) sees the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from twolevel.design.cells import distinct_rows
from twolevel.design.variables import Variables

SAMPLE_ROWS = 1_000_000
# Subjects that are in the sample at least; of their rows, it then has a part only.
_FEWEST = 1_000


@dataclass(eq=False)
class Profiles:
    """Each subject's first value (n,) of each variable, and which variables vary within a subject.

    counts (n,) are the numbers of their rows so far, 0 to begin with.
    """

    counts: np.ndarray
    first: dict[str, np.ndarray] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)

    def add(self, codes: np.ndarray, variables: Mapping[str, np.ndarray]) -> None:
        """Take note of some rows (N,), with the positions of their subjects as `codes`."""
        n = len(self.counts)
        new = np.flatnonzero(self.counts[codes] == 0)[::-1]
        self.counts += np.bincount(codes, minlength=n)
        for name, values in variables.items():
            own = self.first.setdefault(name, np.zeros(n, dtype=values.dtype))
            own[codes[new]] = values[new]
            if name not in self.varying and (own[codes] != values).any():
                self.varying.add(name)


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
        profiles = Profiles(np.zeros(n, dtype=np.int64))
        means: dict[str, float] = {}
        seen: set[tuple] = set()
        kept, rows = [], 0
        for part in parts():
            codes = part[subject].to_numpy()
            number = np.arange(rows, rows + len(part))
            rows += len(part)
            variables = part.drop(columns=[subject, response])
            plain = {
                name: (values.cat.codes if _is_factor(values) else values).to_numpy()
                for name, values in variables.items()
            }
            profiles.add(codes, plain)
            for name, values in plain.items():
                if not _is_factor(variables[name]):
                    before = means.get(name, 0.0)
                    means[name] = before + (values.mean() - before) * len(part) / rows
            chosen = (codes % step == 0) & _lot(number, share)
            chosen[_first_of_each(variables, seen)] = True
            kept.append(part[chosen])
        first = {
            name: pd.Categorical.from_codes(values, dtype=part[name].dtype)
            if _is_factor(part[name])
            else values
            for name, values in profiles.first.items()
        }
        return cls(
            parts,
            subject,
            subjects,
            pd.concat(kept, ignore_index=True),
            profiles.counts,
            pd.DataFrame(first, index=range(n)),
            frozenset(profiles.varying),
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


def _is_factor(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _lot(numbers: np.ndarray, share: float) -> np.ndarray:
    """Which rows (N,) are drawn by their numbers: a share of them, whatever their order repeats."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)) < np.uint64(min(share, 1.0) * 2**32)


def _first_of_each(variables: pd.DataFrame, seen: set) -> np.ndarray:
    """The first row of each combination of factors that was not seen before, and is now.

    Where there are too many, of each level of each factor; of names that are too many, none.
    """
    factors = variables.select_dtypes("category")
    sets = [list(factors)]
    if distinct_rows(Variables.of(factors))[1] is None:
        sets = [[name] for name in factors]
    rows = [np.empty(0, dtype=int)]
    for names in filter(None, sets):
        distinct, cell_of, _ = distinct_rows(Variables.of(factors[names]))
        if cell_of is None:
            continue
        codes = (factor.codes for factor in distinct.factors.values())
        keys = [(*names, *key) for key in zip(*codes, strict=True)]
        new = [k for k, key in enumerate(keys) if key not in seen]
        seen.update(keys)
        rows.append(np.unique(cell_of, return_index=True)[1][new])
    return np.concatenate(rows)
