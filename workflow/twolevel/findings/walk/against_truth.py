"""What came out of a simulated study, beside what was put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import Variance, variances
from twolevel.summaries.truth_summary import TruthSummary
from twolevel.text.markdown import Markdown, escape


@dataclass(frozen=True)
class BesideTruth:
    """A quantity as the config gives it, in truth as the page counts it, and as estimated.

    The interval is low to high. None stands for what there is not.
    """

    quantity: Markdown
    entered: float | None
    truth: float | None
    estimate: float | None
    low: float | None = None
    high: float | None = None


def against_truth(found: Results) -> list[BesideTruth]:
    """The fixed effects, and all that varies; nothing of real data."""
    truth = found.truth
    if truth is None:
        return []
    return [*_fixed(found, truth), *_varying(found, truth)]


def _fixed(found: Results, truth: TruthSummary) -> Iterator[BesideTruth]:
    mixed, entered = found.mixed, truth.entered
    grand = mixed.grand_mean
    yield BesideTruth(
        Markdown(r"grand mean $\mu$"),
        entered.grand_mean,
        truth.grand_mean,
        grand.estimate,
        grand.ci_low,
        grand.ci_high,
    )
    if found.slope is not None and truth.slope is not None:
        slope, what = found.slope, Markdown(f"slope of {escape(found.condition)}")
        yield BesideTruth(
            what, truth.slope, truth.slope, slope.estimate, slope.ci_low, slope.ci_high
        )
    of_condition = entered.effects.get(found.condition or "", {})
    for row in mixed.condition_effects:
        level = str(row.condition)
        yield BesideTruth(
            Markdown(rf"$\alpha$ of {escape(level)}"),
            of_condition.get(level),
            truth.condition_effects[level],
            row.estimate,
            row.ci_low,
            row.ci_high,
        )
    for factor in mixed.factors:
        own = (truth.other_effects or {}).get(factor.factor, {})
        means = [mean.estimate for mean in factor.means if mean.estimate is not None]
        for mean in factor.means if own and len(means) == len(own) else []:
            level = str(mean.level)
            yield BesideTruth(
                Markdown(f"effect of {escape(factor.factor)} {escape(level)}"),
                entered.effects[factor.factor][level],
                own[level],
                (mean.estimate or 0.0) - sum(means) / len(means),
            )


def _varying(found: Results, truth: TruthSummary) -> Iterator[BesideTruth]:
    """Variances of single observations and of subjects' means; of other effects, the SD."""
    strata = {frozenset(names.split(":")): sd for names, sd in (truth.strata or {}).items()}
    for each in variances(found.mixed):
        real = _true_value(each, truth, strata)
        interval = found.interval(each.row.parameter)
        estimate = each.row.sdcor
        if estimate is None and not each.is_correlation:
            estimate = 0.0
        values = [real, estimate, interval.profile_low, interval.profile_high]
        symbol = {"sigma_between": r"$\sigma_b^2$", "sigma_within": r"$\sigma_w^2$"}.get(
            each.row.parameter
        )
        if symbol:
            values = [None if value is None else value**2 for value in values]
        yield BesideTruth(Markdown(symbol) if symbol else each.said, values[0], *values)
    modelled = {frozenset(each.own[0].within) for each in variances(found.mixed) if each.own}
    for names, sd in (truth.strata or {}).items():
        if frozenset(names.split(":")) not in modelled:
            what = Markdown(f"SD of subjects’ own effects of {escape(names)}, not in the model")
            yield BesideTruth(what, sd, sd, None)


def _true_value(
    each: Variance, truth: TruthSummary, strata: dict[frozenset[str], float]
) -> float | None:
    """A standard deviation or correlation in truth; None where a correlation is of no two."""
    random = truth.random or {}
    if not each.own:
        return truth.sigma_within
    if each.is_correlation:
        both = truth.sigma_between > 0 and any(random.get(own.of or "", 0.0) for own in each.own)
        return random.get("correlation", 0.0) if both else None
    (own,) = each.own
    if own.within:
        return strata.get(frozenset(own.within), 0.0) if own.of is None else 0.0
    return truth.sigma_between if own.of is None else random.get(own.of, 0.0)
