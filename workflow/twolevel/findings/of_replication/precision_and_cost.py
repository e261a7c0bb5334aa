"""What precision takes, and what is cheapest, claim by claim."""

from __future__ import annotations

from twolevel.experiments.between_subjects import GROUP
from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.findings.claim import Claim
from twolevel.findings.of_replication.config_words import name_of_test
from twolevel.findings.of_replication.how_many import FEW, Planned, amount
from twolevel.summaries.plan_summary import CheapestRow, WidthRow
from twolevel.text.confidence import LEVEL, percent
from twolevel.text.markdown import Markdown, counted, escape, words

# What has differences, where it is not called by its name.
_SEVERAL = {CONDITION: "two conditions", GROUP: "two groups"}


def precision_claims(found: Planned) -> list[Claim]:
    """How many subjects an interval's width takes."""
    plan = found.plan
    there = [(row, one) for row in plan.rows for one in row.widths if one.made]
    if plan.precision is None or not there:
        return []
    of = {one.variable: _interval_of(one) for _, one in there}
    level, wide = percent(found.replication.level), f"{plan.precision:g} wide on average"
    if len(there) <= FEW:
        claims = []
        for row, one in there:
            place = found.place(row)
            said = f"With {place}, " if place else ""
            said += (
                f"**{found.number(one.subjects)} subjects** make the {level} % "
                f"interval of {of[one.variable]} {wide}"
            )
            if not one.exact and one.subjects is not None:
                said += f" (found by simulation: {percent(LEVEL)} % interval {found.interval(one)})"
            claims.append(Claim("width", Markdown(f"{said}."), None, {"n": one.subjects}))
        return claims
    claims = []
    for name, interval in of.items():
        counts = [one.subjects for _, one in there if one.variable == name]
        low, high = found.ends(counts)
        depending = ", depending on the design," if low != high else ""
        said = (
            f"**{found.range(counts)} subjects**{depending} make the {level} % "
            f"interval of {interval} {wide} (@tbl-width)."
        )
        claims.append(Claim("width", Markdown(said), None, {"low": low, "high": high}))
    return claims


def _interval_of(one: WidthRow) -> str:
    if one.slope:
        return f"the slope of {escape(one.variable)}"
    return f"a difference of {_SEVERAL.get(one.variable, f'two levels of {escape(one.variable)}')}"


def cost_claims(found: Planned) -> list[Claim]:
    """The cheapest designs, and what these take for granted."""
    plan = found.plan
    there = [one for row in plan.rows for one in row.cheapest]
    if plan.cost is None:
        return []
    without = _without_cheapest(found, {one.term for one in there})
    if not there:
        return without
    power = there[0].power
    by_row = [(row, [one for one in row.cheapest if one.power == power]) for row in plan.rows]
    there = [one for _, own in by_row for one in own]
    terms = list(dict.fromkeys(one.term for one in there))
    tests = found.tests(terms)
    opening = (
        f"At {amount(plan.cost.subject)} for a subject and {amount(plan.cost.trial)} for each of "
        f"its observations, the cheapest design with a power of {percent(power)} %"
    )
    claims = []
    if len(there) <= FEW:
        for row, (first, *others) in ((row, own) for row, own in by_row if own):
            place = found.place(row, trials=False)
            said = f"{opening}{tests[first.term]}{f' and {place}' if place else ''} {_has(first)}"
            said += "".join(f"; that{tests[one.term]} {_has(one)}" for one in others)
            claims.append(Claim("cheapest", Markdown(f"{said}."), None, {"cost": first.cost}))
    else:
        for term in terms:
            prices = [one.cost for one in there if one.term == term]
            ends = dict.fromkeys((amount(min(prices)), amount(max(prices))))
            depending = ", depending on the design" if len(ends) > 1 else ""
            said = f"{opening}{tests[term]} costs **{' to '.join(ends)}**{depending} (@tbl-cost)."
            claims.append(Claim("cheapest", Markdown(said), None, {"cost": min(prices)}))
    if found.alike and CONDITION in terms:
        said = (
            "That number of observations **takes subjects for alike in the effects of "
            "conditions**, so that one more observation says as much as one more subject. Where "
            "they differ it does not: say by how much in `strata:`."
        )
        claims.append(Claim("alike", Markdown(said)))
    return claims + without


def _without_cheapest(found: Planned, there: set[str]) -> list[Claim]:
    """That tests of an effect have no cheapest design."""
    tested = dict.fromkeys(size.term for row in found.plan.rows for size in row.sizes)
    names = [escape(name_of_test(found.replication, term)) for term in tested if term not in there]
    if not names:
        return []
    said = (
        f"**No cheapest design** is known for the test of {words(names)}: either no exact theory "
        "says how its power rises with subjects and observations, or it takes more than "
        f"{found.plan.most:,} subjects."
    )
    return [Claim("no cheapest", Markdown(said))]


def _has(one: CheapestRow) -> str:
    trials = counted(one.replicates, "observation")
    return (
        f"has **{one.subjects:,} subjects with {trials} in each cell**, and costs "
        f"{amount(one.cost)}"
    )
