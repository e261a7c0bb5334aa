"""What `find_subjects` finds: how many subjects a study takes, design by design."""

from __future__ import annotations

from twolevel.summaries.base import Number, Summary


class SizeRow(Summary):
    """The fewest subjects with which the test of a term, or of a difference, has a power.

    exact: by the noncentral F of the ANOVA; None where it is not exact, or beyond `most`.
    subjects, low, high: in simulation, with the ends of its interval; None beyond `most`.
    experiments: those in which the test had a result; None where complete data take more.
    """

    term: str
    power: float
    exact: int | None
    subjects: int | None
    low: int | None
    high: int | None
    experiments: int | None


class WidthRow(Summary):
    """The fewest subjects with which the interval of a factor's differences is so narrow.

    variable: the factor, or with slope the number whose slope it is. exact: whether by theory; else
    low and high are the ends of the number's interval. made: whether there is an interval. subjects
    is None beyond `most`.
    """

    variable: str
    slope: bool
    subjects: int | None
    low: int | None
    high: int | None
    exact: bool
    made: bool


class CheapestRow(Summary):
    """The cheapest design with which the test of a term has a power: trials are those of each cell.

    exact: by the noncentral F; else subjects are found in simulation.
    """

    term: str
    power: float
    subjects: int
    replicates: int
    cost: float
    exact: bool


class EffectSizes(Summary):
    """The effect in the ways that planners say it; see `experiments.sizing.standardised_effect`.

    difference: the largest difference of two conditions' means, in the response's unit.
    """

    difference: float
    d: float
    f: float
    eta_squared: float


class PlanRow(Summary):
    """One design: the values of all axes but the number of subjects, and what it takes.

    mean: that of all conditions. sd: the total standard deviation. effect: that of one factor or
    number, where nothing differs between subjects by plan. observed: of a study that this one is
    like, the sizes for its effect as it was observed, where `sizes` are those for the cautious one.
    differences: the sizes of pairwise differences. cheapest: of the first of designs that differ
    in their trials alone.
    """

    sigma_between: float
    missing: float
    replicates: int
    mean: float
    sigma_within: float
    sd: float
    icc: float
    effect: EffectSizes | None
    sizes: list[SizeRow]
    differences: list[SizeRow]
    observed: list[SizeRow]
    widths: list[WidthRow]
    cheapest: list[CheapestRow]


class Caution(Summary):
    """The observed F test of the condition, and the share of its effect that is planned for.

    others: the same shares of other terms, by name, where they are planned for too.
    """

    F: float | None
    df_num: Number
    df_den: Number | None
    share: float
    others: dict[str, float]


class CostSummary(Summary):
    """What a subject and each of its observations cost, in any unit."""

    subject: float
    trial: float


class PlanSummary(Summary):
    """subjects.json. most: the most subjects that are looked for; adjust: that of differences."""

    rows: list[PlanRow]
    precision: float | None
    cost: CostSummary | None
    adjust: str | None
    caution: Caution | None
    most: int
