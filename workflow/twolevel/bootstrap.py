"""Parametric bootstrap: refits to data sets that the fitted model itself draws.

What the likelihood sees of a data set is drawn (see `spectrum`), not its rows: the pseudo-responses
are normal around the fixed part, the left-over sums of squares are chi-square. That is the
distribution that simulated responses would give them, at the same cost for any number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from twolevel.likelihood import degrees_of_freedom
from twolevel.spectrum import Spectrum, spectrum
from twolevel.wald import Estimates

_BLOCK = 5_000  # refits that share a stream of random numbers
_LARGEST = 2_000_000  # numbers in one array of (refits, p, p)

Kind = Literal["percentile", "bca"]


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Refits of a model to data drawn from it.

    estimated: the fit's own parameters; replicates (refits x parameters): sigma_between,
    sigma_within, icc and the fixed effects of every refit, by the method of the fit; without_subject
    (n x parameters): the estimates without each subject, from which BCa takes its acceleration.
    """

    estimated: pd.Series
    replicates: pd.DataFrame
    without_subject: pd.DataFrame
    seed: int

    @property
    def boundary_refits(self) -> int:
        """How many refits estimate sigma_between as exactly 0."""
        return int((self.replicates["sigma_between"] == 0).sum())

    def intervals(self, kind: Kind = "percentile", level: float = 0.95) -> pd.DataFrame:
        """estimate, se (SD of the refits), ci_low and ci_high of every parameter.

        "percentile" takes quantiles of the refits; "bca" (Efron 1987) shifts these for bias, by the
        share of refits below the estimate, and for skewness, by the leave-one-subject-out
        estimates. Refits equal to the estimate, as at a boundary, count half.

        Raises ValueError for another kind.
        """
        if kind not in ("percentile", "bca"):
            raise ValueError(f"kind: found {kind!r}, expected 'percentile' or 'bca'")
        tails = np.array([0.5 - level / 2, 0.5 + level / 2])
        values, estimate = self.replicates.to_numpy(), self.estimated.to_numpy()
        if kind == "percentile":
            at = np.broadcast_to(tails, (values.shape[1], 2))
        else:
            at = self._shifted(ndtri(tails))
        ends = np.array([np.quantile(values[:, k], at[k]) for k in range(values.shape[1])])
        return pd.DataFrame(
            {
                "estimate": estimate,
                "se": values.std(axis=0, ddof=1),
                "ci_low": ends[:, 0],
                "ci_high": ends[:, 1],
            },
            index=self.replicates.columns.rename("parameter"),
        )

    def _shifted(self, z: np.ndarray) -> np.ndarray:
        """The levels (parameters, 2) of the refits' quantiles that BCa takes."""
        values, estimate = self.replicates.to_numpy(), self.estimated.to_numpy()
        below = (values < estimate).mean(axis=0) + 0.5 * (values == estimate).mean(axis=0)
        least = 0.5 / len(values)  # what so many refits can tell from 0
        bias = ndtri(np.clip(below, least, 1 - least))[:, None]
        skewed = self.without_subject.dropna().to_numpy()
        skewed = skewed.mean(axis=0) - skewed if len(skewed) else np.zeros((1, len(estimate)))
        spread = (skewed**2).sum(axis=0)
        acceleration = np.divide(
            (skewed**3).sum(axis=0), 6 * spread**1.5, out=np.zeros(len(spread)), where=spread > 0
        )[:, None]
        return ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))

    def summary(self) -> dict:
        """How the refits were drawn, and how many ended on the boundary."""
        return {
            "refits": len(self.replicates),
            "boundary_refits": self.boundary_refits,
            "seed": self.seed,
        }


def parametric_bootstrap(
    estimates: Estimates,
    estimated: pd.Series,
    without_subject: pd.DataFrame,
    refits: int = 10_000,
    seed: int = 1,
) -> Bootstrap:
    """Draw and refit so many data sets (Efron & Tibshirani 1993, sec. 6.5).

    Blocks of refits have random streams of their own, spawned from the seed.
    """
    form = spectrum(estimates.moments)
    children = np.random.SeedSequence(seed).spawn(-(-refits // _BLOCK))
    blocks = [
        _block(form, estimates, min(_BLOCK, refits - k * _BLOCK), np.random.default_rng(child))
        for k, child in enumerate(children)
    ]
    values = np.concatenate(blocks)
    return Bootstrap(
        estimated, pd.DataFrame(values, columns=estimated.index), without_subject, seed
    )


def _block(
    form: Spectrum, estimates: Estimates, size: int, generator: np.random.Generator
) -> np.ndarray:
    """The parameters (size, 3 + p) of refits to data drawn from one stream."""
    best, method = estimates.best, estimates.method
    f = degrees_of_freedom(form.moments, method)
    sigma2 = best.rss / f
    noise = generator.standard_normal((size, len(form.sizes)))
    noise *= np.sqrt(sigma2 * (1 + form.sizes * best.lambda_))
    left = generator.chisquare(form.left_df, (size, len(form.left_df)))
    left *= sigma2 * (1 + form.left_sizes * best.lambda_)

    s = form.sums_of_squares(noise, left)
    lambda_ = form.estimate(s, method)
    within = np.sqrt(form.rss(s, lambda_) / f)
    weight = 1 / (1 + form.sizes * lambda_[:, None])  # (B, D)
    products = (form.X[:, :, None] * form.X[:, None, :]).reshape(len(form.X), -1)
    p = form.X.shape[1]
    gamma = np.empty((size, p))
    for part in np.array_split(np.arange(size), 1 + size * p * p // _LARGEST):
        A = (weight[part] @ products).reshape(-1, p, p)
        gamma[part] = np.linalg.solve(A, ((weight[part] * noise[part]) @ form.X)[..., None])[..., 0]
    beta = (best.beta + gamma) @ estimates.T.T + estimates.coordinates.shift
    sigmas = [np.sqrt(lambda_) * within, within, lambda_ / (1 + lambda_)]
    return np.column_stack([*sigmas, beta])
