"""What `partition_errors` finds, or why it finds nothing."""

from __future__ import annotations

from pydantic import Field

from twolevel.summaries.base import Number, Summary
from twolevel.summaries.rows import MeanWithError, OfTerm


class Partitioned(OfTerm):
    """A term's sum of squares in its stratum, and its F test."""

    stratum: str
    ss: float
    F: float | None
    df_num: int
    df_den: int
    p: float | None
    partial_eta2: float | None


class Stratum(Summary):
    """The error of a stratum."""

    stratum: str
    ss: float
    df: int
    ms: float | None


class CorrectedTest(OfTerm):
    """A term's test by the corrections of Greenhouse and Geisser and of Huynh and Feldt."""

    F: float | None
    df_num_gg: float
    df_den_gg: float
    p_gg: float | None
    p_hf: float | None


class SphericitySummary(Summary):
    """Mauchly's test and both epsilons of the variable within subjects."""

    variable: str
    mauchly_w: float | None
    mauchly_p: float | None
    gg_epsilon: float
    hf_epsilon: float
    corrected: list[CorrectedTest]


class AnovaSummary(Summary):
    """anova.json: the ANOVA where it is available, else the reason alone."""

    available: bool
    reason: str | None = None
    table: list[Partitioned] = Field(default_factory=list)
    strata: list[Stratum] = Field(default_factory=list)
    ss_subject: float | None = None
    df_subject: int | None = None
    per_subject: Number | None = None
    grand_mean: MeanWithError | None = None
    sigma_between: float | None = None
    sigma_within: float | None = None
    sphericity: SphericitySummary | None = None
