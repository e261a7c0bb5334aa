"""Data sets drawn from a fitted model and treated as the data were, to compare them with.

What is drawn depends on the data alone and not on the order of the table's rows: normal numbers go
to the rows as these are sorted by subject, by the formula's variables and by the response. Fitted
values are kept without their mean, so that a response far from 0 loses no digits of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.mixed import MixedFit
from twolevel.random.own_levels import OwnLevels
from twolevel.random.random_columns import TermColumns
from twolevel.random.random_part import INTERCEPT

# What the subjects' own intercepts are called; other effects have their names after it.
RANDOM_EFFECT = "random effect"

_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Values:
    """Residuals (N, m), random effects and fitted values (N, m) of m data sets.

    random_effects are apart by what they are of (see `samples_of`), (levels, m) each. The fitted
    values are less the mean of what the fixed effects predict.
    """

    resid: np.ndarray
    random_effects: dict[str, np.ndarray]
    fitted: np.ndarray


def values_of(fit: MixedFit) -> Values:
    """Those of the data themselves: m is 1."""
    effects = fit.estimates.unit * fit.estimates.random_effects.effect
    own = fit.random_columns.times(effects[fit.design.positions], fit.design.codes)
    fitted = _fixed_part(fit) + own
    return Values(fit.resid[:, None], samples_of(fit, effects[..., None]), fitted[:, None])


def redraw(fit: MixedFit, draws: int, generator: np.random.Generator) -> Values:
    """Data sets from the fitted model, treated as the data were.

    All of it is linear in y, and what the fixed effects add to y is taken out again whole. Each
    data set is scaled to have the data's own sigma_within, which was estimated from the data too.
    """
    design, likelihood = fit.design, fit.estimates.likelihood
    n, N = len(design.subjects), len(design.response)
    subject_place, row_place = places(design)
    normal = generator.standard_normal((n, likelihood.n_effects, draws))[subject_place]
    for each, place in zip(fit.random_columns.terms, fit.random_columns.places, strict=True):
        if each.source is not None and each.source.own is not None:
            ranks = _level_ranks(each.source.own, fit)  # (n, m)
            at = place[ranks].reshape(n, -1)
            normal[:, place.ravel()] = np.take_along_axis(normal, at[..., None], axis=1)
    y = likelihood.random_part(fit.estimates.best, design, normal)
    y += generator.standard_normal((N, draws))[row_place]
    y *= fit.sigma_within

    of = likelihood.smoothed(fit.estimates.best, design, y)
    scale = fit.sigma_within / np.sqrt(of.rss / likelihood.degrees_of_freedom)
    fixed = _fixed_part(fit)[:, None]
    effects = samples_of(fit, scale * of.effects)
    return Values(scale * (y - of.fitted), effects, fixed + scale * of.fitted)


def samples_of(fit: MixedFit, effects: np.ndarray) -> dict[str, np.ndarray]:
    """Effects (n, Q, m) of the working columns, apart by what they are of: (levels, m) each.

    "random effect" are the subjects' intercepts, beside slopes those at the number's mean; slopes
    are per unit of the number.
    """
    found = {}
    for name, (each, columns, unit) in effect_columns(fit).items():
        if each.levels is None:
            found[name] = unit * effects[:, columns[0]]
            continue
        m = len(columns)
        occurring = np.unique(fit.design.positions[fit.design.codes] * m + each.levels)
        found[name] = unit * effects[occurring // m, columns[occurring % m]]
    return found


def effect_columns(fit: MixedFit) -> dict[str, tuple[TermColumns, np.ndarray, float]]:
    """A fit's effects by name, each with its term, its columns by level (m,) and their unit."""
    found = {}
    for each, place in zip(fit.random_columns.terms, fit.random_columns.places, strict=True):
        nested = "" if each.levels is None else ":".join(each.term.grouping)
        for k, effect in enumerate(each.term.effects):
            of = [part for part in (nested, effect) if part not in ("", INTERCEPT)]
            name = ": ".join([RANDOM_EFFECT, *of])
            found[name] = each, place[:, k], float(each.back[k, k])
    return found


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


def _level_ranks(own: OwnLevels, fit: MixedFit) -> np.ndarray:
    """Where each subject's levels (n, m) stand when they are sorted by name; a rest stays."""
    subjects, levels, index = own.every(fit.design.all_subjects)
    names = [_ranks_of_names(index.get_level_values(k)) for k in range(1, index.nlevels)]
    order = np.lexsort((*names[::-1], subjects))
    first = np.searchsorted(subjects[order], subjects[order])
    ranks = np.tile(np.arange(own.most), (len(fit.design.all_subjects), 1))
    ranks[subjects[order], levels[order]] = np.arange(len(order)) - first
    return ranks


def _ranks_of_names(values: pd.Index) -> np.ndarray:
    """The ranks of names (k,), equal ones with the same."""
    return np.unique(values.astype(str).to_numpy(), return_inverse=True)[1]


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
