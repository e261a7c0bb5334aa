"""How much of the variance the model explains, and what clustering costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twolevel.inference.wald import Estimates


def fixed_variance(estimates: Estimates, N: int) -> float:
    """The variance of the fixed part x' beta over all N rows, with N - 1 in the divisor.

    In units of sigma_w^2: squares of a very large or small response could overflow.
    """
    centre = estimates.coordinates.centre
    # x' beta up to a constant, which may be a large offset of the response.
    gamma = estimates.coordinates.first / estimates.unit + estimates.best.beta
    scatter = estimates.likelihood.total[:-1, :-1] - N * np.outer(centre, centre)
    return float(gamma @ scatter @ gamma) / (N - 1) / estimates.sigma2


def r_squared(estimates: Estimates, N: int, random: float) -> pd.DataFrame:
    """The shares of the variance explained without and with z' b: marginal and conditional R^2.

    sigma_f^2 / (sigma_f^2 + sigma_r^2 + sigma_w^2), and the same with sigma_r^2 added to the
    numerator; sigma_f^2 is the variance of x' beta over the observations, sigma_r^2 the mean
    variance of z' b (Nakagawa & Schielzeth 2013, eqs. 26 and 29; Johnson 2014; with N - 1 in the
    divisor of sigma_f^2, as MuMIn and performance). `random` is sigma_r^2 / sigma_w^2.
    """
    fixed = fixed_variance(estimates, N)
    total = fixed + random + 1
    return pd.DataFrame(
        {"r2": [fixed / total, (fixed + random) / total]},
        index=pd.Index(["marginal", "conditional"], name="kind"),
    )
