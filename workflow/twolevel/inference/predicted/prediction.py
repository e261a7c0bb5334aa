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

    "known": x' beta + z' b_i of the row's subject, which the fit has seen; effects of a level that
    the subject was not seen under, as of another session, are 0 with their standard deviation.
    "new": of a subject it has not seen, z' b_i = 0 with its standard deviation. "mean": x' beta,
    the mean over subjects. The error of a single observation comes on top.

    The variance of the error of x' beta + z' b_i is (Searle, Casella & McCulloch 1992, sec. 7.4;
    with C_i the conditional covariance of b_i, K_i beta by how much the prediction of b_i falls
    with the coefficients, and Phi their covariance)

        z' C_i z + (x - K_i' z)' Phi (x - K_i' z).

    Intervals of the mean are by t, as in tables of means; those of subjects are normal.
    """
    if subjects not in ("known", "new", "mean"):
        raise ValueError(f"subjects: found {subjects!r}, expected 'known', 'new' or 'mean'")
    design, estimates, random = fit.design, fit.estimates, fit.random_columns
    wanted = list(design.variables.columns)
    if subjects != "mean":
        wanted += [name for name in random.variables(subjects == "known") if name not in wanted]
    if subjects == "known" and design.subject not in wanted:
        wanted.append(design.subject)
    place = f"predict, formula '{design.formula}'"
    table, index = columns_of(data, wanted, place)
    known = design.variables.columns
    values = {name: like(table[name], known[name], name) for name in known}
    rows = design.encoding.rows(Variables(values, len(index)))
    if subjects == "mean":
        found = estimates.table(rows, index, fit.standard_df, level)
        return found[["estimate", "se", "ci_low", "ci_high"]]
    from scipy.special import ndtri

    which = np.full(len(rows), -1)
    if subjects == "known":
        which = design.all_subjects.get_indexer(table[design.subject])
        if (which < 0).any():
            unknown = table[design.subject].iloc[int(np.argmin(which))]
            raise InputError(
                f"{place}: the fit has not seen the subject {quoted(unknown)}; expected one of "
                f"{listed(design.all_subjects)}; for others say subjects='new'"
            )
    estimate, unit, working = rows @ estimates.params, estimates.unit, rows @ estimates.T
    own = np.zeros(len(rows))
    covariances = estimates.likelihood.covariances(estimates.best)
    columns = random.at(table, which)
    for each, Psi in zip(columns.terms, covariances, strict=True):
        unseen = which < 0 if each.levels is None else each.levels < 0
        z = each.values[unseen]
        own[unseen] += estimates.sigma2 * np.einsum("mi,ij,mj->m", z, Psi, z)
    if subjects == "known":
        predicted, Z = estimates.random_effects, columns.expanded().T  # (m, Q)
        estimate = estimate + unit * (Z * predicted.effect[which]).sum(axis=1)
        own += np.einsum("mq,mqr,mr->m", Z, predicted.covariance(which), Z)
        working = working - np.einsum("mq,mqp->mp", Z, predicted.pull(which))
    covariance = estimates.working_covariance
    se = unit * np.sqrt(own + np.einsum("mp,mp->m", working @ covariance, working))
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
