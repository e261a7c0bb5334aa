"""Data sets drawn from a fitted model and treated as the data were, to compare them with.

What is drawn depends on the data alone and not on the order of the table's rows: normal numbers go
to the rows as these are sorted by subject, by the formula's variables and by the response. Fitted
values are kept without their mean, so that a response far from 0 loses no digits of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.mixed import MixedFit

_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Values:
    """Residuals (N, m), random effects (n, m) and fitted values (N, m) of m data sets.

    The fitted values are less the mean of what the fixed effects predict.
    """

    resid: np.ndarray
    random_effects: np.ndarray
    fitted: np.ndarray


def values_of(fit: MixedFit) -> Values:
    """Those of the data themselves: m is 1."""
    effects = fit.random_effects["random_effect"].to_numpy()
    fitted = _fixed_part(fit) + effects[fit.design.positions][fit.design.codes]
    return Values(fit.resid[:, None], effects[:, None], fitted[:, None])


def redraw(fit: MixedFit, draws: int, generator: np.random.Generator) -> Values:
    """Data sets from the fitted model, treated as the data were.

    All of it is linear in y, and what the fixed effects add to y is taken out again whole. Each
    data set is scaled to have the data's own sigma_within, which was estimated from the data too.
    """
    design, likelihood = fit.design, fit.estimates.likelihood
    n, N = len(design.subjects), len(design.response)
    subject_place, row_place = places(design)
    normal = generator.standard_normal((n, likelihood.n_effects, draws))[subject_place]
    y = likelihood.random_part(fit.estimates.best, design, normal)
    y += generator.standard_normal((N, draws))[row_place]
    y *= fit.sigma_within

    of = likelihood.smoothed(fit.estimates.best, design, y)
    scale = fit.sigma_within / np.sqrt(of.rss / likelihood.degrees_of_freedom)
    fixed = _fixed_part(fit)[:, None]
    return Values(scale * (y - of.fitted), scale * of.effects[:, 0], fixed + scale * of.fitted)


def places(design: DesignMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Where each subject (n,) and each row (N,) stands when they are sorted, whatever their order.

    Rows are sorted by subject, then by the variables by name, then by the response; subjects and
    levels of factors by their names.
    """
    subject = _ranks(design.subjects.astype(str).to_numpy())
    keys = [subject[design.codes]]
    for name in sorted(design.data):
        values = design.data[name]
        if design.is_factor(name):
            levels = np.array([str(level) for level in values.cat.categories])
            keys.append(_ranks(levels)[values.cat.codes])
        else:
            keys.append(values.to_numpy(dtype=float))
    row = np.empty(len(design.response), dtype=np.intp)
    row[np.lexsort((design.response, *keys[::-1]))] = np.arange(len(row))
    return subject, row


def rounding_of(values: np.ndarray, magnitude: float) -> float:
    """By how much equal ones among `values` may differ, computed from numbers of a magnitude."""
    return max(1e-10 * float(np.ptp(values)), 8 * _EPS * magnitude)


def _fixed_part(fit: MixedFit) -> np.ndarray:
    """What the fixed effects predict of each row (N,), less its mean."""
    cells = fit.design.cells
    rows = cells.X - np.average(cells.X, axis=0, weights=cells.weights)
    return cells.spread(rows @ fit.params.to_numpy())


def _ranks(names: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(names, kind="stable"), kind="stable")
