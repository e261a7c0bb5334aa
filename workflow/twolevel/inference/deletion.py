"""Every subject left out in turn: exact refits, and Cook's distances.

A likelihood is fitted without each subject from its sums (see `downdate`); only where these do not
suffice is the model fitted to the others' rows. Cook's distance of a subject is that of its whole
group of observations (Demidenko & Stukel 2005; as `cooks.distance(influence(fit, "subject"))` in
lme4).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.inference.wald import Estimates
from twolevel.model.likelihood import Method
from twolevel.text.errors import InputError


def leave_one_out(
    design: DesignMatrix,
    estimates: Estimates,
    refit: Callable[[DesignMatrix, Method], tuple[pd.Series, np.ndarray]],
) -> tuple[pd.DataFrame, np.ndarray]:
    """sigma_between, sigma_within and icc without each subject (n rows), and beta (n, p).

    Coefficients of the design's columns stand less the coordinates' shift, in which an offset of
    the response would take their digits.
    By the method of the fit; `refit` gives the same of one design. A row is NaN where the model
    cannot be fitted without the subject: a column of the model would be lost, or no variation
    within subjects or between them be left.
    Of a table in shards there are rows for subjects of which the sample has all observations, and
    no refits from rows.
    """
    subjects, here = design.subjects, np.ones(len(design.subjects), dtype=bool)
    if design.whole is not None:
        here = design.subject_rows.counts == design.whole.moments.counts[design.positions]
        subjects = subjects[here]
    left, coordinates = (
        estimates.likelihood.without_each(estimates.best, design, here),
        estimates.coordinates,
    )
    columns = {
        "sigma_between": coordinates.unit * left.sigma_between,
        "sigma_within": coordinates.unit * left.sigma_within,
        "icc": left.icc,
    }
    found = pd.DataFrame(columns, index=subjects)
    beta = coordinates.unit * (left.gamma @ coordinates.T.T)
    for position in np.flatnonzero(left.alone) if design.whole is None else ():
        try:
            variances, params = refit(design.without(position), estimates.likelihood.method)
        except InputError:  # there is no fit, which NaN says
            continue
        found.iloc[position], beta[position] = variances, params - coordinates.shift
    return found, beta


def cooks_distance(changes: np.ndarray, cov_params: np.ndarray) -> np.ndarray:
    """(beta_-i - beta)' C^-1 (beta_-i - beta) / p, C the covariance of beta with all subjects.

    For changes (n, p) of the coefficients and C (p, p), in one unit.
    """
    scaled = np.linalg.solve(cov_params, changes.T).T
    return np.einsum("np,np->n", changes, scaled) / len(cov_params)
