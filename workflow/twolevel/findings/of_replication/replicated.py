"""What a replication study found, claim by claim, in the order of its headline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twolevel.findings.claim import Claim
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.markdown import Markdown, num
from twolevel.text.methods import INTERCEPT_ALONE

# Stands, in ranges of measures, for all tests but the condition's by the method asked for.
OTHERS = "others"
# The share of failed experiments from which the headline speaks of them.
MANY_FAILED = 0.05


@dataclass(frozen=True)
class Replicated:
    """The summary of a replication study, and the range of each measure over all points.

    extent: the least and the largest value, at [quantity, method or OTHERS][measure]; a measure
    without a value is left out.
    """

    replication: ReplicationSummary
    extent: Mapping[str, Mapping[str, tuple[float, float]]]

    @property
    def test(self) -> str:
        """The method whose power is asked for."""
        return self.replication.test

    @property
    def differ(self) -> bool:
        """Whether the conditions differ in truth, so that there is something to find."""
        return any(effect != 0 for effect in self.replication.effects)

    @property
    def own(self) -> str | None:
        """What subjects have of their own besides an intercept, in words; None where nothing."""
        where = self.replication.scenario
        if where.random:
            return "slopes"
        return "effects of the conditions" if any((where.strata or {}).values()) else None

    @property
    def plain(self) -> bool:
        """Whether conditions are levels of one factor, and subjects differ by chance alone."""
        return self.replication.plain

    @property
    def any_fit(self) -> bool:
        """Whether a model could be fitted to any experiment."""
        return self.extent["failed"]["rate"][0] < 1

    @property
    def with_missing_cells(self) -> bool:
        """Whether cells are missing at any point."""
        return max(self.replication.axes.missing) > 0

    def percents(self, name: str, measure: str) -> Markdown:
        """The range of a share over all points, in percent."""
        low, high = self.extent[name][measure]
        return Markdown(" to ".join(dict.fromkeys((num(100 * low, 3), num(100 * high, 3)))))


def replication_headline(found: Replicated) -> list[Claim]:
    """What the page says first besides sizes: what could not be tested or fitted, and why."""
    claims = []
    if not found.differ:
        said = "All conditions have the same mean: there is nothing to find."
        claims.append(Claim("nothing", Markdown(said)))
    if found.test == "anova" and found.with_missing_cells:
        said = (
            "**With missing cells the ANOVA has no results**, neither F tests nor intervals: its "
            "error strata are then not orthogonal. What it would say of complete subjects only is "
            "another study; `test: kenward-roger` uses all that was observed."
        )
        claims.append(Claim("anova", Markdown(said)))
    if not found.any_fit:
        said = (
            "**No experiment could be fitted**, so there are no estimates, intervals or tests: "
            "with so few cells observed, a condition is seen by no one, or fewer observations are "
            "left than the model takes. More subjects, or fewer missing cells, give results."
        )
        claims.append(Claim("failed", Markdown(said)))
    elif found.extent["failed"]["rate"][1] > MANY_FAILED:
        said = (
            f"{found.percents('failed', 'rate')} % of the experiments could not be fitted, because "
            "too few cells were observed; all other numbers are of the rest."
        )
        claims.append(Claim("failed", Markdown(said)))
    return claims + _intercept_alone(found)


def _intercept_alone(found: Replicated) -> list[Claim]:
    """How often a model without the subjects' own slopes or effects rejects what is true."""
    if not found.own or "type_one_error" not in found.extent.get(INTERCEPT_ALONE, {}):
        return []
    said = (
        f"Subjects differ in their {found.own} here. **A model with a random intercept alone "
        f"rejects what is true in {found.percents(INTERCEPT_ALONE, 'type_one_error')} %**: it "
        "takes these differences between subjects for error of single observations."
    )
    return [Claim("intercept_alone", Markdown(said))]
