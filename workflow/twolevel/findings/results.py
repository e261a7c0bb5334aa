"""What the findings of a study rest on: its summaries, the words for its columns, its verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from twolevel.findings.verdicts import Verdict, is_clear, rejected, verdicts
from twolevel.summaries.anova_summary import AnovaSummary, SphericityOfTerm
from twolevel.summaries.base import Number, Summary
from twolevel.summaries.checks_summary import ChecksSummary
from twolevel.summaries.comparison_summary import ComparisonSummary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary, ParameterInterval, Slope
from twolevel.summaries.rows import FTest
from twolevel.summaries.truth_summary import TruthSummary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary
from twolevel.text.confidence import percent
from twolevel.text.markdown import Markdown, escape

# Levels up to which a sentence lists them.
FEW_LEVELS = 12

T = TypeVar("T", bound=Summary)


@dataclass(frozen=True)
class Results:
    """The summaries of a study's stages, and the response's unit.

    unit is None where none is given; truth is None where data are not simulated.
    """

    design: DesignSummary
    level1: Level1Summary
    two_stage: HierarchicalSummary
    mixed: MixedSummary
    checks: ChecksSummary
    anova: AnovaSummary
    comparison: ComparisonSummary
    truth: TruthSummary | None
    unit: str | None

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each term."""
        return verdicts(self.mixed, self.checks, self.anova)

    @property
    def condition(self) -> str | None:
        """The condition's name in the user's table; None where there is none."""
        return self.design.columns.get("condition")

    @property
    def response(self) -> str:
        """The response's name in the user's table."""
        return self.design.columns["response"]

    @property
    def level(self) -> Markdown:
        """The confidence level as it stands in a sentence, in percent."""
        return Markdown(f"{percent(self.mixed.level)} %")

    def clear(self, p: float | None) -> bool:
        """Whether a p value shows something, at one less the level."""
        return is_clear(p, self.mixed.level)

    @property
    def n_levels(self) -> int:
        """How many levels the condition has."""
        return len(self.design.conditions)

    @property
    def few_levels(self) -> bool:
        """Whether the condition has so few levels that a sentence can list them."""
        return self.n_levels <= FEW_LEVELS

    @property
    def n_cells(self) -> int:
        """How many cells there could be: subjects times the condition's levels."""
        return self.design.n_subjects * self.n_levels

    @property
    def in_unit(self) -> Markdown:
        """The unit as it follows a number; nothing where there is none."""
        return Markdown(f"\u00a0{escape(self.unit)}" if self.unit else "")

    @cached_property
    def own_terms(self) -> list[FTest]:
        """The tests of terms that are made of the condition alone."""
        return [row for row in self._of_condition if len(self.verdicts[row.term].parts) == 1]

    @cached_property
    def interactions(self) -> list[FTest]:
        """The tests of terms that the condition is part of."""
        return [row for row in self._of_condition if len(self.verdicts[row.term].parts) > 1]

    @property
    def _of_condition(self) -> list[FTest]:
        rows = self.mixed.anova
        return [row for row in rows if self.condition in self.verdicts[row.term].variables]

    @property
    def interacting(self) -> list[str]:
        """The variables that the condition has interactions with."""
        names = (name for row in self.interactions for name in self.verdicts[row.term].variables)
        return [name for name in dict.fromkeys(names) if name != self.condition]

    @property
    def own_df(self) -> Number:
        """The degrees of freedom of the condition's own terms."""
        return sum(row.df_num for row in self.own_terms)

    @property
    def constrained(self) -> bool:
        """Whether the formula gives the condition fewer coefficients than its levels allow."""
        return bool(self.own_terms) and self.own_df < self.n_levels - 1

    @property
    def other_terms(self) -> bool:
        """Whether the formula has more than the condition's own terms."""
        return len(self.mixed.anova) > len(self.own_terms)

    @property
    def slope(self) -> Slope | None:
        """By how much the means rise per unit of the condition; None where they are no line."""
        return first(self.mixed.slopes, "variable", self.condition)

    @property
    def not_spherical(self) -> list[SphericityOfTerm]:
        """The effects within subjects whose contrasts vary unequally, each by one of its terms."""
        rows = [row for row in self.anova.sphericity if rejected(row, self.mixed.level)]
        return [
            row for k, row in enumerate(rows) if row.stratum not in {r.stratum for r in rows[:k]}
        ]

    def interval(self, parameter: str) -> ParameterInterval:
        """A parameter's row of intervals."""
        return next(r for r in self.mixed.intervals if r.parameter == parameter)


def first(rows: list[T], key: str, value: object) -> T | None:
    """The first of the rows in which a key has a value, or None."""
    return next((row for row in rows if getattr(row, key) == value), None)
