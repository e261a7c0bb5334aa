"""Do residuals and random effects look as the model says? Beside what the model itself draws.

Data sets are drawn from the fitted model and treated as the data were: fixed effects by generalised
least squares at the fitted lambda, predictions of the random effects, conditional residuals. Their
sorted values make the envelopes of quantile plots (Atkinson 1981), and the share of data sets that
look worse than the data is a Monte Carlo p value (Davison & Hinkley 1997, sec. 4.2). What shrinkage
does to residuals, it does in these data sets too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr, ndtri

from twolevel.likelihood import degrees_of_freedom
from twolevel.mixed import MixedFit

_DRAWS = 999
_MOST_NUMBERS = 4_000_000  # in all drawn responses together
_MOST_SIMULATED = 20_000  # rows; of more, the residuals are as good as independent
_MOST_POINTS = 400  # of a quantile plot
_EXTREMES = 50  # at each end, all kept
_MOST_COMPUTED = 5_000  # ranks whose envelope is computed; between them it is interpolated
_ROUNDING = 1e-12  # statistics that the design alone fixes differ by less


@dataclass(frozen=True, eq=False)
class Look:
    """One question to the data: a statistic, and how often the model draws one as large.

    p is None where nothing was simulated.
    """

    statistic: float
    p: float | None


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """What the diagnostic plots show, in numbers and in words.

    quantiles: of ("residual", "random effect"), theoretical, observed, low, high (95% envelope; the
    response's unit), thinned to 400 rows each; outside: the share of all values outside the
    envelope; by_condition: n and root mean square residual (rms) of each level, without rows where
    the study has no condition; looks: normal residuals and random effects (1 - correlation with
    normal quantiles), spread over fitted values (Spearman's correlation with the residuals' size)
    and across conditions (log ratio of the largest and the smallest rms), each only where the data
    allow it; draws: how many data sets were simulated.
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


def diagnose(fit: MixedFit, condition: str | None = None, seed: int = 1) -> Diagnostics:
    """Look at a fit's residuals and random effects, beside those of data sets it draws itself.

    `condition` names the variable between whose levels the residuals' spread is compared. Beyond
    20,000 rows nothing is simulated: values are then as good as independent, and the envelope is
    that of normal order statistics (see `_computed`).

    Raises ValueError for a condition that the formula does not have.
    """
    if condition is not None and condition not in fit.design.data:
        raise ValueError(
            f"found {condition!r}, expected a variable of the formula '{fit.design.formula}'"
        )
    N = fit.nobs
    draws = int(np.clip(_MOST_NUMBERS // N, 199, _DRAWS)) if N <= _MOST_SIMULATED else 0
    levels = (
        np.zeros(len(fit.design.response), dtype=int)
        if condition is None
        else _codes(fit, condition)
    )
    drawn = (
        _draw(fit, draws, np.random.default_rng(np.random.SeedSequence(seed))) if draws else None
    )

    data = _Values(
        fit.resid[:, None],
        fit.random_effects["random_effect"].to_numpy()[:, None],
        fit.fittedvalues[:, None],
    )
    cell = _cells(fit.fittedvalues)
    mean_squares = _mean_squares(data.resid, levels)[:, 0]
    statistics = {"residual": lambda v: _not_normal(v.resid)}
    if cell.max() > 0:
        statistics["spread"] = lambda v: _spread(v.resid, v.fitted, cell)
    if not fit.boundary and len(fit.design.subjects) > 2:
        statistics["random effect"] = lambda v: _not_normal(v.random_effects)
    fitted_exactly = mean_squares.min() <= 1e-18 * mean_squares.max()
    if levels.max() > 0 and np.bincount(levels).min() > 1 and not fitted_exactly:
        statistics["conditions"] = lambda v: _ratio(v.resid, levels)
    looks = {}
    for name, statistic in statistics.items():
        own = float(statistic(data)[0])
        p = None
        if drawn is not None:
            others = np.abs(statistic(drawn))
            p = float((1 + (others >= abs(own) - _ROUNDING).sum()) / (draws + 1))
        looks[name] = Look(own, p)

    own, effects = data.resid[:, 0], data.random_effects[:, 0]
    envelopes = _computed(fit, own, effects) if drawn is None else _simulated(drawn)
    plots = [_quantiles("residual", own, envelopes[0])]
    if not fit.boundary:
        plots.append(_quantiles("random effect", effects, envelopes[1]))
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


@dataclass(frozen=True, eq=False)
class _Values:
    """Residuals (N, m), random effects (n, m) and fitted values (N, m) of m data sets."""

    resid: np.ndarray
    random_effects: np.ndarray
    fitted: np.ndarray


def _codes(fit: MixedFit, condition: str) -> np.ndarray:
    return pd.Categorical(fit.design.data[condition], fit.design.levels(condition)).codes.astype(
        int
    )


def _cells(fitted: np.ndarray) -> np.ndarray:
    """The cell (N,) of each row: rows of one cell have the same fitted value, up to rounding."""
    step = 1e-10 * max(np.abs(fitted).max(), np.finfo(float).tiny)
    return np.unique(np.round(fitted / step), return_inverse=True)[1]


def _draw(fit: MixedFit, draws: int, generator: np.random.Generator) -> _Values:
    """Data sets from the fitted model, treated as the data were.

    With V^-1 = I - lambda / (1 + n lambda) 11' for each subject, all of it is linear in y, and
    what the fixed effects add to y is taken out again whole. Each data set is scaled to have the
    data's own sigma_within, for that was estimated from the data too.
    """
    design, lambda_ = fit.design, fit.lambda_
    n, N = len(design.subjects), len(design.response)
    y = fit.sigma_between * generator.standard_normal((n, draws))[design.codes]
    y += fit.sigma_within * generator.standard_normal((N, draws))

    cells, _, _ = design.working_columns()
    X = cells.spread(cells.X)
    order, counts = np.argsort(design.codes, kind="stable"), np.bincount(design.codes)
    starts = np.cumsum(counts) - counts

    def means(rows: np.ndarray) -> np.ndarray:
        return np.add.reduceat(rows[order], starts) / counts[:, None]

    xbar, ybar = means(X), means(y)
    weight = (lambda_ * counts**2 / (1 + counts * lambda_))[:, None]
    gamma = np.linalg.solve(X.T @ X - (weight * xbar).T @ xbar, X.T @ y - (weight * xbar).T @ ybar)
    blup = (counts * lambda_ / (1 + counts * lambda_))[:, None] * (ybar - xbar @ gamma)
    fitted = X @ gamma + blup[design.codes]
    resid = y - fitted
    rss = (resid**2).sum(axis=0)
    if lambda_ > 0:
        rss += (blup**2).sum(axis=0) / lambda_
    scale = fit.sigma_within / np.sqrt(rss / degrees_of_freedom(fit.estimates.moments, fit.method))
    fixed = design.cells.times(fit.params.to_numpy())[:, None]
    return _Values(scale * resid, scale * blup, fixed + scale * fitted)


def _normal_scores(count: int) -> np.ndarray:
    return ndtri((np.arange(count) + 0.5) / count)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlations of the columns of a (N, m) and b (N, m or 1)."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))


def _not_normal(values: np.ndarray) -> np.ndarray:
    """1 - the correlation of sorted values with normal quantiles (Filliben 1975)."""
    return 1 - _correlation(np.sort(values, axis=0), _normal_scores(len(values))[:, None])


def _spread(resid: np.ndarray, fitted: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Spearman's correlation of the residuals' size with the fitted values.

    Rows of a cell (N,) share the mean of their ranks, which rounding must not tell apart.
    """
    _, first, size = np.unique(cell, return_index=True, return_counts=True)
    order = np.argsort(fitted[first], axis=0)
    sizes = size[order]
    rank = np.empty(order.shape)
    np.put_along_axis(rank, order, np.cumsum(sizes, axis=0) - (sizes - 1) / 2, axis=0)
    by_size = np.argsort(np.abs(resid), axis=0)
    along = np.take_along_axis(rank[cell], by_size, axis=0)
    return _correlation(along, np.arange(len(resid), dtype=float)[:, None])


def _mean_squares(resid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Mean squared residuals (J, m) of each level."""
    order, counts = np.argsort(levels, kind="stable"), np.bincount(levels)
    return np.add.reduceat(resid[order] ** 2, np.cumsum(counts) - counts) / counts[:, None]


def _ratio(resid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """log of the largest over the smallest root mean square residual of a level."""
    squares = _mean_squares(resid, levels)
    with np.errstate(divide="ignore"):  # a level fitted exactly has no spread at all
        return 0.5 * (np.log(squares.max(axis=0)) - np.log(squares.min(axis=0)))


def _simulated(drawn: _Values) -> list[tuple[np.ndarray, np.ndarray]]:
    """The envelopes (low, high) of sorted residuals and random effects."""
    return [
        tuple(np.quantile(np.sort(values, axis=0), (0.025, 0.975), axis=1))
        for values in (drawn.resid, drawn.random_effects)
    ]


def _computed(
    fit: MixedFit, resid: np.ndarray, effects: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same from F(x_(k)) ~ Beta(k, N - k + 1) (David & Nagaraja 2003, sec. 2.1).

    F is normal with the sample's root mean square, or the mixture of such distributions that
    subjects with different numbers of observations make: a residual has the variance
    sigma_w^2 (1 - lambda / (1 + n lambda)), a random effect sigma_b^2 n lambda / (1 + n lambda).
    As the root mean square is estimated, fewer than 5 % of the values lie outside on average.
    """
    n, subjects = np.unique(fit.random_effects["n"], return_counts=True)
    shrunk = fit.lambda_ / (1 + fit.lambda_ * n)
    envelopes = []
    for values, variance, weight in (
        (resid, 1 - shrunk, n * subjects),
        (effects, n * shrunk, subjects),
    ):
        if not values.any():
            envelopes.append((values, values))
            continue
        sd = np.sqrt(np.mean(values**2) * variance / np.average(variance, weights=weight))
        x = np.linspace(-9, 9, 3601) * sd.max()
        F = ndtr(x[:, None] / sd) @ (weight / weight.sum())
        N = len(values)
        at = _thinned(N, _MOST_COMPUTED)
        ends = (betaincinv(at + 1, N - at, tail) for tail in (0.025, 0.975))
        every = np.arange(N)
        envelopes.append(tuple(np.interp(every, at, np.interp(end, F, x)) for end in ends))
    return envelopes


def _quantiles(
    of: str, values: np.ndarray, envelope: tuple[np.ndarray, np.ndarray]
) -> tuple[pd.DataFrame, float]:
    """The points and envelope of a quantile plot, and the share of all values outside of it."""
    N, observed, (low, high) = len(values), np.sort(values), envelope
    outside = float(np.mean((observed < low) | (observed > high)))
    kept = _thinned(N, _MOST_POINTS)
    table = {"theoretical": _normal_scores(N), "observed": observed, "low": low, "high": high}
    return pd.DataFrame({key: column[kept] for key, column in table.items()}).assign(of=of), outside


def _thinned(count: int, most: int) -> np.ndarray:
    """At most so many of the positions 0..count-1, evenly spread, and all at both ends."""
    if count <= most:
        return np.arange(count)
    ends = np.arange(_EXTREMES)
    middle = np.linspace(_EXTREMES, count - 1 - _EXTREMES, most - 2 * _EXTREMES)
    return np.unique(np.concatenate([ends, middle.round().astype(int), count - 1 - ends]))
