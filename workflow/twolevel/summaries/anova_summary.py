"""What `partition_errors` finds, or why it finds nothing."""

from __future__ import annotations

from pydantic import Field

from twolevel.summaries.base import Number, Summary
from twolevel.summaries.rows import MeanWithError, OfTerm


class Partitioned(OfTerm):
    """A term's sum of squares beside its error's, its F test and effect sizes with intervals."""

    stratum: str
    ss: float
    ss_error: float
    F: float | None
    df_num: int
    df_den: int
    p: float | None
    partial_eta2: float | None
    partial_eta2_low: float | None
    partial_eta2_high: float | None
    generalised_eta2: float | None
    generalised_eta2_low: float | None
    generalised_eta2_high: float | None


class Stratum(Summary):
    """The error of a stratum, and the variance that it adds to a row, which may be negative."""

    stratum: str
    ss: float
    df: int
    ms: float | None
    variance: float | None


class SphericityOfTerm(OfTerm):
    """Mauchly's test, both epsilons, and a term's test by the corrections that belong to them.

    effect: the variables within subjects that the term is made of; contrasts: how many it has.
    """

    stratum: str
    effect: list[str]
    contrasts: int
    mauchly_w: float | None
    mauchly_p: float | None
    gg_epsilon: float
    hf_epsilon: float
    F: float | None
    df_num_gg: float
    df_den_gg: float
    p_gg: float | None
    df_num_hf: float
    df_den_hf: float
    p_hf: float | None


class AveragedCells(Summary):
    """How many rows were averaged to how many cells, and the range of rows of a cell."""

    n_rows: int
    n_cells: int
    fewest: int
    most: int
    per_cell: float
    ss: float


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
    sphericity: list[SphericityOfTerm] = Field(default_factory=list)
    averaged: AveragedCells | None = None
