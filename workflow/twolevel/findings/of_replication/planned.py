"""How many subjects a study takes, claim by claim: what a planner came for."""

from __future__ import annotations

from dataclasses import dataclass

from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.sizing.cautious_effect import SAFEGUARD
from twolevel.findings.claim import Claim
from twolevel.findings.of_replication.config_words import SpreadWords, cells_missing, name_of_test
from twolevel.summaries.plan_summary import PlanRow, PlanSummary, SizeRow
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.confidence import LEVEL, alpha, percent
from twolevel.text.markdown import Markdown, counted, escape, num, words
from twolevel.text.methods import METHODS

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
        return self.number(size.subjects if size.exact is None else size.exact)

    def interval(self, size: SizeRow) -> Markdown:
        """The interval of the number that simulation found."""
        if size.low is None or size.low == size.high:
            return self.number(size.low)
        return Markdown(f"{self.number(size.low)} to {self.number(size.high)}")

    @property
    def exact(self) -> bool:
        """Whether any number is exact."""
        return any(size.exact is not None for row in self.plan.rows for size in row.sizes)

    @property
    def interval_of(self) -> str:
        """What has the interval that is to be as narrow as asked for."""
        if self.replication.scenario.slope is None:
            return "a difference of two conditions"
        return f"the slope of {escape(name_of_test(self.replication, CONDITION))}"


def amount(cost: float) -> Markdown:
    """Money, or whatever is counted, without decimals that are 0."""
    return Markdown(f"{cost:,.10g}")


def answers(found: Planned) -> list[Claim]:
    """What the page begins with: how many subjects, for how much, and how far to trust it."""
    return [
        *_sizes(found),
        *_effect(found),
        *_caution(found),
        *_width(found),
        *_cheapest(found),
    ]


def _sizes(found: Planned) -> list[Claim]:
    sizes = [(row, size) for row in found.plan.rows for size in row.sizes if size.experiments != 0]
    terms = list(dict.fromkeys(size.term for _, size in sizes))
    names = {term: escape(name_of_test(found.replication, term)) for term in terms}
    if names.get(CONDITION) == CONDITION:
        names[CONDITION] = Markdown("the conditions")
    tests = {term: f" in the test of {names[term]}" if len(terms) > 1 else "" for term in terms}
    questions = list(dict.fromkeys((found.plan.rows.index(row), size.term) for row, size in sizes))
    if len(questions) > FEW:
        of_term = {term: [(row, s) for row, s in sizes if s.term == term] for term in terms}
        return [_range(found, of_term[term], tests[term]) for term in terms]
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


def _range(found: Planned, designs: list[tuple[PlanRow, SizeRow]], test: str) -> Claim:
    """The sentence of one test where there are many designs or tests: from which to which."""

    def subjects(design: tuple[PlanRow, SizeRow]) -> int:
        size = design[1]
        return (size.subjects or found.plan.most + 1) if size.exact is None else size.exact

    by_power: dict[float, list[tuple[PlanRow, SizeRow]]] = {}
    for row, size in designs:
        by_power.setdefault(size.power, []).append((row, size))
    clauses: list[str] = []
    numbers: dict[str, int] = {}
    for power, of_power in by_power.items():
        fewest, most = min(of_power, key=subjects), max(of_power, key=subjects)
        low, high = found.answer(fewest[1]), found.answer(most[1])
        if clauses:
            rest = "" if low == high else f" to **{high}**"
            clauses.append(f"for {percent(power)} %, **{low}**{rest}")
            continue
        ends = f"**{low} subjects**"
        if low != high:
            ends = f"from {ends}, with {found.place(fewest[0])}, to **{high}**, "
            ends += f"with {found.place(most[0])}"
        clauses.append(f"For a power of {percent(power)} %{test} you need {ends}")
        numbers = {"low": subjects(fewest), "high": subjects(most)}
    return Claim("size", Markdown(f"{'; '.join(clauses)} (@tbl-sizes)."), None, numbers)


def _effect(found: Planned) -> list[Claim]:
    """What is to be found with so many subjects."""
    effects = [row.effect.d for row in found.plan.rows if row.effect and row.sizes]
    if not effects:
        return []
    replication = found.replication
    d = " to ".join(dict.fromkeys((num(min(effects), 3), num(max(effects), 3))))
    where = "between conditions"
    if replication.scenario.slope is not None:
        where = f"over the values of {escape(name_of_test(replication, CONDITION))}"
    said = (
        f"This is to find a largest difference of **d = {d}** {where} (@tbl-effect), by the "
        f"{METHODS[replication.test].name} test at the {percent(alpha(replication.level))} % level."
    )
    return [Claim("effect", Markdown(said), None, {"d": max(effects)})]


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
    if found.plan.precision is None:
        return []
    rows = [row for row in found.plan.rows if not row.missing]
    made = (
        f"make the {percent(found.replication.level)} % interval of {found.interval_of} "
        f"{found.plan.precision:g} wide on average"
    )
    if len(rows) > FEW:
        order = sorted(rows, key=lambda row: row.width or found.plan.most + 1)
        low, high = (found.number(row.width) for row in (order[0], order[-1]))
        said = f"**{low}** to **{high} subjects** {made}, depending on the design (@tbl-width)."
        return [Claim("width", Markdown(said), None, {"n": order[0].width})]
    claims = []
    for row in rows:
        place = found.place(row)
        said = f"With {place}, " if place else ""
        said += f"**{found.number(row.width)} subjects** {made}."
        claims.append(Claim("width", Markdown(said[0].upper() + said[1:]), None, {"n": row.width}))
    return claims


def _cheapest(found: Planned) -> list[Claim]:
    """The cheapest design, which chooses the observations itself, and what it takes for granted."""
    cost, rows = found.plan.cost, found.plan.rows
    if cost is None:
        return []
    rows = [row for row in rows if row.cheapest and not row.missing]
    rows = [row for row in rows if row.replicates == rows[0].replicates]
    each = (
        f"At {amount(cost.subject)} for a subject and {amount(cost.trial)} for each of its "
        "observations, the cheapest design with a power of"
    )
    claims = []
    for row in rows if len(rows) <= FEW else ():
        best = row.cheapest[0]
        place = found.place(row, trials=False)
        said = (
            f"{each} {percent(best.power)} %{f' and {place}' if place else ''} has "
            f"**{best.subjects:,} subjects with {counted(best.replicates, 'observation')} in each "
            f"cell**, and costs {amount(best.cost)}."
        )
        claims.append(Claim("cheapest", Markdown(said), None, {"cost": best.cost}))
    if len(rows) > FEW:
        costs = [row.cheapest[0].cost for row in rows]
        said = (
            f"{each} {percent(rows[0].cheapest[0].power)} % costs {amount(min(costs))} to "
            f"{amount(max(costs))} (@tbl-cost)."
        )
        claims.append(Claim("cheapest", Markdown(said), None, {"cost": min(costs)}))
    if claims and found.alike:
        said = (
            "That number of observations **takes subjects for alike in the effects of "
            "conditions**, so that one more observation says as much as one more subject. Where "
            "they differ it does not: say by how much in `strata:`."
        )
        claims.append(Claim("alike", Markdown(said)))
    return claims
