"""What `fit_subjects` (Level 1) and `fit_hierarchical` (Level 2) find."""

from __future__ import annotations

from twolevel.summaries.base import Number, Summary
from twolevel.summaries.rows import MeanWithError, OfCondition, OfTerm


class ConditionEffect(MeanWithError, OfCondition):
    """The effect of a level of the condition, by least squares."""


class StratumVariance(Summary):
    """A variance of what is nested in the subject; see `levels.stratum_variances`."""

    grp: str
    df: int
    mean_square: float
    per_level: float
    raw: float
    sampling: float
    corrected: float


class OwnEffectsSummary(Summary):
    """Subjects' own effects, of which n_estimable have all; see `levels.own_fits.OwnEffects`."""

    effects: list[str]
    n_estimable: int
    df_level2: int
    sampling_covariance: list[list[float]]
    sigma_within: float
    df_resid: int
    strata: list[StratumVariance]


class EffectCovarianceSummary(Summary):
    """The covariance (q, q) of subjects' own effects; see `levels.hierarchical`."""

    effects: list[str]
    means: list[float]
    raw: list[list[float]]
    sampling: list[list[float]]
    corrected: list[list[float]]
    proper: bool


class FittedRow(OfCondition):
    """A row's fit by Level 1, and what it leaves."""

    fitted: Number
    residual: Number


class FirstSubject(Summary):
    """One of the first subjects, by Level 1; see `levels.first_subjects`."""

    subject: str
    subject_mean: Number
    own: dict[str, float | None]
    nested: dict[str, dict[str, float]]
    rows: list[FittedRow]


class Level1Summary(Summary):
    """level1.json: all but the subjects and their residuals; see `levels.subjects.SubjectFits`.

    first_subjects: what is found of these; see `levels.first_subjects`.
    """

    sigma_within: float
    df_resid: int
    sampling_variance: float
    condition_effects: list[ConditionEffect]
    origin: float
    level2: dict[str, float]
    level2_rows: list[list[float]]
    shared_cov: list[list[float]]
    first_subjects: list[FirstSubject]
    own: OwnEffectsSummary | None = None
    no_own: str | None = None


class Level2Row(MeanWithError, OfTerm):
    """A coefficient of the regression of the subject means."""


class HierarchicalSummary(Summary):
    """hierarchical.json: the two-stage estimate; see `levels.hierarchical.HierarchicalFit`."""

    grand_mean: MeanWithError
    params: list[Level2Row]
    weighted: bool
    raw_variance: float
    sampling_variance: float
    between_variance: float
    sigma_between: float
    sigma_within: float
    truncated: bool
    df_resid: int
    own: EffectCovarianceSummary | None = None
