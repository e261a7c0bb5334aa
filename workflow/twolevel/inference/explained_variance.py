"""How much of the variance the model explains, and what clustering costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twolevel.inference.wald import Estimates


def fixed_variance(estimates: Estimates, N: int) -> float:
    """The variance of the fixed part x' beta over all N rows, with N - 1 in the divisor."""
    centre = estimates.coordinates.centre
    # x' beta up to a constant, which may be a large offset of the response.
    unit = estimates.unit
    gamma = estimates.coordinates.first / unit + estimates.best.beta
    scatter = estimates.likelihood.total[:-1, :-1] - N * np.outer(centre, centre)
    return unit**2 * float(gamma @ scatter @ gamma) / (N - 1)


def r_squared(estimates: Estimates, N: int, between: float, within: float) -> pd.DataFrame:
    """The shares of the variance explained without and with S_i: marginal and conditional R^2.

    sigma_f^2 / (sigma_f^2 + sigma_b^2 + sigma_w^2), and the same with sigma_b^2 added to the
    numerator; sigma_f^2 is the variance of x' beta over the observations (Nakagawa & Schielzeth
    2013, eqs. 26 and 29; with N - 1 in the divisor, as MuMIn and performance). `between` and
    `within` are variances.
    """
    fixed = fixed_variance(estimates, N)
    total = fixed + between + within
    return pd.DataFrame(
        {"r2": [fixed / total, (fixed + between) / total]},
        index=pd.Index(["marginal", "conditional"], name="kind"),
    )


def design_effect(counts: np.ndarray, icc: float) -> float:
    """1 + (m - 1) icc, by which clustering multiplies the variance of a plain mean.

    counts (n,) are the numbers n_i of the subjects' observations.

    m = sum n_i^2 / N, the number of observations of a subject, is that of an average observation
    (Kish 1965).
    """
    m = float(counts @ counts) / int(counts.sum())
    return 1 + (m - 1) * icc
