"""Quantile plots: sorted values, and envelopes of where each would lie if the model were right."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr, ndtri

from twolevel.levels.checks.redrawn import Values
from twolevel.mixed import MixedFit
from twolevel.text.confidence import alpha

_MOST_POINTS = 400  # of a quantile plot
_EXTREMES = 50  # at each end, all kept
_MOST_COMPUTED = 5_000  # ranks whose envelope is computed; between them it is interpolated


def normal_scores(count: int) -> np.ndarray:
    """The normal quantiles (count,) against which sorted values are plotted."""
    return ndtri((np.arange(count) + 0.5) / count)


def simulated_envelopes(drawn: Values, level: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """The envelopes (low, high) of sorted residuals and random effects, each value's at a level."""
    return [
        tuple(np.quantile(np.sort(values, axis=0), _tails(level), axis=1))
        for values in (drawn.resid, drawn.random_effects)
    ]


def computed_envelopes(
    fit: MixedFit, resid: np.ndarray, effects: np.ndarray, level: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same from F(x_(k)) ~ Beta(k, N - k + 1) (David & Nagaraja 2003, sec. 2.1).

    F is normal with the sample's root mean square, or the mixture of such distributions that
    subjects with different numbers of observations make (see `random_effects.Spread`).
    As the root mean square is estimated, fewer values lie outside on average than
    the level leaves.
    """
    of = fit.estimates.likelihood.spreads(fit.estimates.best)
    envelopes = []
    for values, spread in ((resid, of.residual), (effects, of.effects[0])):
        variance, weight = spread.variance, spread.weight
        if not values.any():
            envelopes.append((values, values))
            continue
        sd = np.sqrt(np.mean(values**2) * variance / np.average(variance, weights=weight))
        x = np.linspace(-9, 9, 3601) * sd.max()
        F = ndtr(x[:, None] / sd) @ (weight / weight.sum())
        N = len(values)
        at = _thinned(N, _MOST_COMPUTED)
        ends = (betaincinv(at + 1, N - at, tail) for tail in _tails(level))
        every = np.arange(N)
        envelopes.append(tuple(np.interp(every, at, np.interp(end, F, x)) for end in ends))
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
