"""What `measure_performance` finds of a replication study."""

from __future__ import annotations

from twolevel.summaries.base import Summary


class GroupSummary(Summary):
    """A group of subjects; see `experiments.between_subjects.Group`."""

    size: int
    effect: float
    conditions: dict[str, float] | dict[str, dict[str, float]] | dict[str, list[float]] | None
    slope: float | None


class CovariateSummary(Summary):
    """A number that subjects differ in; see `experiments.between_subjects.Covariate`."""

    sd: float
    slope: float
    mean: float


class BetweenSummary(Summary):
    """How subjects differ by plan; see `experiments.between_subjects`."""

    groups: dict[str, GroupSummary]
    covariates: dict[str, CovariateSummary]
    dropout: float | dict[str, float | dict[str, float]]
    interactions: dict[str, dict[str, float]]


class ScenarioSummary(Summary):
    """What the experiments at the first point are drawn from; see `Scenario`."""

    subjects: int
    conditions: dict[str, float] | dict[str, dict[str, float]] | dict[str, list[float]]
    grand_mean: float
    sigma_between: float
    sigma_within: float
    replicates: int
    missing: float
    slope: float | None = None
    random: dict[str, float] | None = None
    strata: dict[str, float] | None = None
    between: BetweenSummary
    adjust: str | None = None


class Axes(Summary):
    """The values along each axis of the grid, ascending."""

    subjects: list[int]
    sigma_between: list[float]
    missing: list[float]
    replicates: list[int]


class ReplicationSummary(Summary):
    """replication.json; effects are deviations from `mean`, which is the mean of all conditions.

    levels: the conditions' names, or the values of a number. plain: whether they are levels of one
    factor, and subjects differ by chance alone, in their intercepts. terms are those that are
    tested, the condition's first; random is the random part that is fitted. level: that of
    intervals; tests are at one less it. powers: those that are asked for.
    formula is the fixed part that is fitted; whole says that it and all else is that of the study
    that it is like, averaged_over names terms of it that experiments do not have.
    """

    scenario: ScenarioSummary
    levels: list[str]
    plain: bool
    terms: list[str]
    formula: str
    whole: bool
    random: str
    mean: float
    effects: list[float]
    axes: Axes
    points: int
    experiments: int
    test: str
    level: float
    powers: list[float]
    seed: int
    averaged_over: list[str]
