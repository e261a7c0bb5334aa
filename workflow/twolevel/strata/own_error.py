"""Pairwise differences of which each has its own error, as afex and SPSS give them.

A difference between levels within subjects is tested by each subject's own difference of the two
means, a difference between groups by the subjects' means: pooled within groups, and with their
degrees of freedom. No sphericity is assumed, and no variance is borrowed from other pairs (emmeans
of afex's fits with `model = "multivariate"`; Maxwell & Delaney 2004, ch. 11 and 14).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.inference.adjustments import STANDARD, adjusted
from twolevel.inference.means import mean_rows, pairwise_rows
from twolevel.numeric.tails import t_quantile, t_two_sided
from twolevel.strata.condition_covariance import between_columns, cell_means
from twolevel.strata.crossing import crossing
from twolevel.strata.error_strata import NotPartitioned
from twolevel.text.confidence import LEVEL


@dataclass(frozen=True, eq=False)
class _Scores:
    """Subjects' means in their cells (n, C), and what differs between subjects, Q (n, r)."""

    cells: np.ndarray
    Q: np.ndarray

    @property
    def df(self) -> int:
        """The degrees of freedom of every error."""
        return len(self.Q) - self.Q.shape[1]

    def at(self, weights: np.ndarray, rows: np.ndarray) -> tuple[float, float, float]:
        """Of scores, cells @ weights (C,): their value where Q is rows (r,), its SE, and their SD.

        The SD is that of subjects who are alike in Q.
        """
        scores = self.cells @ weights
        coefficients = np.linalg.lstsq(self.Q, scores, rcond=None)[0]
        residual = scores - self.Q @ coefficients
        sd = float(np.sqrt(residual @ residual / self.df))
        spread = float(rows @ np.linalg.solve(self.Q.T @ self.Q, rows))
        return float(rows @ coefficients), sd * float(np.sqrt(spread)), sd


def own_error_contrasts(
    design: DesignMatrix,
    variable: str,
    adjust: str = STANDARD,
    by: str | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """All pairwise differences of a factor's marginal means, each with its own error.

    Of a design in which every subject is in the same cells; several rows of a cell are averaged.
    Columns are those of `MixedFit.contrasts` (estimate, se, df, t, p, ci_low, ci_high), adjusted as
    there, also with `by`; and for levels within subjects d_z, the difference in standard deviations
    of subjects' differences, and d_av, in the mean of both levels' standard deviations (Lakens
    2013), both of subjects who are alike in what differs between them; NaN for levels between.

    Raises NotPartitioned where subjects are in different cells or leave no degree of freedom.
    """
    numbers = [name for name in (variable, by) if name and design.is_numeric(name)]
    cells = None if design.whole or numbers else crossing(design)
    if cells is None:
        raise NotPartitioned(
            "pairs have an error of their own where factors are compared and every subject, in a "
            "table held in memory, is in the same cells; compare these with the model's pooled "
            "error (contrast_error: pooled)"
        )
    within = list(cells.sizes)
    columns = between_columns(design)
    if design.encoding.intercept is not None:
        columns = [*design.terms[design.encoding.intercept], *columns]
    Y = cell_means(design, within)
    scores = _Scores(
        Y.to_numpy() - design.response.mean(), design.cells.at(design.first_rows)[:, columns]
    )
    if scores.df < 1:
        raise NotPartitioned(
            f"{len(Y)} subjects leave no degree of freedom beside what differs between them; pairs "
            "have no error of their own: compare them with contrast_error: pooled"
        )
    levels, L = mean_rows(design, variable, by)
    kept = [name for name in (by, variable) if name is not None]
    weights = _weights(levels, kept, Y.columns, within)
    pairs, _ = pairwise_rows(levels, L)
    rows = []
    for one, other in _positions(levels):
        apart, at = weights[one] - weights[other], L[one][columns]
        if variable in within:
            estimate, se, sd = scores.at(apart, at)
            sds = [scores.at(weights[k], at)[2] for k in (one, other)]
            sizes = {"d_z": estimate / sd, "d_av": estimate / np.mean(sds)}
        else:
            estimate, se, _ = scores.at(weights[one], at - L[other][columns])
            sizes = {"d_z": np.nan, "d_av": np.nan}
        rows.append({"estimate": estimate, "se": se, **sizes})
    table = pd.DataFrame(rows, index=pairs)
    table.insert(2, "df", float(scores.df))
    table.insert(3, "t", table["estimate"] / table["se"])
    table.insert(4, "p", t_two_sided(table["t"].to_numpy(), scores.df))
    half = t_quantile(level, table["df"].to_numpy()) * table["se"]
    table.insert(5, "ci_low", table["estimate"] - half)
    table.insert(6, "ci_high", table["estimate"] + half)
    n_means = levels.get_level_values(-1).nunique()
    return adjusted(table, adjust, n_means, level, within=by is not None)


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
