"""Intervals of every parameter, by profile likelihood and by bootstrap, where they cost little."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from twolevel.inference.bootstrap import Bootstrap
from twolevel.mixed import MixedFit
from twolevel.text.confidence import LEVEL

# Coefficients up to which each has a profile, and refits are many: both cost their number cubed.
_MOST_PROFILED = 40
_REFITS, _REFITS_OF_WIDE, _FEWEST_REFITS = 10_000, 1_000, 200
# The products that one evaluation in each of all refits may take: some seconds.
_MOST_PRODUCTS = 200_000_000
_MOST_CURVES = 12  # profiles drawn


@dataclass(frozen=True, eq=False)
class Intervals:
    """Each parameter's estimates and intervals of one level, and what they are read from.

    table: by parameter, estimate, ml_estimate (to which the profile belongs), profile_low and
    profile_high, bootstrap_se, percentile_low and percentile_high, bca_low and bca_high; NaN where
    a parameter has no profile. curves: the first profiles, as the figure draws them.
    """

    table: pd.DataFrame
    bootstrap: Bootstrap
    curves: pd.DataFrame


def affordable(fit: MixedFit, data_sets: int, fits: int = 1) -> int:
    """So many data sets with some fits to each, or fewer where a fit is dear.

    It is where a model has many variances and coefficients, or subjects have times of their own.
    """
    cost = fits * fit.estimates.likelihood.cost
    return max(_FEWEST_REFITS, min(data_sets, _MOST_PRODUCTS // cost))


def intervals(fit: MixedFit, level: float = LEVEL) -> Intervals:
    """The intervals of a fit; of many coefficients, only the variances are profiled."""
    wide = len(fit.params) > _MOST_PROFILED
    profile = fit.profile(level, fit.variances.index if wide else None)
    bootstrap = fit.parametric_bootstrap(affordable(fit, _REFITS_OF_WIDE if wide else _REFITS))
    percentile = bootstrap.percentile(level)
    bca = bootstrap.bca(fit.without_subject, level)
    table = pd.DataFrame(
        {
            "estimate": fit.estimated,
            "ml_estimate": profile["estimate"],
            "profile_low": profile["ci_low"],
            "profile_high": profile["ci_high"],
            "bootstrap_se": percentile["se"],
            "percentile_low": percentile["ci_low"],
            "percentile_high": percentile["ci_high"],
            "bca_low": bca["ci_low"],
            "bca_high": bca["ci_high"],
        }
    ).rename_axis("parameter")
    curves = fit.profile_likelihood.curves(profile.iloc[:_MOST_CURVES])
    return Intervals(table, bootstrap, curves)
