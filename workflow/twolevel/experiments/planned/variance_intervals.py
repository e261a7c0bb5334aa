"""Intervals of variances and correlations that cost next to nothing, for every fit of a batch.

A variance v with the variance s of its estimate is taken for a multiple of chi-square with
2 v^2 / s degrees of freedom (Satterthwaite 1946), a correlation's Fisher transform for normal, by
the delta method; s is from the expected information of REML. An estimate too close to 0 to be told
from it, v < z sqrt(s), has 0 for its lower end, and one of exactly 0 has z sqrt(s) for its upper
one. An estimated correlation of 1 or -1 says nothing: its interval is from -1 to 1.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from twolevel.experiments.planned.planned_fits import PlannedFits


def variance_intervals(
    fits: PlannedFits, level: float
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Estimate, low and high (B,) of each of a study's variances and correlations, by name.

    Those of the effects as the formula has them; variances in units of sigma_w^2.
    """
    study, layout = fits.study, fits.layout
    whole = fits.kenward_roger.cov_variances  # of sigma_w^2 psi, and of sigma_w^2
    gamma = np.concatenate([fits.psi * fits.sigma2, fits.sigma2[None]])
    found = {}
    for name, each in study.parameters.items():
        back, part = study.random.terms[each.term].back, layout.parts[each.term]
        (rows, row) = _entries(back, each.effects, part, len(gamma))
        estimate = row @ gamma
        if each.is_deviation:
            found[name] = estimate, *_chi_square(estimate, _along(row, whole), level)
            continue
        one, other = (own @ gamma for own in rows)
        product = np.sqrt(one * other)
        r = np.clip(_ratio(estimate, product), -1.0, 1.0)
        slope = _ratio(row[:, None], product) - r * (
            _ratio(rows[0][:, None], 2 * one) + _ratio(rows[1][:, None], 2 * other)
        )
        variance = np.einsum("sb,stb,tb->b", slope, whole, slope)
        found[name] = r, *_fisher(r, variance, level)
    last = np.eye(len(gamma))[-1]
    low, high = _chi_square(fits.sigma2, _along(last, whole), level)
    return found | {"within_variance": (fits.sigma2, low, high)}


def _entries(
    back: np.ndarray, effects: tuple[int, ...], part: slice, size: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """What makes (size,) of all variances those of some effects, and their covariance, or variance.

    The formula's effects are `back` times the working ones.
    """
    columns, rows = np.triu_indices(len(back))

    def covariance(i: int, j: int) -> np.ndarray:
        both = np.outer(back[i], back[j])
        both = both + both.T
        entries = both[rows, columns] / np.where(rows == columns, 2.0, 1.0)
        whole = np.zeros(size)
        whole[part] = entries
        return whole

    return [covariance(k, k) for k in effects], covariance(effects[0], effects[-1])


def _along(row: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.einsum("s,stb,t->b", row, whole, row)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and NaN where b is 0."""
    a, b = np.broadcast_arrays(a, b)
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)


def _chi_square(v: np.ndarray, s: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    tail = (1 - level) / 2
    wald = -special.ndtri(tail) * np.sqrt(s)
    df = np.where(v > 0, 2 * v**2 / s, 1.0)
    with np.errstate(divide="ignore", over="ignore"):  # of very few df, without end
        lower = df * v / special.chdtri(df, tail)
        upper = df * v / special.chdtri(df, 1 - tail)
    return np.where(v < wald, 0.0, lower), np.where(v > 0, upper, wald)


def _fisher(r: np.ndarray, s: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    inside = np.abs(r) < 1
    r = np.where(inside, r, 0.0)
    half = -special.ndtri((1 - level) / 2) * np.sqrt(np.maximum(s, 0.0)) / (1 - r**2)
    half = np.where(inside, half, np.inf)
    return np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
