"""What `fit_subjects` (Level 1) and `fit_hierarchical` (Level 2) find."""

from __future__ import annotations

from twolevel.summaries.base import Summary
from twolevel.summaries.rows import MeanWithError, OfCondition, OfTerm


class ConditionEffect(MeanWithError, OfCondition):
    """The effect of a level of the condition, by least squares."""


class Level1Summary(Summary):
    """level1.json: all but the subjects and their residuals; see `levels.subjects.SubjectFits`."""

    sigma_within: float
    df_resid: int
    sampling_variance: float
    condition_effects: list[ConditionEffect]
    origin: float
    level2: dict[str, float]
    level2_rows: list[list[float]]
    shared_cov: list[list[float]]


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
