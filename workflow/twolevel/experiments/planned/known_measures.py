"""What is known exactly of experiments of any design whose errors are strata: see `error_terms`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from twolevel.experiments.planned.error_terms import ErrorTerms, Stratum
from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.model.effects.effect_criterion import evaluate
from twolevel.numeric.tails import f_quantile
from twolevel.text.confidence import LEVEL, alpha


def known_measures(
    study: PlannedStudy, level: float = LEVEL
) -> Mapping[tuple[str, str, str], float]:
    """Known values of performance measures, by quantity, method and measure.

    The F of a term is a noncentral F on its error's degrees of freedom; estimates of the fixed
    effects are unbiased, and have the standard deviation that their own error gives them.
    """
    errors, found = ErrorTerms(study), {}
    for name, row in study.estimands.items():
        stratum = errors.of(row[None])
        if stratum is not None:
            at = row @ study.T
            se = study.sigma_within * np.sqrt(at @ errors.covariance @ at * stratum.expected)
            found[name, "", "bias"], found[name, "", "empirical_se"] = 0.0, float(se)
    for name, rows in study.terms.items():
        stratum = errors.of(rows)
        if stratum is not None and stratum.df > 0:
            found[name, "anova", "power"] = _power(errors, rows, stratum, level)
            found[name, "anova", "type_one_error"] = alpha(level)
    return found


def grand_mean_se(study: PlannedStudy) -> float:
    """The standard deviation of the grand mean that knows all variances, with no row absent."""
    at = study.estimands["grand_mean"] @ study.T
    return study.sigma_within * float(np.sqrt(at @ known_covariance(study) @ at))


def known_covariance(study: PlannedStudy) -> np.ndarray:
    """That of the working columns' coefficients (p, p), relative to sigma_w^2, likewise."""
    now = evaluate(study.drawn.sums, study.directions, study.psi[:, None], "REML", False)
    return now.unscaled_cov[..., 0]


def _power(errors: ErrorTerms, rows: np.ndarray, stratum: Stratum, level: float) -> float:
    centre, q = errors.noncentrality(rows, stratum), len(rows)
    if centre == 0:
        return alpha(level)
    critical = f_quantile(level, q, float(stratum.df))
    return 1 - float(special.ncfdtr(q, stratum.df, centre, critical))
