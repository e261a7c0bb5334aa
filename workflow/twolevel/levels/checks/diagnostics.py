"""Do residuals and random effects look as the model says, compared with what it draws itself?

Data sets are drawn from the fitted model and treated as the data were: fixed effects by generalised
least squares at the fitted lambda, predictions of the random effects, conditional residuals. Their
sorted values make the envelopes of quantile plots (Atkinson 1981), and the share of data sets that
look worse than the data is a Monte Carlo p value (Davison & Hinkley 1997, sec. 4.2). What shrinkage
does to residuals, it does in these data sets too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from twolevel.levels.checks.envelopes import (
    computed_envelopes,
    normal_scores,
    quantile_plot,
    simulated_envelopes,
)
from twolevel.levels.checks.redrawn import Values, redraw, rounding_of, values_of
from twolevel.levels.checks.serial_correlation import alike, series
from twolevel.mixed import MixedFit
from twolevel.text.confidence import LEVEL, alpha

_DRAWS = 999
_MOST_NUMBERS = 4_000_000  # in all drawn responses together
_MOST_SIMULATED = 20_000  # rows; of more, the residuals are as good as independent
_ROUNDING = 1e-12  # statistics that the design alone fixes differ by less

# Rows of a subject from which neighbours are compared: with fewer, the fit fixes the answer.
IN_SERIES = {"neighbours": 3, "neighbours around lines": 4}


@dataclass(frozen=True, eq=False)
class Look:
    """One question to the data: a statistic, and how often the model draws one as large.

    expected is its mean in what the model draws; it and p are None where nothing was simulated.
    """

    statistic: float
    p: float | None
    expected: float | None = None

    def clear(self, level: float) -> bool:
        """Whether it is more than chance, at one less the level."""
        return self.p is not None and self.p < alpha(level)


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """What the diagnostic plots show, in numbers and in words.

    quantiles: of ("residual", or the name of a random effect in `redrawn.samples_of`), theoretical,
    observed, low, high (the envelope; in the effect's unit), thinned to 400 rows each; outside: the
    share of all values outside the envelope; by_condition: n and root mean square residual (rms) of
    each level, without rows where the study has no condition; looks: normal residuals and random
    effects (1 - correlation with normal quantiles), spread over fitted values (Spearman's
    correlation with the residuals' size) and across conditions (log ratio of the largest and the
    smallest rms), neighbours and neighbours around lines (lag-1 autocorrelations in the order of
    the condition, see `neighbours`; only positive ones count), each only where the data allow it;
    draws: how many data sets were drawn.
    """

    quantiles: pd.DataFrame
    outside: dict[str, float]
    by_condition: pd.DataFrame
    looks: dict[str, Look]
    draws: int

    def summary(self) -> dict:
        """Everything but the quantiles as plain values, for JSON."""
        return {
            "draws": self.draws,
            "outside": self.outside,
            "by_condition": self.by_condition,
            "looks": {name: vars(look) for name, look in self.looks.items()},
        }


def diagnose(
    fit: MixedFit, condition: str | None = None, seed: int = 1, level: float = LEVEL
) -> Diagnostics:
    """Look at a fit's residuals and random effects, compared with those of data it draws itself.

    `condition` names the variable between whose levels the residuals' spread is compared; `level`
    is the share of its values that an envelope holds of each rank, if the model is right. Beyond
    20,000 rows, and of a table in shards, nothing is simulated: values are then as good as
    independent, and the envelope is that of normal order statistics (see `envelopes`).

    Raises ValueError for a condition that the formula does not have.
    """
    if condition is not None and condition not in fit.design.data:
        raise ValueError(
            f"found {condition!r}, expected a variable of the formula '{fit.design.formula}'"
        )
    N, few = fit.nobs, fit.nobs <= _MOST_SIMULATED and fit.design.whole is None
    draws = int(np.clip(_MOST_NUMBERS // N, 199, _DRAWS)) if few else 0
    levels = (
        np.zeros(len(fit.design.response), dtype=int)
        if condition is None
        else _codes(fit, condition)
    )
    data, drawn = values_of(fit), None
    if draws:
        drawn = redraw(fit, draws, np.random.default_rng(np.random.SeedSequence(seed)))
    mean_squares = _mean_squares(data.resid, levels)[:, 0]
    # The digits that a response far from 0 leaves to what is computed from it.
    magnitude = float(np.abs(fit.design.response).max())
    lost = np.finfo(float).eps * magnitude / max(fit.sigma_within, np.finfo(float).tiny)
    looks = {}
    for name, statistic in _statistics(fit, condition, levels, mean_squares, magnitude).items():
        found, p, expected = float(statistic(data)[0]), None, None
        if drawn is not None:
            others = statistic(drawn)
            expected = float(others.mean())
            as_large = others - found if name in IN_SERIES else np.abs(others) - abs(found)
            p = float((1 + (as_large >= -max(_ROUNDING, lost)).sum()) / (draws + 1))
        looks[name] = Look(found, p, expected)

    samples = {"residual": data.resid[:, 0]}
    samples |= {name: values[:, 0] for name, values in _varying(data).items()}
    envelopes = (
        computed_envelopes(fit, samples, level)
        if drawn is None
        else simulated_envelopes(drawn, level)
    )
    plots = [quantile_plot(name, values, envelopes[name]) for name, values in samples.items()]
    rms = np.sqrt(mean_squares)
    names = [] if condition is None else fit.design.levels(condition)
    return Diagnostics(
        quantiles=pd.concat([table for table, _ in plots], ignore_index=True),
        outside={table["of"].iloc[0]: share for table, share in plots},
        by_condition=pd.DataFrame(
            {"condition": names, "n": np.bincount(levels)[: len(names)], "rms": rms[: len(names)]}
        ),
        looks=looks,
        draws=draws,
    )


def _statistics(
    fit: MixedFit,
    condition: str | None,
    levels: np.ndarray,
    mean_squares: np.ndarray,
    magnitude: float,
) -> dict[str, Callable[[Values], np.ndarray]]:
    """The statistics (m,) of m data sets that these data allow, by the names of `Diagnostics`."""
    fitted = values_of(fit).fitted
    rounding = rounding_of(fitted, magnitude)
    statistics = {"residual": lambda v: _not_normal(v.resid)}
    if np.ptp(fitted) > rounding:
        statistics["spread"] = lambda v: _spread(v, rounding)
    for name, values in _varying(values_of(fit)).items():
        if len(values) > 2:
            statistics[name] = partial(_effects_not_normal, name=name)
    fitted_exactly = mean_squares.min() <= 1e-18 * mean_squares.max()
    if levels.max() > 0 and np.bincount(levels).min() > 1 and not fitted_exactly:
        statistics["conditions"] = lambda v: _ratio(v.resid, levels)
    rows = series(fit.design, condition)
    if rows is not None and rows.longest >= IN_SERIES["neighbours"]:
        statistics["neighbours"] = lambda v: alike(v.resid, rows, lines=False)
    if rows is not None and rows.longest >= IN_SERIES["neighbours around lines"]:
        statistics["neighbours around lines"] = lambda v: alike(v.resid, rows, lines=True)
    return statistics


def _varying(data: Values) -> dict[str, np.ndarray]:
    """The random effects that are not all 0, as those of a variance estimated as 0 are."""
    return {name: values for name, values in data.random_effects.items() if values.any()}


def _codes(fit: MixedFit, condition: str) -> np.ndarray:
    return pd.Categorical(fit.design.data[condition], fit.design.levels(condition)).codes.astype(
        int
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlations of the columns of a (N, m) and b (N, m or 1)."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))


def _not_normal(values: np.ndarray) -> np.ndarray:
    """1 - the correlation of sorted values with normal quantiles (Filliben 1975)."""
    return 1 - _correlation(np.sort(values, axis=0), normal_scores(len(values))[:, None])


def _effects_not_normal(values: Values, name: str) -> np.ndarray:
    return _not_normal(values.random_effects[name])


def _spread(values: Values, rounding: float) -> np.ndarray:
    """Spearman's correlation (m,) of the residuals' size with the fitted values.

    What differs by no more than rounding is tied.
    """
    sizes = np.abs(values.resid)
    return _correlation(_ranks(sizes, rounding), _ranks(values.fitted, rounding))


def _ranks(values: np.ndarray, rounding: float) -> np.ndarray:
    """Ranks in each column of values (N, m), the mean of theirs for those that are tied."""
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    place = np.arange(len(values), dtype=float)[:, None]
    apart = np.diff(ordered, axis=0) > rounding  # (N - 1, m)
    edge = np.ones((1, values.shape[1]), dtype=bool)
    first = np.maximum.accumulate(np.where(np.vstack([edge, apart]), place, 0), axis=0)
    last = np.where(np.vstack([apart, edge]), place, len(values))[::-1]
    last = np.minimum.accumulate(last, axis=0)[::-1]
    ranks = np.empty_like(values)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=0)
    return ranks


def _mean_squares(resid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Mean squared residuals (J, m) of each level."""
    order, counts = np.argsort(levels, kind="stable"), np.bincount(levels)
    return np.add.reduceat(resid[order] ** 2, np.cumsum(counts) - counts) / counts[:, None]


def _ratio(resid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """log of the largest over the smallest root mean square residual of a level."""
    squares = _mean_squares(resid, levels)
    with np.errstate(divide="ignore"):  # a level fitted exactly has no spread at all
        return 0.5 * (np.log(squares.max(axis=0)) - np.log(squares.min(axis=0)))
