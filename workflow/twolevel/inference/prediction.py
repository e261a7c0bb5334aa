"""What a fit predicts: of subjects it has seen, of new ones, and of the mean subject."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from twolevel.design.columns import columns_of, like
from twolevel.design.variables import Variables
from twolevel.inference.fitted import Fitted
from twolevel.text.errors import InputError, listed, quoted

Subjects = Literal["known", "new", "mean"]


def predict(fit: Fitted, data: Any, subjects: Subjects, level: float) -> pd.DataFrame:
    """The mean response at each row of a table (m rows): estimate, se, ci_low, ci_high.

    "known": x' beta + S_i of the row's subject, which the fit has seen. "new": of a subject it has
    not, S_i = 0 with its standard deviation sigma_b. "mean": x' beta, the mean over subjects. The
    error of a single observation comes on top.

    The variance of the error of x' beta + S_i is (Searle, Casella & McCulloch 1992, sec. 7.4; with
    k_i = n_i lambda / (1 + n_i lambda), and Phi the covariance of the coefficients)

        sigma_b^2 / (1 + n_i lambda) + (x - k_i xbar_i)' Phi (x - k_i xbar_i).

    Intervals of the mean are by t, as in tables of means; those of subjects are normal.
    """
    if subjects not in ("known", "new", "mean"):
        raise ValueError(f"subjects: found {subjects!r}, expected 'known', 'new' or 'mean'")
    design, estimates = fit.design, fit.estimates
    columns = [*design.variables.columns, *([design.subject] if subjects == "known" else [])]
    place = f"predict, formula '{design.formula}'"
    table, index = columns_of(data, columns, place)
    known = design.variables.columns
    values = {name: like(table[name], known[name], name) for name in known}
    rows = design.encoding.rows(Variables(values, len(index)))
    if subjects == "mean":
        found = estimates.table(rows, index, fit.standard_df, level)
        return found[["estimate", "se", "ci_low", "ci_high"]]
    from scipy.special import ndtri

    estimate, unit = rows @ estimates.params, estimates.unit
    own = np.full(len(rows), fit.sigma_between / unit)
    working = rows @ estimates.T
    if subjects == "known":
        which = design.all_subjects.get_indexer(table[design.subject])
        if (which < 0).any():
            unknown = table[design.subject].iloc[int(np.argmin(which))]
            raise InputError(
                f"{place}: the fit has not seen the subject {quoted(unknown)}; expected one of "
                f"{listed(design.all_subjects)}; for others say subjects='new'"
            )
        random = estimates.random_effects
        estimate = estimate + unit * random.effect[which, 0]
        own = np.sqrt(random.covariance(which)[:, 0, 0])
        working = working - random.pull(which)[:, 0]
    covariance = estimates.working_covariance
    se = unit * np.sqrt(own**2 + np.einsum("mp,mp->m", working @ covariance, working))
    half = ndtri(0.5 + level / 2) * se
    return pd.DataFrame(
        {"estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half},
        index=index,
    )


def simulate(fit: Fitted, seed: int) -> np.ndarray:
    """A response (N,) drawn from the fitted model for the same rows, with subjects drawn anew."""
    generator = np.random.default_rng(np.random.SeedSequence(seed))
    likelihood, design = fit.estimates.likelihood, fit.design
    normal = generator.standard_normal((len(design.subjects), likelihood.n_effects, 1))
    random_part = likelihood.random_part(fit.estimates.best, design, normal)[:, 0]
    residual = generator.standard_normal(len(design.response))
    return fit.fixed_part + fit.sigma_within * (random_part + residual)
