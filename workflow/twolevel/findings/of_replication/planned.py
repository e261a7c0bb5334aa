"""How many subjects a study takes, claim by claim: what a planner came for."""

from __future__ import annotations

from dataclasses import dataclass

from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.sizing.cautious_effect import SAFEGUARD
from twolevel.findings.claim import Claim
from twolevel.summaries.plan_summary import PlanRow, PlanSummary, SizeRow
from twolevel.text.confidence import LEVEL, percent
from twolevel.text.markdown import Markdown, counted, escape, num, words

# Designs that the headline has a sentence for each of; of more it says the range.
FEW = 4


@dataclass(frozen=True)
class Planned:
    """What `find_subjects` found.

    level: that of intervals. like: the study whose estimates are planned with, if any. alike:
    whether subjects differ in their intercepts only.
    """

    plan: PlanSummary
    level: float
    like: str | None
    alike: bool

    def place(self, row: PlanRow) -> Markdown:
        """The design of a row in words, as far as designs differ; nothing where there is one."""
        parts = []
        if len({r.sigma_between for r in self.plan.rows}) > 1:
            parts.append(f"an ICC of {num(row.icc, 2)}")
        if len({r.missing for r in self.plan.rows}) > 1:
            parts.append(cells_missing(row.missing))
        if len({r.replicates for r in self.plan.rows}) > 1:
            parts.append(f"{counted(row.replicates, 'observation')} in each cell")
        return words([Markdown(part) for part in parts])

    def number(self, subjects: int | None) -> Markdown:
        """A number of subjects, or that it takes more than are looked for."""
        return Markdown(f"more than {self.plan.most:,}" if subjects is None else f"{subjects:,}")

    def answer(self, size: SizeRow) -> Markdown:
        """The number of subjects: the exact one where there is one."""
        return self.number(size.subjects if size.exact is None else size.exact)

    def interval(self, size: SizeRow) -> Markdown:
        """The interval of the number that simulation found."""
        if size.low is None or size.low == size.high:
            return self.number(size.low)
        return Markdown(f"{self.number(size.low)} to {self.number(size.high)}")


def cells_missing(share: float) -> str:
    """Which share of the cells is missing, in words."""
    return f"{100 * share:g} % of cells missing" if share else "complete data"


def answers(found: Planned) -> list[Claim]:
    """What the page begins with: how many subjects, for how much, and how far to trust it."""
    return [*_sizes(found), *_caution(found), *_width(found), *_cheapest(found)]


def _sizes(found: Planned) -> list[Claim]:
    sizes = [
        (row, size.term) for row in found.plan.rows for size in row.sizes if size.experiments != 0
    ]
    terms = list(dict.fromkeys(term for _, term in sizes))
    names = {term: escape(term) for term in terms} | {CONDITION: "the conditions"}
    tests = {term: f" of the test of {names[term]}" if len(terms) > 1 else "" for term in terms}
    questions = list(dict.fromkeys((found.plan.rows.index(row), term) for row, term in sizes))
    if len(questions) > FEW:
        return [claim for term in terms for claim in _ranges(found, term, tests[term])]
    return [_size(found, found.plan.rows[k], term, tests[term]) for k, term in questions]


def _size(found: Planned, row: PlanRow, term: str, test: str) -> Claim:
    """The sentence of one design and one test."""
    first, *others = (size for size in row.sizes if size.term == term)
    place = found.place(row)
    said = f"With {place}, you need " if place else "You need "
    said += f"**{found.answer(first)} subjects** for a power of {percent(first.power)} %{test}"
    if first.experiments:
        how = "simulated" if first.exact is not None else "found by simulation"
        said += f" ({how}: {percent(LEVEL)} % interval {found.interval(first)})"
    for size in others:
        said += f", and **{found.answer(size)}** for {percent(size.power)} %"
        said += f" ({found.interval(size)})" if size.experiments else ""
    numbers = {"subjects": first.subjects, "exact": first.exact}
    return Claim("size", Markdown(said + "."), None, numbers)


def _ranges(found: Planned, term: str, test: str) -> list[Claim]:
    """The sentences of one test, by power, where there are many designs or tests."""
    by_power: dict[float, list[SizeRow]] = {}
    for row in found.plan.rows:
        for size in row.sizes:
            if size.term == term and size.experiments != 0:
                by_power.setdefault(size.power, []).append(size)
    claims = []
    for power, sizes in by_power.items():
        most = found.plan.most + 1
        counts = [(s.subjects or most) if s.exact is None else s.exact for s in sizes]
        low, high = sizes[counts.index(min(counts))], sizes[counts.index(max(counts))]
        ends = dict.fromkeys((found.answer(low), found.answer(high)))
        depending = ", depending on the design" if len(sizes) > 1 else ""
        said = (
            f"For a power of {percent(power)} %{test} you need **{' to '.join(ends)} subjects**"
            f"{depending} (@tbl-sizes)."
        )
        numbers = {"low": min(counts), "high": max(counts)}
        claims.append(Claim("size", Markdown(said), None, numbers))
    return claims


def _caution(found: Planned) -> list[Claim]:
    """That an observed effect is planned with, and what of it."""
    caution = found.plan.caution
    if caution is None:
        return []
    test = f"F({num(caution.df_num, 3)}, {num(caution.df_den, 3)}) = {num(caution.F, 3)}"
    observed = [row.observed[0] for row in found.plan.rows if row.observed]
    beside = ""
    if observed:
        numbers = dict.fromkeys(map(found.answer, observed))
        beside = (
            f" The effect as it was observed would take {', '.join(numbers)} for "
            f"{percent(observed[0].power)} %, which is not to be relied on."
        )
    if caution.share == 0:
        said = (
            f"**What {found.like} observed says too little to plan with**: {test}, and even where "
            f"there is no effect, {percent(round(1 - SAFEGUARD, 2))} % of studies have an F as "
            "large. The cautious effect is 0. Write into `effect:` the smallest effect that would "
            "matter to you." + beside
        )
    else:
        said = (
            f"The effect is **{percent(round(caution.share, 2))} % of what {found.like} observed** "
            f"({test}): observed effects are too large on average, and plans for them find less "
            f"than they promise. With a probability of {percent(SAFEGUARD)} % the true effect is "
            "larger than this one (safeguard power: Perugini, Gallucci & Costantini 2014)." + beside
        )
    if caution.others:
        shares = ", ".join(
            f"{percent(round(share, 2))} % of {escape(term)}"
            for term, share in caution.others.items()
        )
        said += f" Of its other effects: {shares}."
    return [Claim("caution", Markdown(said), None, {"share": caution.share})]


def _width(found: Planned) -> list[Claim]:
    """How many subjects an interval's width takes."""
    plan = found.plan
    if plan.precision is None:
        return []
    claims = []
    for row in plan.rows:
        if row.missing:
            continue
        place = found.place(row)
        said = f"With {place}, " if place else ""
        said += (
            f"**{found.number(row.width)} subjects** make the {percent(found.level)} % interval of "
            f"a difference of two conditions, or of the slope, {num(plan.precision)} wide on "
            "average."
        )
        claims.append(Claim("width", Markdown(said[0].upper() + said[1:]), None, {"n": row.width}))
    return claims


def _cheapest(found: Planned) -> list[Claim]:
    """The cheapest design, and what this takes for granted."""
    cost = found.plan.cost
    if cost is None:
        return []
    claims = []
    for row in found.plan.rows:
        if row.missing or not row.cheapest:
            continue
        best = row.cheapest[0]
        place = found.place(row)
        said = (
            f"At {num(cost.subject)} for a subject and {num(cost.trial)} for each of its "
            f"observations, the cheapest design with a power of {percent(best.power)} %"
            f"{f' and {place}' if place else ''} has **{best.subjects:,} subjects with "
            f"{best.replicates:,} observation{'s' * (best.replicates > 1)} in each cell**, and "
            f"costs {num(best.cost)}."
        )
        claims.append(Claim("cheapest", Markdown(said), None, {"cost": best.cost}))
    if claims and found.alike:
        said = (
            "That number of observations **takes subjects for alike in the effects of "
            "conditions**, so that one more observation says as much as one more subject. Where "
            "they differ it does not: say by how much in `strata:`."
        )
        claims.append(Claim("alike", Markdown(said)))
    return claims
