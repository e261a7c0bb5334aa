"""What the findings of a study rest on: its summaries, the words for its columns, its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from twolevel.findings.verdicts import Verdict, rejected, subjects_differ, verdicts
from twolevel.text.confidence import alpha, percent
from twolevel.text.markdown import Markdown, escape

Summary = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Results:
    """The summaries of a study's stages, as their JSON holds them.

    labels are the table's own names of subject, condition (None where there is none) and response;
    unit the response's, or None; truth is None where data are not simulated.
    """

    design: Summary
    level1: Summary
    two_stage: Summary
    mixed: Summary
    checks: Summary
    anova: Summary
    comparison: Summary
    truth: Summary | None
    labels: Mapping[str, str | None]
    unit: str | None

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each term."""
        return verdicts(self.mixed, self.checks, self.anova)

    @property
    def condition(self) -> str | None:
        """The condition's name in the user's table."""
        return self.labels["condition"]

    @property
    def response(self) -> str:
        """The response's name in the user's table."""
        return self.labels["response"]

    @property
    def level(self) -> Markdown:
        """The confidence level as it stands in a sentence, in percent."""
        return Markdown(f"{percent(self.mixed['level'])} %")

    def clear(self, p: float | None) -> bool:
        """Whether a p value shows something, at one less the level."""
        return p is not None and p < alpha(self.mixed["level"])

    @property
    def n_levels(self) -> int:
        """How many levels the condition has."""
        return len(self.design["conditions"])

    @property
    def in_unit(self) -> Markdown:
        """The unit as it follows a number; nothing where there is none."""
        return Markdown(f"\u00a0{escape(self.unit)}" if self.unit else "")

    @cached_property
    def own_terms(self) -> list[Row]:
        """The tests of terms that are made of the condition alone."""
        return [row for row in self._of_condition if len(self.verdicts[row["term"]].parts) == 1]

    @cached_property
    def interactions(self) -> list[Row]:
        """The tests of terms that the condition is part of."""
        return [row for row in self._of_condition if len(self.verdicts[row["term"]].parts) > 1]

    @property
    def _of_condition(self) -> list[Row]:
        rows = self.mixed["anova"]
        return [row for row in rows if self.condition in self.verdicts[row["term"]].variables]

    @property
    def interaction_names(self) -> list[str]:
        """The terms that the condition is part of, in words."""
        return [self.verdicts[row["term"]].name for row in self.interactions]

    @property
    def own_df(self) -> int:
        """The degrees of freedom of the condition's own terms."""
        return sum(row["df_num"] for row in self.own_terms)

    @property
    def constrained(self) -> bool:
        """Whether the formula gives the condition fewer coefficients than its levels allow."""
        return bool(self.own_terms) and self.own_df < self.n_levels - 1

    @property
    def other_terms(self) -> bool:
        """Whether the formula has more than the condition's own terms."""
        return len(self.mixed["anova"]) > len(self.own_terms)

    @property
    def slope(self) -> Row | None:
        """By how much the means rise per unit of the condition; None where they are no line."""
        return first(self.mixed["slopes"], "variable", self.condition)

    @property
    def subjects_differ(self) -> Summary | None:
        """The test of whether subjects differ in the condition's effect, where there is one."""
        return subjects_differ(self.checks)

    @property
    def sphericity_rejected(self) -> bool:
        """Whether differences between levels do not all have the same variance."""
        return rejected(self.anova.get("sphericity"), self.mixed["level"])

    def interval(self, parameter: str) -> Row:
        """A parameter's row of intervals."""
        return next(r for r in self.mixed["intervals"] if r["parameter"] == parameter)


def first(rows: list[Row], key: str, value: object) -> Row | None:
    """The first of the rows in which a key has a value, or None."""
    return next((row for row in rows if row[key] == value), None)
