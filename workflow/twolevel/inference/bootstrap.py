"""Parametric bootstrap: refits to data sets that the fitted model itself draws.

What the likelihood sees of a data set is drawn (see `spectrum`), not its rows: the pseudo-responses
are normal around the fixed part, the left-over sums of squares are chi-square. That is the
distribution that simulated responses would give them, at the same cost for any number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from twolevel.inference.wald import Estimates
from twolevel.text.confidence import LEVEL

_BLOCK = 5_000  # refits that share a stream of random numbers


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Refits of a model to data drawn from it.

    estimated: the fit's own parameters; replicates (refits x parameters): those of every refit, by
    the method of the fit; boundary (refits,): which of them have a random part that is singular.
    A correlation is NaN in refits with a variance of 0, which then do not count for it.
    """

    estimated: pd.Series
    replicates: pd.DataFrame
    boundary: np.ndarray
    seed: int

    @property
    def boundary_refits(self) -> int:
        """How many refits end on the boundary, as with a variance of exactly 0."""
        return int(self.boundary.sum())

    def percentile(self, level: float = LEVEL) -> pd.DataFrame:
        """estimate, se (SD of the refits), ci_low and ci_high: quantiles of the refits."""
        return self._table(_tails(level))

    def bca(self, without_subject: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
        """The same, with bias-corrected and accelerated intervals (Efron 1987).

        The quantiles are shifted for bias, by the share of refits below the estimate, and for
        skewness, by the estimates without each subject (n x parameters). Refits equal to the
        estimate, as at a boundary, count half.
        """
        values, estimate = self.replicates.to_numpy(), self.estimated.to_numpy()
        below = (values < estimate).sum(axis=0) + 0.5 * (values == estimate).sum(axis=0)
        below = below / np.maximum(np.isfinite(values).sum(axis=0), 1)
        least = 0.5 / len(values)  # what so many refits can tell from 0
        bias = ndtri(np.clip(below, least, 1 - least))[:, None]
        left = without_subject.dropna(how="all")
        skewed = (left.mean() - left).fillna(0.0).to_numpy()
        spread = (skewed**2).sum(axis=0)
        acceleration = np.divide(
            (skewed**3).sum(axis=0), 6 * spread**1.5, out=np.zeros(len(spread)), where=spread > 0
        )[:, None]
        z = bias + ndtri(_tails(level))
        return self._table(ndtr(bias + z / (1 - acceleration * z)))

    def _table(self, levels: np.ndarray) -> pd.DataFrame:
        """The refits' quantiles at levels (2,) or (parameters, 2)."""
        values = self.replicates.to_numpy()
        levels = np.broadcast_to(levels, (values.shape[1], 2))
        columns = [column[np.isfinite(column)] for column in values.T]
        ends = np.full(levels.shape, np.nan)
        se = np.full(len(columns), np.nan)
        for k, (column, at) in enumerate(zip(columns, levels, strict=True)):
            if len(column) > 1:
                ends[k], se[k] = np.quantile(column, at), column.std(ddof=1)
        return pd.DataFrame(
            {
                "estimate": self.estimated.to_numpy(),
                "se": se,
                "ci_low": ends[:, 0],
                "ci_high": ends[:, 1],
            },
            index=self.replicates.columns.rename("parameter"),
        )

    def summary(self) -> dict:
        """How the refits were drawn, and how many ended on the boundary."""
        return {
            "refits": len(self.replicates),
            "boundary_refits": self.boundary_refits,
            "seed": self.seed,
        }


def parametric_bootstrap(
    estimates: Estimates,
    rows: np.ndarray,
    estimated: pd.Series,
    refits: int = 10_000,
    seed: int = 1,
) -> Bootstrap:
    """Draw and refit so many data sets (Efron & Tibshirani 1993, sec. 6.5).

    rows (p, p) make the coefficients in `estimated` of those in `estimates`. Blocks of refits have
    random streams of their own, spawned from the seed.
    """
    children = np.random.SeedSequence(seed).spawn(-(-refits // _BLOCK))
    blocks = [
        _block(estimates, rows, min(_BLOCK, refits - k * _BLOCK), np.random.default_rng(child))
        for k, child in enumerate(children)
    ]
    values, boundary = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Bootstrap(estimated, pd.DataFrame(values, columns=estimated.index), boundary, seed)


def _tails(level: float) -> np.ndarray:
    return np.array([0.5 - level / 2, 0.5 + level / 2])


def _block(
    estimates: Estimates, rows: np.ndarray, size: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The parameters of refits (size rows) to one stream's data, and whether on the boundary."""
    fits = estimates.likelihood.refits(estimates.best, size, generator)
    coordinates, unit = estimates.coordinates, estimates.unit
    beta = unit * fits.gamma @ (rows @ coordinates.T).T + rows @ coordinates.shift
    return np.column_stack([*fits.variances.in_unit(unit).values(), beta]), fits.boundary
