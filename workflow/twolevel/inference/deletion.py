"""Every subject left out in turn: exact refits, and Cook's distances.

A likelihood is fitted without each subject from its sums (see `downdate`); only where these do not
suffice is the model fitted to the others' rows. Cook's distance of a subject is that of its whole
group of observations (Demidenko & Stukel 2005; as `cooks.distance(influence(fit, "subject"))` in
lme4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.inference.fitted import Fitted
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class LeftOut:
    """The estimates without each subject: variances (n rows), and beta (n, p).

    variances has a column for each of `Fitted.variances`; beta are the coefficients of the
    design's columns less the coordinates' shift, in which an offset of the response would take
    their digits. A row is NaN where the model cannot be fitted without the subject: a column of the
    model would be lost, or no variation within subjects or between them be left.
    """

    variances: pd.DataFrame
    beta: np.ndarray

    def parameters(self, fit: Fitted) -> pd.DataFrame:
        """All parameters of the formula's model (n rows)."""
        rows = fit.design.encoding.formula_rows
        beta = self.beta @ rows.T + rows @ fit.estimates.coordinates.shift
        return self.variances.assign(**dict(zip(fit.coefficient_names, beta.T, strict=True)))

    def influence(self, fit: Fitted) -> pd.DataFrame:
        """cooks_distance, and change_<parameter> of all parameters (n rows)."""
        coordinates, unit = fit.estimates.coordinates, fit.estimates.unit
        changes = self.beta - unit * (coordinates.T @ fit.estimates.best.beta)
        covariance = fit.estimates.covariance("asymptotic")
        index = self.variances.index
        table = pd.DataFrame({"cooks_distance": cooks_distance(changes / unit, covariance)}, index)
        own = changes @ fit.design.encoding.formula_rows.T
        for name in self.variances:
            table[f"change_{name}"] = self.variances[name] - fit.variances[name]
        names = [f"change_{name}" for name in fit.coefficient_names]
        return pd.concat([table, pd.DataFrame(own, index, names)], axis=1)


def leave_one_out(fit: Fitted, refit: Callable[[int], Fitted]) -> LeftOut:
    """Leave out each subject of a fit; `refit` fits the model without the one at a position.

    Of a table in shards there are rows for subjects of which the sample has all observations, and
    no refits from rows.
    """
    design, estimates, coordinates = fit.design, fit.estimates, fit.estimates.coordinates
    here = design.with_all_rows
    left = estimates.likelihood.without_each(estimates.best, design, here)
    variances = pd.DataFrame(left.variances.in_unit(coordinates.unit), index=design.subjects[here])
    beta = coordinates.unit * (left.gamma @ coordinates.T.T)
    for position in np.flatnonzero(left.alone).tolist() if design.whole is None else ():
        try:
            other = refit(position)
        except InputError:  # there is no fit, which NaN says
            continue
        variances.iloc[position] = other.variances
        beta[position] = other.estimates.params - coordinates.shift
    return LeftOut(variances, beta)


def cooks_distance(changes: np.ndarray, cov_params: np.ndarray) -> np.ndarray:
    """(beta_-i - beta)' C^-1 (beta_-i - beta) / p, C the covariance of beta with all subjects.

    For changes (n, p) of the coefficients and C (p, p), in one unit.
    """
    scaled = np.linalg.solve(cov_params, changes.T).T
    return np.einsum("np,np->n", changes, scaled) / len(cov_params)
