"""A replication study in the words of its config: what its grid and its tests are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twolevel.design.formula import parse
from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.summaries.plan_summary import PlanSummary
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.markdown import Markdown
from twolevel.text.numbers import significant


@dataclass(frozen=True)
class SpreadWords:
    """How much subjects differ: as an ICC where the config says `icc`, else as sigma_between.

    icc: the ICC of each sigma_between of the grid, or None.
    """

    icc: Mapping[float, float] | None = None

    @classmethod
    def of(cls, plan: PlanSummary, by_icc: bool) -> SpreadWords:
        """Those of the designs of a plan."""
        return cls({row.sigma_between: row.icc for row in plan.rows} if by_icc else None)

    @property
    def name(self) -> str:
        """What a figure calls it."""
        return "SD between" if self.icc is None else "ICC"

    @property
    def head(self) -> Markdown:
        """What a column of a table calls it."""
        return Markdown(r"$\sigma_b$" if self.icc is None else "ICC")

    def value(self, sigma_between: float) -> str:
        """A value: short, and as it was given if it can."""
        given = sigma_between if self.icc is None else self.icc[sigma_between]
        text = f"{given:.4g}"
        return significant(given) if "e" in text else text

    def phrase(self, sigma_between: float) -> str:
        """A value, as a sentence has it."""
        value = self.value(sigma_between)
        if self.icc is None:
            return f"a standard deviation of {value} between subjects"
        return f"an ICC of {value}"


def cells_missing(share: float) -> str:
    """Which share of the cells is missing, in words."""
    return f"{100 * share:g} % of cells missing" if share else "complete data"


def name_of_test(replication: ReplicationSummary, term: str) -> str:
    """What a test is called: by the term, and the condition's by the name of its factor or number.

    Of one factor without a name it is the condition.
    """
    if term != CONDITION:
        return term
    variables = parse(replication.formula).variables
    return next((name for name in variables if name not in replication.terms), CONDITION)
