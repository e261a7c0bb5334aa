"""What was found of how many subjects a study takes, and how it is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.findings.of_replication.config_words import SpreadWords, cells_missing, name_of_test
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.summaries.plan_summary import PlanRow, PlanSummary, SizeRow, WidthRow
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.confidence import alpha
from twolevel.text.markdown import Markdown, counted, escape, words

# Designs that the headline has a sentence for each of; of more it says the range.
FEW = 4


@dataclass(frozen=True)
class Planned:
    """What `find_subjects` found.

    spread: what the config calls the differences between subjects. like: the study whose estimates
    are planned with, if any. alike: whether subjects differ in their intercepts only.
    """

    plan: PlanSummary
    replication: ReplicationSummary
    spread: SpreadWords
    like: str | None
    alike: bool

    def place(self, row: PlanRow, trials: bool = True) -> Markdown:
        """The design of a row in words, as far as designs differ; nothing where there is one.

        Without `trials` nothing is said of the observations in a cell.
        """
        parts = []
        if len({r.sigma_between for r in self.plan.rows}) > 1:
            parts.append(self.spread.phrase(row.sigma_between))
        if len({r.missing for r in self.plan.rows}) > 1:
            parts.append(cells_missing(row.missing))
        if trials and len({r.replicates for r in self.plan.rows}) > 1:
            parts.append(f"{counted(row.replicates, 'observation')} in each cell")
        return words([Markdown(part) for part in parts])

    def number(self, subjects: int | None) -> Markdown:
        """A number of subjects, or that it takes more than are looked for."""
        return Markdown(f"more than {self.plan.most:,}" if subjects is None else f"{subjects:,}")

    def answer(self, size: SizeRow) -> Markdown:
        """The number of subjects: the exact one where there is one."""
        return self.number(self.fewest(size))

    def fewest(self, size: SizeRow) -> int | None:
        """The same as a number; None for more than are looked for."""
        return size.subjects if size.exact is None else size.exact

    def observed(self, row: PlanRow, size: SizeRow) -> Markdown:
        """The number for the same test's effect as it was observed."""
        same = (s for s in row.observed if (s.term, s.power) == (size.term, size.power))
        return next(map(self.answer, same))

    def ends(self, counts: Sequence[int | None]) -> tuple[int | None, int | None]:
        """The least and the largest of numbers of subjects."""
        ordered = sorted(counts, key=lambda n: self.plan.most + 1 if n is None else n)
        return ordered[0], ordered[-1]

    def range(self, counts: Sequence[int | None]) -> str:
        """The same in words."""
        return " to ".join(dict.fromkeys(map(self.number, self.ends(counts))))

    def interval(self, size: SizeRow | WidthRow) -> Markdown:
        """The interval of the number that simulation found."""
        if size.low is None or size.low == size.high:
            return self.number(size.low)
        return Markdown(f"{self.number(size.low)} to {self.number(size.high)}")

    @property
    def exact(self) -> bool:
        """Whether any number is exact."""
        return any(size.exact is not None for row in self.plan.rows for size in row.sizes)

    @property
    def criterion(self) -> Markdown:
        """By what a pairwise difference counts as one, where they are planned for."""
        adjust, level = self.plan.adjust, self.replication.level
        return escape(ADJUSTMENTS[adjust].criterion(alpha(level)) if adjust else "")

    def tests(self, terms: Iterable[str]) -> dict[str, str]:
        """Which test a power is of, by term, in words; nothing where there is but one."""
        names = {t: escape(name_of_test(self.replication, t)) for t in terms}
        if names.get(CONDITION) == CONDITION:
            names[CONDITION] = Markdown("the conditions")
        return {t: f" in the test of {of}" if len(names) > 1 else "" for t, of in names.items()}


def amount(cost: float) -> Markdown:
    """Money, or whatever is counted, without decimals that are 0."""
    return Markdown(f"{cost:,.10g}")
