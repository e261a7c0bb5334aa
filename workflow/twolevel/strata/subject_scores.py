"""What each subject has of a factor's marginal means: the means of its own cells, by level.

Where every subject is in the same cells, marginal means are means of these scores. What subjects
who are alike differ by, in a score or in the difference of two, is an error of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.inference.means import mean_rows, pairwise_rows
from twolevel.strata.condition_covariance import between_columns, cell_means
from twolevel.strata.crossing import crossing


@dataclass(frozen=True)
class PairOfScores:
    """A difference of two means with its standard error; sd is that of subjects' own differences.

    sds are those of both scores. All of subjects who are alike in what differs between them; sd is
    NaN where no subject has both scores.
    """

    estimate: float
    se: float
    sd: float
    sds: tuple[float, float]


@dataclass(frozen=True, eq=False)
class SubjectScores:
    """The scores of n subjects in m levels, regressed on what differs between subjects.

    means (m,) are those of the levels at rows (m, r), residuals (n, m) what is left of the scores
    with df degrees of freedom, inverse (r, r) that of the cross-products. within says that
    subjects have a score in every level, and the pairs' names are `pairs`, as of `pairwise_rows`.
    """

    levels: pd.Index
    pairs: pd.Index
    within: bool
    means: np.ndarray
    rows: np.ndarray
    residuals: np.ndarray
    inverse: np.ndarray

    @property
    def df(self) -> int:
        """The degrees of freedom of every error."""
        return len(self.residuals) - len(self.inverse)

    def differences(self) -> Iterator[PairOfScores]:
        """The differences of all pairs, the earlier level minus the later."""
        for one, other in _positions(self.levels):
            sds = self._sd(self.residuals[:, one]), self._sd(self.residuals[:, other])
            if self.within:
                at = self.rows[one]
                sd = self._sd(self.residuals[:, one] - self.residuals[:, other])
                error = sd
            else:
                at = self.rows[one] - self.rows[other]
                sd, error = np.nan, sds[0]
            se = error * float(np.sqrt(at @ self.inverse @ at))
            yield PairOfScores(float(self.means[one] - self.means[other]), se, sd, sds)

    def _sd(self, residuals: np.ndarray) -> float:
        return float(np.sqrt(residuals @ residuals / self.df))


def subject_scores(
    design: DesignMatrix, variable: str, by: str | None = None
) -> SubjectScores | None:
    """The scores in the levels of a factor, or within each level of another, `by`.

    None where numbers are compared, where subjects are in different cells, and of a table in
    shards, whose subjects are not all at hand.
    """
    numbers = [name for name in (variable, by) if name and design.is_numeric(name)]
    cells = None if design.whole or numbers else crossing(design)
    if cells is None:
        return None
    within = list(cells.sizes)
    columns = between_columns(design)
    if design.encoding.intercept is not None:
        columns = [*design.terms[design.encoding.intercept], *columns]
    Y = cell_means(design, within)
    levels, L = mean_rows(design, variable, by)
    kept = [name for name in (by, variable) if name is not None]
    scores = (Y.to_numpy() - design.response.mean()) @ _weights(levels, kept, Y.columns, within).T
    Q, rows = design.cells.at(design.first_rows)[:, columns], L[:, columns]
    inverse = np.linalg.inv(Q.T @ Q)
    coefficients = np.linalg.lstsq(Q, scores, rcond=None)[0]
    return SubjectScores(
        levels=levels,
        pairs=pairwise_rows(levels, L)[0],
        within=variable in within,
        means=np.einsum("mr,rm->m", rows, coefficients),
        rows=rows,
        residuals=scores - Q @ coefficients,
        inverse=inverse,
    )


def _weights(levels: pd.Index, kept: list[str], cells: pd.Index, within: list[str]) -> np.ndarray:
    """The weights (m, C) of a subject's cells in each level's mean: equal among its own cells."""
    frame = cells.to_frame(index=False).set_axis(within, axis=1)
    asked = levels.to_frame(index=False).set_axis(kept, axis=1)
    own = np.ones((len(asked), len(frame)))
    for name in set(kept) & set(within):
        own *= asked[name].to_numpy()[:, None] == frame[name].to_numpy()[None]
    return own / own.sum(axis=1, keepdims=True)


def _positions(levels: pd.Index) -> list[tuple[int, int]]:
    """The pairs of positions in the order of `pairwise_rows`."""
    if not isinstance(levels, pd.MultiIndex):
        return list(combinations(range(len(levels)), 2))
    outer = levels.get_level_values(0)
    groups = [np.flatnonzero(outer == value) for value in outer.unique()]
    return [pair for group in groups for pair in combinations(map(int, group), 2)]
