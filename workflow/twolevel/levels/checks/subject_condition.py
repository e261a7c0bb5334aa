"""Do subjects differ in what the condition does to them? Replicated cells can tell.

With several observations in a cell (one subject under one level), the scatter within cells is
error alone. What the additive model (a mean per subject, effects that all share) leaves beyond it
is the variance of the subjects' own effects,

    y_ijk = mu_i + alpha_j + (S alpha)_ij + eta_ijk,   (S alpha)_ij ~ N(0, sigma_sc^2),

by the identity of the ANOVA: E(MS_SC) = sigma_w^2 + k sigma_sc^2 (Searle, Casella & McCulloch
1992, sec. 5.3; with unequal cells, Henderson's method III).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from twolevel.design.formula import parse
from twolevel.design.identifiability import residual_sum
from twolevel.design.moments import independent_columns
from twolevel.mixed import MixedFit, fit_design, fit_mixed
from twolevel.numeric.tails import f_upper
from twolevel.random.random_part import RandomPart
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class SubjectCondition:
    """The variance of subjects' own effects of the condition, and its exact test.

    variance estimates sigma_sc^2 and may be negative; F = ms_interaction / ms_cells has df_num and
    df_den degrees of freedom where sigma_sc = 0. per_cell is k, the number of observations in a
    cell where these are equal. tests are the mixed model's F tests of the terms on the means of
    cells, whose error holds the subjects' own effects.
    """

    variance: float
    ms_interaction: float
    ms_cells: float
    per_cell: float
    F: float
    df_num: int
    df_den: int
    p: float
    tests: pd.DataFrame

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {**vars(self), "sigma": float(np.sqrt(max(self.variance, 0.0)))}


def subject_condition(fit: MixedFit, condition: str | None) -> SubjectCondition | None:
    """Look for effects of subjects' own in a fit whose formula has `condition` (N rows).

    None where the model has more of subjects' own than an intercept, and where the design cannot
    tell: no condition, no replicated cells, variables that differ
    within a cell, or a condition that is a number, where what its cells show beyond the formula's
    curve may be that all subjects share another (see `own_slopes`). Of a table in shards, their
    sample is looked at.
    """
    if condition is None or fit.design.is_numeric(condition):
        return None
    if fit.random_part != RandomPart.intercept(fit.design.subject):
        return None
    if fit.design.whole is not None:
        fit = fit_design(replace(fit.design, whole=None), fit.random_columns, fit.method)
    design, N, n, p = fit.design, fit.nobs, len(fit.design.subjects), len(fit.params)
    levels, place = np.unique(pd.factorize(design.data[condition])[0], return_inverse=True)
    _, first, cell, sizes = np.unique(
        design.codes * len(levels) + place,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    rows = design.cells.X if design.cells.codes is None else design.cells.codes
    if (rows != rows[first][cell]).any():
        return None

    subjects = design.working_moments()[0]
    within = subjects.within
    norms = np.diag(fit.estimates.likelihood.total)[:p]
    varying = independent_columns(within[:p, :p], np.diag(within)[:p] + 1e-13 * norms)
    ss_additive, inverse, _ = residual_sum(within, varying)
    df_den = N - len(first)
    df_num = len(first) - n - len(varying)
    if df_num < 1 or df_den < 1:
        return None
    unit = fit.estimates.unit
    residual = fit.resid / unit
    deviation = residual - (np.bincount(cell, residual) / sizes)[cell]
    ss_cells = float(deviation @ deviation)
    if not ss_cells > 0:
        return None

    # The trace of Z'MZ: Z the cells, M the residual projection of the additive model.
    X = design.cells.at(first) @ fit.estimates.coordinates.T
    subject = design.codes[first]
    apart = (X - subjects.means[subject, :p])[:, varying]
    leverage = 1 / subjects.counts[subject] + np.einsum("ck,kl,cl->c", apart, inverse, apart)
    per_cell = float(np.sum(sizes - sizes**2 * leverage)) / df_num

    ms_interaction, ms_cells = (ss_additive - ss_cells) / df_num, ss_cells / df_den
    F = ms_interaction / ms_cells
    return SubjectCondition(
        variance=unit**2 * (ms_interaction - ms_cells) / per_cell,
        ms_interaction=unit**2 * ms_interaction,
        ms_cells=unit**2 * ms_cells,
        per_cell=per_cell,
        F=F,
        df_num=df_num,
        df_den=df_den,
        p=float(f_upper(F, df_num, df_den)),
        tests=_tests_on_cell_means(fit, first, cell),
    )


def _tests_on_cell_means(fit: MixedFit, first: np.ndarray, cell: np.ndarray) -> pd.DataFrame:
    """The mixed model's F tests of terms when every cell's observations are their mean."""
    design = fit.design
    response = parse(design.formula).response
    means = design.response.mean() + np.bincount(
        cell, design.response - design.response.mean()
    ) / np.bincount(cell)
    table = design.data.iloc[first].reset_index(drop=True).assign(**{response: means})
    name = "subject" + "_" * len(design.data.columns)
    try:
        return fit_mixed(design.formula, table.assign(**{name: design.codes[first]}), name).anova()
    except InputError:  # too few cells for the model, which the observations themselves allow
        return pd.DataFrame(columns=["F", "df_num", "df_den", "p"])
