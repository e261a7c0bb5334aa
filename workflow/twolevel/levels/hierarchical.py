"""Level 2: the two-stage (hierarchical) estimate from the subjects' own means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from twolevel.design.encoding import same_columns
from twolevel.levels.own_fits import OwnEffects
from twolevel.levels.subjects import SubjectFits
from twolevel.random.effect_names import INTERCEPT
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class HierarchicalFit:
    """The Level 2 regression of subject means.

    params: estimate and se of each Level 2 column; grand_mean with grand_mean_se in the
    response's unit. weighted says that the subject means are not all equally precise, and were
    weighted by their precision. raw_variance is the residual variance of the subject means;
    between_variance is raw_variance less sampling_variance, truncated at 0 (`truncated`). Where
    subjects have further effects of their own, all three are those of their intercepts, of whose
    covariance with the other effects `own` has the rest.
    """

    params: pd.DataFrame
    weighted: bool
    grand_mean: float
    grand_mean_se: float
    raw_variance: float
    sampling_variance: float
    between_variance: float
    sigma_within: float
    df_resid: int
    own: EffectCovariance | None = None

    @property
    def truncated(self) -> bool:
        """Whether the corrected variance fell below 0 and stands at 0."""
        return self.raw_variance <= self.sampling_variance

    @property
    def sigma_between(self) -> float:
        """Square root of the corrected between-subjects variance."""
        return float(np.sqrt(self.between_variance))

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {
            "grand_mean": {"estimate": self.grand_mean, "se": self.grand_mean_se},
            "params": self.params,
            "weighted": self.weighted,
            "raw_variance": self.raw_variance,
            "sampling_variance": self.sampling_variance,
            "between_variance": self.between_variance,
            "sigma_between": self.sigma_between,
            "sigma_within": self.sigma_within,
            "truncated": self.truncated,
            "df_resid": self.df_resid,
            **({} if self.own is None else {"own": self.own.summary()}),
        }


def fit_hierarchical(
    level1: SubjectFits, weights: Literal["equal", "precision"] = "equal"
) -> HierarchicalFit:
    """Regress the subject means on 1 (and on what differs between subjects), by least squares.

    The raw variance of the subject means estimates sigma_b^2 plus the variance with which they
    were themselves estimated; subtracting that gives an unbiased estimate before truncation. When
    balanced it is Var(mu_i-hat) - sigma_w^2 / J, the ANOVA estimator (Searle, Casella & McCulloch
    1992, sec. 3.6).

    With weights="precision", and where the subject means are not equally precise, the coefficients
    are those of least squares with the weights 1 / (sigma_b^2 + se_i^2) (Swamy 1970, estimated
    generalised least squares, for intercepts). raw_variance gives each subject the same weight.

    Standard errors add level1.shared_cov to what least squares gives: the subject means lean on
    the same estimated effects within subjects, and their residuals do not show a shared error.

    Raises InputError where there are no more subjects than Level 2 columns.
    """
    names = list(level1.level2)
    Q = level1.subjects[names].to_numpy(dtype=float)  # (n, q)
    mu = level1.subjects["centred_mean"].to_numpy()
    df_resid = len(mu) - len(names)
    if df_resid < 1:
        raise InputError(
            f"{len(mu)} subjects and {len(names)} between-subjects coefficients leave nothing to "
            "estimate sigma_between from; expected more subjects than coefficients"
        )
    params, inverse, raw = _least_squares(Q, mu, np.ones(len(mu)))
    cov = raw * inverse + level1.shared_cov
    own = None if level1.own is None else effect_covariance(level1.own)
    raw_variance, sampling_variance = raw, level1.sampling_variance
    if own is not None and INTERCEPT in own.effects:
        k = own.effects.index(INTERCEPT)
        raw_variance, sampling_variance = float(own.raw[k, k]), float(own.sampling[k, k])
    between = max(raw_variance - sampling_variance, 0.0)
    variance = between + level1.subjects["se"].to_numpy() ** 2
    # The standard errors know of the subject means alone.
    weighted = weights == "precision" and own is None
    weighted = weighted and bool(np.ptp(variance) > 1e-9 * variance.max())
    if weighted:
        params, inverse, residual = _least_squares(Q, mu, variance.mean() / variance)
        cov = residual * inverse + level1.shared_cov
    if level1.origin:
        one = same_columns(Q, np.ones((len(mu), 1)))
        assert one is not None  # only where Level 2 has a constant is there an origin
        params = params + level1.origin * one[:, 0]
    at, rows = np.array(list(level1.level2.values())), level1.level2_rows
    return HierarchicalFit(
        params=pd.DataFrame(
            {
                "estimate": rows @ params,
                "se": np.sqrt(np.einsum("ij,ij->i", rows @ cov, rows)),
            },
            index=pd.Index(names, name="term"),
        ),
        weighted=weighted,
        grand_mean=float(at @ params),
        grand_mean_se=float(np.sqrt(at @ cov @ at)),
        raw_variance=raw_variance,
        sampling_variance=sampling_variance,
        between_variance=between,
        sigma_within=level1.sigma_within,
        df_resid=df_resid,
        own=own,
    )


def _least_squares(
    Q: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients (q,), the inverse of Q'WQ, and the weighted residual variance."""
    centre = y.mean()
    inverse = np.linalg.inv((Q.T * weights) @ Q)
    # The centre is put back through the coefficients that reproduce a constant.
    delta = inverse @ (Q.T @ (weights * (y - centre)))
    constant = inverse @ (Q.T @ weights)
    residual = y - centre * (Q @ constant) - Q @ delta
    variance = float(weights @ residual**2) / (len(y) - Q.shape[1])
    return delta + centre * constant, inverse, variance


@dataclass(frozen=True, eq=False)
class EffectCovariance:
    """The covariance (q, q) of subjects' own effects, in the units of these: raw, and corrected.

    means (q,) are the averages of their estimates. raw is the sample covariance of these around
    Level 2's regression; corrected, raw less the sampling covariance, need not be positive
    definite.
    """

    effects: list[str]
    means: np.ndarray
    raw: np.ndarray
    sampling: np.ndarray

    @property
    def corrected(self) -> np.ndarray:
        """raw - sampling: an unbiased estimate (Swamy 1970), not forced to be a covariance."""
        return self.raw - self.sampling

    @property
    def proper(self) -> bool:
        """Whether the corrected matrix is one that effects can have: positive definite."""
        sd = np.sqrt(np.diag(self.raw))
        return bool(np.linalg.eigvalsh(self.corrected / np.outer(sd, sd)).min() > 0)

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {
            "effects": self.effects,
            "means": self.means.tolist(),
            "raw": self.raw.tolist(),
            "sampling": self.sampling.tolist(),
            "corrected": self.corrected.tolist(),
            "proper": self.proper,
        }


def effect_covariance(level1: OwnEffects) -> EffectCovariance:
    """The covariance of subjects' own effects, from their least-squares estimates."""
    deviations = level1.deviations.dropna().to_numpy()
    raw = deviations.T @ deviations / level1.df_level2
    means = level1.effects.mean().to_numpy()
    return EffectCovariance(list(level1.effects), means, raw, level1.sampling_covariance)
