"""How many subjects a study takes, claim by claim: what a planner came for."""

from __future__ import annotations

from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.sizing.cautious_effect import SAFEGUARD
from twolevel.findings.claim import Claim
from twolevel.findings.of_replication.config_words import name_of_test
from twolevel.findings.of_replication.how_many import FEW, Planned
from twolevel.findings.of_replication.precision_and_cost import cost_claims, precision_claims
from twolevel.summaries.plan_summary import PlanRow, SizeRow
from twolevel.text.confidence import LEVEL, alpha, percent
from twolevel.text.markdown import Markdown, escape, num
from twolevel.text.methods import METHODS


def answers(found: Planned) -> list[Claim]:
    """What the page begins with: how many subjects, for how much, and how far to trust it."""
    sizes = [*_sizes(found), *_differences(found), *_effect(found), *_caution(found)]
    return [*sizes, *precision_claims(found), *cost_claims(found)]


def _sizes(found: Planned) -> list[Claim]:
    sizes = [(row, size) for row in found.plan.rows for size in row.sizes if size.experiments != 0]
    terms = list(dict.fromkeys(size.term for _, size in sizes))
    tests = found.tests(terms)
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
        return found.fewest(design[1]) or found.plan.most + 1

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


def _differences(found: Planned) -> list[Claim]:
    """The sentence on pairwise differences: what the hardest to find takes, for each power."""
    by_power: dict[float, list[int | None]] = {}
    for row in found.plan.rows:
        for power in dict.fromkeys(size.power for size in row.differences):
            sizes = [s for s in row.differences if s.power == power and s.experiments != 0]
            if sizes:
                _, hardest = found.ends([found.fewest(size) for size in sizes])
                by_power.setdefault(power, []).append(hardest)
    if not by_power:
        return []
    (power, counts), *others = by_power.items()
    low, high = found.ends(counts)
    depending = ", depending on the design," if low != high else ""
    said = (
        f"With **{found.range(counts)} subjects**{depending} each pairwise difference that there "
        f"is has a power of {percent(power)} % or more ({found.criterion}; @tbl-differences)"
    )
    for power, more in others:
        said += f", and with **{found.range(more)}** one of {percent(power)} %"
    return [Claim("differences", Markdown(f"{said}."), None, {"low": low, "high": high})]


def _effect(found: Planned) -> list[Claim]:
    """What is to be found with so many subjects."""
    effects = [row.effect.d for row in found.plan.rows if row.effect and row.sizes]
    if not effects:
        return []
    replication = found.replication
    d = " to ".join(dict.fromkeys((f"{min(effects):.3g}", f"{max(effects):.3g}")))
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
