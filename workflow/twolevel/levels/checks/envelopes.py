"""Quantile plots: sorted values, and envelopes of where each would lie if the model were right."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr, ndtri

from twolevel.levels.checks.redrawn import Values, effect_columns
from twolevel.mixed import MixedFit
from twolevel.text.confidence import alpha

# The ends (low, high) between which each of the sorted values would lie.
Envelope = tuple[np.ndarray, np.ndarray]

_MOST_POINTS = 400  # of a quantile plot
_EXTREMES = 50  # at each end, all kept
_MOST_COMPUTED = 5_000  # ranks whose envelope is computed; between them it is interpolated


def normal_scores(count: int) -> np.ndarray:
    """The normal quantiles (count,) against which sorted values are plotted."""
    return ndtri((np.arange(count) + 0.5) / count)


def simulated_envelopes(drawn: Values, level: float) -> dict[str, Envelope]:
    """The envelopes of sorted residuals and random effects, each value's at a level."""
    return {
        name: tuple(np.quantile(np.sort(values, axis=0), _tails(level), axis=1))
        for name, values in ({"residual": drawn.resid} | drawn.random_effects).items()
    }


def computed_envelopes(
    fit: MixedFit, samples: dict[str, np.ndarray], level: float
) -> dict[str, Envelope]:
    """The same of samples by name, from F(x_(k)) ~ Beta(k, N - k + 1).

    (David & Nagaraja 2003, sec. 2.1.)

    F is normal with the sample's root mean square, or the mixture of such distributions that
    subjects with different numbers of observations make (see `random_effects.Spread`).
    As the root mean square is estimated, fewer values lie outside on average than
    the level leaves.
    """
    of = fit.estimates.likelihood.spreads(fit.estimates.best)
    spreads = {"residual": [of.residual]}
    for name, (_, columns, _) in effect_columns(fit).items():
        spreads[name] = [of.effects[column] for column in columns]
    envelopes: dict[str, Envelope] = {}
    for name, values in samples.items():
        variance = np.concatenate([spread.variance for spread in spreads[name]])
        weight = np.concatenate([spread.weight for spread in spreads[name]])
        sd = np.sqrt(np.mean(values**2) * variance / np.average(variance, weights=weight))
        x = np.linspace(-9, 9, 3601) * sd.max()
        F = ndtr(x[:, None] / sd) @ (weight / weight.sum())
        N = len(values)
        at = _thinned(N, _MOST_COMPUTED)
        ends = (betaincinv(at + 1, N - at, tail) for tail in _tails(level))
        every = np.arange(N)
        low, high = (np.interp(every, at, np.interp(end, F, x)) for end in ends)
        envelopes[name] = low, high
    return envelopes


def _tails(level: float) -> tuple[float, float]:
    tail = alpha(level) / 2
    return tail, 1 - tail


def quantile_plot(
    of: str, values: np.ndarray, envelope: tuple[np.ndarray, np.ndarray]
) -> tuple[pd.DataFrame, float]:
    """The points and envelope of a quantile plot, and the share of all values outside of it."""
    N, observed, (low, high) = len(values), np.sort(values), envelope
    outside = float(np.mean((observed < low) | (observed > high)))
    kept = _thinned(N, _MOST_POINTS)
    table = {"theoretical": normal_scores(N), "observed": observed, "low": low, "high": high}
    return pd.DataFrame({key: column[kept] for key, column in table.items()}).assign(of=of), outside


def _thinned(count: int, most: int) -> np.ndarray:
    """At most so many of the positions 0..count-1, evenly spread, and all at both ends."""
    if count <= most:
        return np.arange(count)
    ends = np.arange(_EXTREMES)
    middle = np.linspace(_EXTREMES, count - 1 - _EXTREMES, most - 2 * _EXTREMES)
    return np.unique(np.concatenate([ends, middle.round().astype(int), count - 1 - ends]))
