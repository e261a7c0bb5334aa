"""What `describe_design` counts: subjects, conditions (J), observations and cells."""

from __future__ import annotations

from twolevel.random.support_reasons import Reason
from twolevel.summaries.base import Level, Number, Summary
from twolevel.summaries.rows import OfCondition


class Sampled(Summary):
    """How many observations of a large table single figures and checks look at."""

    n_observations: int


class Complete(Summary):
    """What is left when only subjects seen under all conditions are kept."""

    n_subjects: int
    n_observations: int


class Patterns(Summary):
    """The most frequent patterns of cells; rest more, of rest_subjects subjects, are not listed.

    counts (m, J): the observations in each cell of a pattern's subjects; n_subjects (m,).
    """

    counts: list[list[int]]
    n_subjects: list[int]
    rest: int
    rest_subjects: int


class Observation(OfCondition):
    """A response under a level of the condition."""

    response: Number


class OneSubject(Summary):
    """One subject's own two fits; see `levels.describe.OneSubject`."""

    subject: str
    observations: list[Observation]
    df_condition: int
    sd_condition: float | None
    intercept: float
    intercept_se: float | None
    intercept_sd: float | None
    df_intercept: int
    saturated: bool


class Candidate(Summary):
    """An effect that subjects could have of their own; see `random.supported.Candidate`."""

    term: str
    number: str | None
    factors: list[str]
    subjects: int
    reason: Reason | None


class SupportSummary(Summary):
    """What n_subjects' data support: the random part, and each candidate."""

    random: str
    n_subjects: int
    candidates: list[Candidate]


class RandomPartSummary(Summary):
    """What is random in the model, and could be; see `levels.describe.DescribedRandomPart`."""

    random: str
    intercept_only: bool
    own_coefficients: int
    own_fitted: list[float]
    supported: SupportSummary


class DescribedVariable(Summary):
    """A variable of the formula; see `levels.descriptives.DescribedVariable`."""

    name: str
    within: bool
    levels: list[Level] | None
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None


class DescribedCell(Summary):
    """The response in a cell; levels are in the order of `by`, None where it is of all levels."""

    levels: list[Level | None]
    n_subjects: int
    n_rows: int
    mean: float
    sd: float | None


class DescriptivesSummary(Summary):
    """The variables and the cells of some; see `levels.descriptives.Descriptives`."""

    variables: list[DescribedVariable]
    by: list[str]
    cells: list[DescribedCell]


class DesignSummary(Summary):
    """design.json.

    columns: the user's name of subject, condition (where there is one), response and others, by
    ours. sampled is None unless the table was read in parts. per_subject, per_cell: the fewest and
    the most observations.
    """

    columns: dict[str, str]
    sampled: Sampled | None
    n_subjects: int
    n_observations: int
    conditions: list[Level]
    per_subject: tuple[int, int]
    per_cell: tuple[int, int]
    empty_cells: int
    repeated_cells: int
    incomplete_subjects: int
    per_condition: dict[str, int]
    seen_under: dict[str, int]
    complete: Complete
    single_subjects: int
    patterns: Patterns
    one_subject: OneSubject
    balanced: bool
    replicated: bool
    random_part: RandomPartSummary
    descriptives: DescriptivesSummary

    @property
    def within_factors(self) -> dict[str, list[Level]]:
        """The levels of each factor within subjects, the condition among them, by its name."""
        variables = self.descriptives.variables
        return {each.name: each.levels for each in variables if each.within and each.levels}

    @property
    def other_factors(self) -> dict[str, list[Level]]:
        """The same without the condition."""
        condition = self.columns.get("condition")
        return {name: own for name, own in self.within_factors.items() if name != condition}
