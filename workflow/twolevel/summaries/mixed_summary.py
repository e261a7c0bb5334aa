"""What `fit_mixed` finds: the mixed model, and what is inferred from it."""

from __future__ import annotations

from pydantic import ConfigDict

from twolevel.summaries.base import Level, Summary
from twolevel.summaries.rows import Estimate, FTest, Known, OfCondition, OfLevel, OfTerm
from twolevel.text.methods import ContrastError, Method, TestedBy


class Coefficient(Estimate, OfTerm):
    """A fixed effect, by the name of its column."""


class ConditionMean(Estimate, OfCondition):
    """The marginal mean of a level of the condition, or its effect."""


class LevelMean(Estimate, OfLevel):
    """The marginal mean of a level of another factor, or a slope within it."""


class OfPair(Summary):
    """A row of two levels, as "a - b"."""

    contrast: str


class Contrast(Estimate, OfPair):
    """A difference of two levels' means; standardised where every subject is in both.

    d_z and d_av are in standard deviations (see `own_error`); their intervals are not adjusted.
    """

    d_z: float | None = None
    d_z_low: float | None = None
    d_z_high: float | None = None
    d_av: float | None = None
    d_av_low: float | None = None
    d_av_high: float | None = None


class ConditionMeanWithin(ConditionMean, OfLevel):
    """The marginal mean of a level of the condition at a level of another factor."""


class ContrastWithin(Contrast, OfLevel):
    """A difference of two levels of the condition at a level of another factor."""


class OfNumber(Summary):
    """A row of a number, and of its term; None where it is in several."""

    variable: str
    term: str | None


class Slope(Known, OfNumber):
    """By how much the means rise per unit of a number."""


class WithinFactor(Summary):
    """The condition's means, contrasts and slopes at each level of a factor."""

    means: list[ConditionMeanWithin]
    contrasts: list[ContrastWithin]
    slopes: list[LevelMean] | None


class OtherFactor(Summary):
    """A factor that is not the condition; within is None where they do not interact."""

    factor: str
    term: str | None
    means: list[LevelMean]
    contrasts: list[Contrast]
    within: WithinFactor | None


class ParameterInterval(Summary):
    """A parameter's estimates, by REML and ML, and its intervals by three methods."""

    parameter: str
    estimate: float
    ml_estimate: float | None
    profile_low: float | None
    profile_high: float | None
    bootstrap_se: float | None
    percentile_low: float | None
    percentile_high: float | None
    bca_low: float | None
    bca_high: float | None


class BootstrapSummary(Summary):
    """How many refits there were, and how many estimated sigma_between as exactly 0."""

    refits: int
    boundary_refits: int
    seed: int


class BetweenVarianceTest(Summary):
    """The exact test of sigma_between = 0."""

    statistic: float
    p: float
    p_se: float
    p_mixture: float
    by: TestedBy
    draws: int
    boundary_share: float
    seed: int


class VarianceTest(Summary):
    """The test of a random effect against the model without it and its covariances (df of them).

    by says what p, with the standard error p_se, is drawn from (see `variance_test`).
    """

    grouping: str
    effect: str
    statistic: float
    df: int
    p: float
    p_se: float
    by: TestedBy
    p_mixture: float


class Influential(Summary):
    """A subject, its Cook's distance, and the change of each parameter without it.

    The changes are called change_<parameter>, of all variances and coefficients.
    """

    model_config = ConfigDict(extra="allow")

    subject: str
    cooks_distance: float | None

    @property
    def changes(self) -> dict[str, float | None]:
        """The changes by parameter."""
        extra = self.model_extra or {}
        return {name.removeprefix("change_"): change for name, change in extra.items()}


class TestWithoutSubjects(OfTerm):
    """A term's test without each subject: its range of p, and without whom its verdict changes."""

    low: float | None
    high: float | None
    changed: list[str]


class InfluenceSummary(Summary):
    """The most influential subjects, and without how many the model cannot be fitted.

    tests: of each term in refits without a subject, of which there are so many; see
    `levels.left_out`.
    """

    subjects: list[Influential]
    not_estimable: int
    refits: int
    tests: list[TestWithoutSubjects]


class ExplainedVariance(Summary):
    """Marginal and conditional R^2."""

    marginal: float | None
    conditional: float | None


class RandomTerm(Summary):
    """A bar term: the formula left of the bar, and its effects' names.

    within are the columns that stand right of the bar besides the subject.
    """

    formula: str
    within: list[str]
    effects: list[str]


class VarianceRow(Summary):
    """A variance or covariance as lme4's VarCorr has it; parameter is its name in `intervals`.

    sdcor is a standard deviation, or with var2 a correlation; None where a variance is 0.
    """

    parameter: str
    grp: str
    var1: str | None
    var2: str | None
    vcov: float
    sdcor: float | None


class VarianceComponents(Summary):
    """The standard deviations with what is derived from them, and the likelihood.

    sigma_between and lambda_ are None where subjects have no intercepts of their own.
    """

    method: Method
    sigma_between: float | None
    sigma_within: float
    lambda_: float | None
    icc: float
    design_effect: float
    boundary: bool
    llf: float
    aic: float
    bic: float


class Fitted(Summary):
    """The model and the size of its data; random is its random part, in a formula's words."""

    formula: str
    random: str
    n_subjects: int
    nobs: int


class MixedSummary(VarianceComponents, Fitted):
    """mixed.json: the fit by REML, and by ML under `ml`; terms in the order of the formula.

    terms: the variables of each. between_variance: the exact test of (1 | subject); of any other
    random part None, and variance_tests has each effect's in the order of random_terms.
    level: that of all intervals. held_at_zero: the numbers that a term's test holds at 0.
    """

    random_terms: list[RandomTerm]
    varcorr: list[VarianceRow]
    r2: ExplainedVariance
    grand_mean: Known
    coefficients: list[Coefficient]
    cov_params: list[list[float]]
    anova: list[FTest]
    terms: dict[str, list[str]]
    ml: VarianceComponents
    ml_varcorr: list[VarianceRow]
    level: float
    adjust: str
    contrast_error: ContrastError
    means: list[ConditionMean]
    condition_effects: list[ConditionMean]
    contrasts: list[Contrast]
    factors: list[OtherFactor]
    slopes: list[Slope]
    intervals: list[ParameterInterval]
    bootstrap: BootstrapSummary
    between_variance: BetweenVarianceTest | None
    variance_tests: list[VarianceTest]
    influence: InfluenceSummary
    coding: str | dict[str, Level]
    held_at_zero: dict[str, list[str]]
