"""Level 1: every subject's own mean by ordinary least squares, with shared condition effects.

Where the random part has more than an intercept, so does every subject's own fit (`own_fits`).

`response ~ 0 + subject + condition` has a column for each subject. Sweeping these out
(Frisch & Waugh 1933; Lovell 1963) leaves a regression of within-subject deviations with as many
columns as there are condition effects, whatever the number of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.coding import Coding
from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.encoding import same_columns
from twolevel.design.moments import Coordinates, independent_columns
from twolevel.inference.means import difference, mean_rows
from twolevel.levels.own_fits import OwnEffects, own_effects
from twolevel.levels.stratum_variances import NotEstimable
from twolevel.random.mixed_design import mixed_design
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False)
class SubjectFits:
    """The Level 1 fit.

    subjects (n rows): subject, n, subject_mean, centred_mean, se, and the q columns of the Level 2
    regression, in which numbers are centred and scaled (see `standardised`); residuals (N rows):
    fitted and residual, in the order of the data; condition_effects: alpha_j as deviations from the
    grand mean, with se; sigma_within is in the response's unit. centred_mean is subject_mean less
    `origin`, and keeps the digits that a large offset takes.

    sampling_variance is what the error of the subject_means adds, in expectation, to the raw
    variance of the Level 2 residuals. level2 maps each of the q Level 2 columns to the value at
    which the grand mean is read off, level2_rows (q, q) make the formula's coefficients of those of
    these columns; shared_cov (q, q) is what the error of the effects within subjects, which all
    subject_means share, adds to the covariance of their coefficients.

    own holds each subject's effects where the random part has more than an intercept; sigma_within,
    df_resid and residuals are then those of its fit (with stratum_<group>, the parts of what is
    nested), and condition_effects is empty, as subjects do not share them. no_own says why there
    are none although the random part has them.
    """

    subjects: pd.DataFrame
    residuals: pd.DataFrame
    condition_effects: pd.DataFrame
    sigma_within: float
    df_resid: int
    sampling_variance: float
    origin: float
    level2: dict[str, float]
    level2_rows: np.ndarray
    shared_cov: np.ndarray
    own: OwnEffects | None = None
    no_own: str | None = None

    def summary(self) -> dict:
        """Everything but the tables of subjects and residuals as plain values, for a JSON file."""
        more: dict[str, Any] = {} if self.own is None else {"own": self.own.summary()}
        return {
            "sigma_within": self.sigma_within,
            "df_resid": self.df_resid,
            "sampling_variance": self.sampling_variance,
            "condition_effects": self.condition_effects,
            "origin": self.origin,
            "level2": self.level2,
            "level2_rows": self.level2_rows.tolist(),
            "shared_cov": self.shared_cov.tolist(),
            **(more if self.no_own is None else {"no_own": self.no_own}),
        }

    @classmethod
    def from_summary(
        cls, summary: dict, subjects: pd.DataFrame, residuals: pd.DataFrame
    ) -> SubjectFits:
        """Put a fit together again from its summary and its two tables."""
        effects = pd.DataFrame(
            summary["condition_effects"], columns=["condition", "estimate", "se"]
        )
        arrays = {key: np.array(summary[key]) for key in ("level2_rows", "shared_cov")}
        own = summary.get("own")
        if own is not None:
            own = OwnEffects.from_summary(own, subjects, residuals)
        plain = {**summary, "condition_effects": effects, **arrays, "own": own}
        return cls(subjects, residuals, **plain)


def fit_subjects(
    formula: str,
    data: pd.DataFrame,
    subject: str | None = None,
    condition: str | None = None,
    coding: Coding = "treatment",
) -> SubjectFits:
    """One mean per subject, shared effects of all that varies within subjects, and residuals.

    `subject_mean` is the subject's prediction averaged over the conditions with equal weights, at
    the covariates' means: its adjusted mean, whatever the coding. Terms that do not vary within
    subjects are part of it, and are left to Level 2. `condition` names the variable whose effects
    are listed; None lists none. `coding` is that of `fit_mixed`, here of the Level 2 columns. With
    bars in the formula that say so, subjects have further effects of their own.

    Raises InputError for unusable data, and where no degree of freedom is left for sigma_within.
    """
    design, random = mixed_design(formula, data, subject, coding)
    means = _subject_means(design, condition)
    if random.part.is_intercept:
        return means
    try:
        own = own_effects(design, random)
    except NotEstimable as reason:
        return replace(means, no_own=str(reason))
    residuals = pd.DataFrame({"residual": own.residuals})
    residuals.insert(0, "fitted", design.response - own.residuals)
    return replace(
        means,
        subjects=means.subjects.join(own.table.reset_index(drop=True)),
        residuals=residuals.join(own.parts.add_prefix("stratum_")),
        condition_effects=means.condition_effects.iloc[:0],
        sigma_within=own.sigma_within,
        df_resid=own.df_resid,
        own=own,
    )


def _subject_means(design: DesignMatrix, condition: str | None) -> SubjectFits:
    """The fit with a mean of each subject's own, and nothing else of its own."""
    n, N, p = len(design.all_subjects), design.nobs, len(design.names)
    moments, coordinates = design.working_moments()

    varying = np.flatnonzero(np.diag(moments.within)[:p])
    df_resid = N - n - len(varying)
    if df_resid < 1:
        raise InputError(
            f"{N} observations, {n} subject means and {len(varying)} effects leave {df_resid} "
            "degrees of freedom for sigma_within; expected at least 1; add observations"
        )
    inverse = np.linalg.inv(moments.within[np.ix_(varying, varying)])  # (k, k)
    gamma = np.zeros(p)
    gamma[varying] = inverse @ moments.within[varying, p]
    ss_resid = moments.within[p, p] - gamma @ moments.within[:p, p]
    sigma2, unit = max(ss_resid, 0.0) / df_resid, coordinates.unit

    # In working coordinates rows are x T, so that x beta = unit (x T) gamma + x shift.
    reference = subject_reference_rows(design)  # (n, p)
    distance = (reference @ coordinates.T - moments.means[:, :p])[:, varying]  # (n, k)
    own = moments.means[:, p] + distance @ gamma[varying]
    centred_mean = unit * own + reference @ coordinates.T @ coordinates.first
    se = unit * np.sqrt(sigma2 * (1 / moments.counts + _quadratic(distance, inverse)))

    intercepts = moments.means @ np.append(-gamma, 1.0)
    # From the working response, which has lost the data's offset exactly.
    fitted = design.cells.times(coordinates.T @ gamma) + intercepts[design.positions][design.codes]
    residual = unit * (design.working_columns()[1] - fitted)

    columns, Q = _level2_columns(reference)
    hat = np.linalg.pinv(Q)  # (q, n)
    free = n - len(columns)
    leverage = np.einsum("nq,qn->n", Q, hat)
    common = hat @ distance  # (q, k)
    off = distance - Q @ common
    spread = ((1 - leverage) / moments.counts).sum() + np.sum((off.T @ off) * inverse)

    grand = mean_rows(design)[1][0]
    return SubjectFits(
        subjects=pd.DataFrame(
            {
                "subject": design.all_subjects,
                "n": moments.counts,
                "subject_mean": coordinates.mean + centred_mean,
                "centred_mean": centred_mean,
                "se": se,
                **{design.names[k]: Q[:, j] for j, k in enumerate(columns)},
            }
        ),
        residuals=pd.DataFrame({"fitted": design.response - residual, "residual": residual}),
        condition_effects=_condition_effects(
            design, condition, grand, coordinates, gamma, inverse * sigma2, varying
        ),
        sigma_within=unit * float(np.sqrt(sigma2)),
        df_resid=df_resid,
        sampling_variance=unit**2 * float(sigma2 * spread / free) if free > 0 else np.nan,
        origin=coordinates.mean,
        level2={design.names[k]: float(grand[k]) for k in columns},
        level2_rows=_formula_rows(design, reference, columns),
        shared_cov=unit**2 * sigma2 * common @ inverse @ common.T,
    )


def subject_reference_rows(design: DesignMatrix) -> np.ndarray:
    """Each subject's model row (n, p) averaged over the conditions, its other variables its own.

    Variables that vary within subjects take their reference grid (all levels with equal weights,
    numbers at their mean); the others keep the subject's value.
    """
    within = [name for name in design.data if design.varies_within(name)]
    grid, at_means = design.reference_grid()
    grid = grid[within].drop_duplicates()
    at_means &= set(within)
    profiles = design.profiles.drop(columns=within).reset_index(drop=True)
    n = len(design.all_subjects)
    if profiles.shape[1] == 0:
        rows = design.cells.X[:1] if not within else design.rows(grid, at_means)
        return np.broadcast_to(rows.mean(axis=0), (n, rows.shape[1]))
    distinct = profiles.drop_duplicates().reset_index(drop=True)
    which = profiles.merge(distinct.reset_index(names="_which"), how="left")["_which"].to_numpy()
    if not within:
        return design.rows(distinct)[which]
    table = distinct.merge(grid, how="cross")[list(design.data.columns)]
    rows = design.rows(table, at_means).reshape(len(distinct), len(grid), -1).mean(axis=1)
    return rows[which]


def _level2_columns(reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns that Level 2 regresses the subject means on: 1, and what differs by subject."""
    kept = independent_columns(reference.T @ reference, np.einsum("ij,ij->j", reference, reference))
    return kept, reference[:, kept]


def _formula_rows(design: DesignMatrix, reference: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """What makes the formula's Level 2 coefficients (q,) of those of the design's columns (q,)."""
    # All columns in terms of those that Level 2 has, and the formula's own in terms of these.
    own = same_columns(reference[:, columns], reference)
    return np.linalg.inv(own @ design.encoding.raw_columns[:, columns])


def _condition_effects(
    design: DesignMatrix,
    condition: str | None,
    grand: np.ndarray,
    coordinates: Coordinates,
    gamma: np.ndarray,
    cov: np.ndarray,
    varying: np.ndarray,
) -> pd.DataFrame:
    if condition is None:
        return pd.DataFrame(columns=["condition", "estimate", "se"])
    levels, L = mean_rows(design, condition)
    contrast = difference(L, grand)  # (J, p); what does not vary within subjects cancels
    working, unit = contrast @ coordinates.T, coordinates.unit
    return pd.DataFrame(
        {
            "condition": levels,
            "estimate": contrast @ coordinates.shift + unit * (working @ gamma),
            "se": unit * np.sqrt(_quadratic(working[:, varying], cov)),
        }
    )


def _quadratic(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.einsum("mk,kl,ml->m", rows, matrix, rows)
