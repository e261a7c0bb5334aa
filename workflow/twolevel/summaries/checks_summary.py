"""What `check_mixed` finds: whether the mixed model is to be believed."""

from __future__ import annotations

from twolevel.summaries.base import Level, Number, Summary
from twolevel.summaries.design_summary import Complete
from twolevel.summaries.rows import FTest, OfCondition


class Look(Summary):
    """One question to the data: a statistic, its Monte Carlo p value, its mean where all is well.

    p and expected are None where nothing was simulated.
    """

    statistic: float
    p: float | None
    expected: float | None


class LevelSpread(OfCondition):
    """Root mean square residual under a level of the condition, in the response's unit."""

    n: int
    rms: float


class DiagnosticsSummary(Summary):
    """What the diagnostic plots show; see `levels.checks.diagnostics.Diagnostics`."""

    draws: int
    outside: dict[str, float]
    by_condition: list[LevelSpread]
    looks: dict[str, Look]


class ObservedCovariance(Summary):
    """The covariance (J, J) that complete subjects show."""

    matrix: list[list[float]]
    df: int
    n_subjects: int


class CovarianceSummary(Summary):
    """The covariance (J, J) of the condition's cell means: implied, and observed if it can be."""

    levels: list[Level]
    per_cell: float
    implied: list[list[float]]
    observed: ObservedCovariance | None


class FollowingSummary(Summary):
    """Errors that follow one another, against slopes of subjects' own."""

    rho: float
    aic_less: float


class WitnessTest(Summary):
    """Another program's test of a term, made of these variables, and our F of the same term."""

    variables: list[str]
    F: float
    df_num: Number
    df_den: Number
    p: float
    our_F: float | None


class Witness(Summary):
    """What another program finds of the same model; see `levels.checks.witnesses`."""

    witness: str
    method: str
    status: str
    sigma_between: float | None
    sigma_within: float | None
    llf: float | None
    our_llf: float | None
    difference: float | None
    converged: bool | None
    F: float | None
    our_F: float | None
    averaged: bool | None
    tests: list[WitnessTest] | None
    left: Complete | None
    said: str


class LeftOut(Summary):
    """Effects that the model has not, and the factors in whose levels subjects could have them."""

    within: list[str]
    effects: list[str]


class PooledSummary(Summary):
    """What subjects' data support and the model leaves out, and the tests with it.

    reason: why there are no tests.
    """

    random: str
    left_out: list[LeftOut]
    tests: list[FTest]
    reason: str | None


class ChecksSummary(Summary):
    """checks.json.

    response_values: those of a response that takes few, else None. pooled: None where the model
    has all that subjects' data support. unconnected: sets of the condition's levels that no
    subject connects.
    """

    level: float
    response_values: list[float] | None
    pooled: PooledSummary | None
    unconnected: list[list[Level]]
    diagnostics: DiagnosticsSummary
    covariance: CovarianceSummary
    following: FollowingSummary | None
    witnesses: list[Witness]
