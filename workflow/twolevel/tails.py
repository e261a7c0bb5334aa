"""Tail probabilities and quantiles, from scipy.special (scipy.stats takes 0.7 s to import)."""

from __future__ import annotations

import numpy as np
from scipy import special


def normal_two_sided(z: np.ndarray) -> np.ndarray:
    """P(|Z| >= |z|) for a standard normal Z."""
    return 2 * special.ndtr(-np.abs(z))


def normal_quantile(probability: float) -> float:
    """The standard normal quantile."""
    return float(special.ndtri(probability))


def t_two_sided(t: np.ndarray, df: np.ndarray | float) -> np.ndarray:
    """P(|T| >= |t|) for Student's t; the incomplete beta keeps its digits far in the tail."""
    return special.betainc(df / 2, 0.5, df / (df + np.square(t)))


def f_upper(F: np.ndarray | float, df_num: float, df_den: float) -> np.ndarray | float:
    """P(X >= F) for the F distribution with df_num and df_den degrees of freedom."""
    return special.fdtrc(df_num, df_den, F)


def chi_square_upper(x: float, df: float) -> float:
    """P(X >= x) for the chi-square distribution with df degrees of freedom."""
    return float(special.chdtrc(df, x))
