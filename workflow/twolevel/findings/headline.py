"""What was found, claim by claim, in the order of a report's headline."""

from __future__ import annotations

from twolevel.findings.cautions import cautions, pairs_share_an_error, unusual
from twolevel.findings.claim import Claim
from twolevel.findings.pairs import pairs_that_differ
from twolevel.findings.results import Results, first
from twolevel.findings.varying.of_random_part import of_random_part
from twolevel.findings.verdicts import TESTED_BY, Verdict
from twolevel.summaries.anova_summary import SphericityOfTerm
from twolevel.summaries.base import Level
from twolevel.summaries.mixed_summary import OtherFactor, Slope, WithinFactor
from twolevel.summaries.rows import FTest
from twolevel.text.apa import F_test
from twolevel.text.markdown import Markdown, escape, figures, num, numbers_of, p_value, words

# Levels up to which means are listed one by one.
FEW = 6
# Further terms of which a headline speaks, with a condition and without one.
MOST_TERMS, MOST_TERMS_ALONE = 8, 6


def headline(found: Results, most_apart: Markdown) -> list[list[Claim]]:
    """The paragraphs of the headline, each a list of claims.

    most_apart is the quantity in which the three methods differ most, in words.
    """
    effects = _of_condition(found) if found.condition else [_without_condition(found)]
    more = [
        [Claim("caution", said)]
        for said in cautions(found.mixed, found.checks, found.design.columns)
    ]
    look = unusual(found.checks)
    paragraphs = [
        *effects,
        *more,
        of_random_part(found),
        _of_methods(found, most_apart),
        [Claim("diagnostics", look, True)] if look else [],
    ]
    return [claims for claims in paragraphs if claims]


def _of_condition(found: Results) -> list[list[Claim]]:
    """What is found of the condition, and of other terms."""
    # Without the condition's own term, a term with others is no deviation from it.
    qualifying = [
        row for row in found.interactions if found.own_terms and found.verdicts[row.term].clear
    ]
    claims: list[Claim] = []
    told: list[str] = []  # factors for whose levels an interaction was told
    for row in qualifying:
        claim, factor = _interaction(found, row, told)
        claims.append(claim)
        told += [factor] if factor else []
    clear = False
    if len(found.own_terms) == 1:
        effect = _rise(found, found.slope, told, bool(qualifying)) if found.slope else None
        effect = effect or _difference(found, told, bool(qualifying))
        clear = bool(effect.clear)
        claims.append(effect)
    claims += [_sphericity(found, row) for row in found.not_spherical]
    if not (found.slope and len(found.own_terms) == 1):
        claims.append(_means(found))
        if len(found.own_terms) == 1 and not found.constrained and not told:
            levels = [mean.condition for mean in found.mixed.means]
            claims += _pairs(found, levels, clear)
    others = [
        of_term(found, row, in_detail=not told)
        for row in found.mixed.anova[:MOST_TERMS]
        if row not in found.own_terms and row not in qualifying
    ]
    return [claims, others]


def _without_condition(found: Results) -> list[Claim]:
    mean = found.mixed.grand_mean
    said = (
        f"The grand mean of {escape(found.response)} is **{num(mean.estimate)}**"
        f"{found.in_unit} (REML, standard error {num(mean.se, 3)})."
    )
    rows = found.mixed.anova[:MOST_TERMS_ALONE]
    return [
        Claim("grand_mean", Markdown(said), None, {"estimate": mean.estimate, "se": mean.se}),
        *(of_term(found, row, in_detail=True) for row in rows),
    ]


def _interaction(found: Results, row: FTest, told: list[str]) -> tuple[Claim, str | None]:
    """A clear interaction with the condition, and the factor whose levels it is told for."""
    verdict = found.verdicts[row.term]
    condition, response = escape(found.condition), escape(found.response)
    others = [name for name in verdict.variables if name != found.condition]
    said = (
        f"**The effect of {condition} on {response} depends on {words(others)}** "
        f"(interaction: {verdict.quote})"
    )
    told_for = None
    factor = first(found.mixed.factors, "factor", others[0]) if len(others) == 1 else None
    if factor and factor.within and len(factor.means) <= FEW and others[0] not in told:
        said += _within(found, factor, factor.within)
        told_for = factor.factor
    return Claim(row.term, Markdown(f"{said}."), True, _numbers(row)), told_for


def _within(found: Results, factor: OtherFactor, within: WithinFactor) -> str:
    """By how much the means change from the first level to the last within a factor's levels."""
    means = found.mixed.means
    changes: dict[Level, float | None]
    if within.slopes:
        over = f"per unit of {escape(found.condition)}"
        changes = {row.level: row.estimate for row in within.slopes}
    else:
        over = f"from {escape(means[0].condition)} to {escape(means[-1].condition)}"
        last = found.n_levels - 2  # the first level less the last among a level's differences
        changes = {}
        for mean in factor.means:
            own = [row for row in within.contrasts if row.level == mean.level]
            change = own[last].estimate
            changes[mean.level] = None if change is None else -change
    unit = f", in {escape(found.unit)}," if found.unit else ""
    by = numbers_of((num(changes[m.level], 3), m.level) for m in factor.means)
    return f": {over}, mean {escape(found.response)} changes{unit} by {by}" + _where_within(
        found, factor, within
    )


def _where_within(found: Results, factor: OtherFactor, within: WithinFactor) -> str:
    """Where the table of the differences within a factor's levels is, if it is shown."""
    shown = [other for other in found.mixed.factors if len(other.means) <= 12]
    if factor not in shown or len(within.contrasts) > 60:
        return ""
    return f" (all differences: @tbl-within-{shown.index(factor) + 1})"


def _rise(found: Results, slope: Slope, told: list[str], qualified: bool) -> Claim:
    """Whether the mean rises or falls with a condition that is a number, and by how much."""
    (test,) = found.own_terms
    verdict = found.verdicts[test.term]
    # The slope at the mean of all numbers: it is the test where that is the hypothesis of both.
    same = _same(slope, test)
    clear = verdict.clear if same else found.clear(slope.p)
    rises = slope.estimate >= 0
    low, high = slope.ci_low, slope.ci_high
    if not rises and low is not None and high is not None:
        low, high = -high, -low
    size = f"{num(abs(slope.estimate))}{found.in_unit}"
    condition, response = escape(found.condition), escape(found.response)
    verb, strong = ("rises" if rises else "falls"), ("" if qualified else "**")
    # The interval is that of the page's model, which a test in another may contradict.
    between = f"{found.level} interval {num(low)} to {num(high)}"
    shown = [] if same and verdict.elsewhere else [between]
    if clear:
        said = (
            f"{strong}{_on_average(told)}ean {response} {verb} by {size} per unit of "
            f"{condition}{strong}"
        )
    else:
        said = f"{strong}The data show no clear change of mean {response} with {condition}{strong}"
        shown = [", ".join([f"per unit, it {verb} by {size}", *shown])]
    quote: str = verdict.quote
    if not same:
        quote = (
            f"{TESTED_BY} test with other numbers at their means: "
            f"{figures(F_test(slope.t and slope.t**2, 1, slope.df, slope.p))}"
        )
    numbers = {key: getattr(slope, key) for key in ("estimate", "ci_low", "ci_high")}
    return Claim(test.term, Markdown(f"{said} ({'; '.join([*shown, quote])})."), clear, numbers)


def _difference(found: Results, told: list[str], qualified: bool) -> Claim:
    """Whether the mean differs between the condition's levels."""
    (test,) = found.own_terms
    verdict = found.verdicts[test.term]
    condition, response = escape(found.condition), escape(found.response)
    between = f"between the levels of {condition}"
    if verdict.clear:
        how = f"changes with {condition}" if found.constrained else f"differs {between}"
        what = f"{_on_average(told)}ean {response} {how}"
    elif verdict.tested:
        what = f"The data show no clear difference in mean {response} {between}"
    else:
        what = f"No overall test says whether mean {response} differs {between}"
    strong = "" if qualified else "**"
    said = Markdown(f"{strong}{what}{strong} ({verdict.quote}).")
    return Claim(test.term, said, verdict.clear if verdict.tested else None, _numbers(test))


def _sphericity(found: Results, sphericity: SphericityOfTerm) -> Claim:
    if sphericity.mauchly_p is None:
        shown = f"Greenhouse and Geisser's epsilon {num(sphericity.gg_epsilon, 3)}"
    else:
        shown = f"Mauchly's test of sphericity: p {p_value(sphericity.mauchly_p)}"
    cells = " of the means of cells" if found.anova.averaged else ""
    interact = len(sphericity.effect) > 1
    what = "Contrasts of the interaction of" if interact else "Differences between levels of"
    said = (
        f"{what} {words(sphericity.effect)} do not all have the same variance, as uncorrected "
        f"tests assume ({shown}); the corrected ones are those of the ANOVA{cells}."
    )
    numbers = {key: getattr(sphericity, key) for key in ("mauchly_p", "gg_epsilon")}
    return Claim("sphericity", Markdown(said), True, numbers)


def _means(found: Results) -> Claim:
    means = found.mixed.means
    many = len(means) > FEW
    which = f"The {len(means) if many else ''} {'marginal ' if found.other_terms else ''}means"
    unit = f", in {escape(found.unit)}," if found.unit else ""
    known = [mean.estimate for mean in means if mean.estimate is not None]
    lowest, highest = min(known, default=None), max(known, default=None)
    if many:
        listed = f"run from {num(lowest)} to {num(highest)}"
    else:
        listed = f"are {numbers_of((num(m.estimate), m.condition) for m in means)}"
    said = f"{' '.join(which.split())}{unit} {listed}."
    return Claim("means", Markdown(said), None, {"lowest": lowest, "highest": highest})


def _pairs(found: Results, levels: list[Level], clear: bool) -> list[Claim]:
    contrasts = found.mixed.contrasts
    said = pairs_that_differ(levels, contrasts, clear, found.mixed.adjust, found.mixed.level)
    if not said:
        return []
    shared = pairs_share_an_error(found.mixed, found.checks, found.anova)
    return [Claim("pairs", said), *([Claim("pairs' error", shared)] if shared else [])]


def of_term(found: Results, row: FTest, in_detail: bool) -> Claim:
    """What is found of a term besides the condition; in detail, of a factor, means and pairs."""
    verdict = found.verdicts[row.term]
    said = f"{_depends(found, verdict)} ({verdict.quote})"
    line = first(found.mixed.slopes, "term", row.term)
    factor = first(found.mixed.factors, "term", row.term)
    if verdict.clear and line and _same(line, row):
        verb = "rises" if line.estimate >= 0 else "falls"
        said += f": per unit, it {verb} by {num(abs(line.estimate))}{found.in_unit}."
    elif verdict.clear and factor and len(factor.means) <= FEW:
        means = factor.means
        said += f": its means are {numbers_of((num(m.estimate), m.level) for m in means)}."
        if in_detail:
            levels = [mean.level for mean in means]
            pairs = pairs_that_differ(
                levels, factor.contrasts, True, found.mixed.adjust, found.mixed.level
            )
            said += f" {pairs}"
    else:
        said += "."
    clear = verdict.clear if verdict.tested else None
    return Claim(row.term, Markdown(said), clear, _numbers(row))


def _depends(found: Results, verdict: Verdict) -> str:
    if verdict.clear:
        return f"Mean {escape(found.response)} depends on {escape(verdict.name)}"
    known = "There is no clear sign of" if verdict.tested else "Nothing is known of"
    if len(verdict.parts) > 1:
        return f"{known} {escape(verdict.name.replace('the ', 'an ', 1))}"
    return f"{known} an effect of {escape(verdict.name)}"


def _of_methods(found: Results, most_apart: Markdown) -> list[Claim]:
    available, pooled = found.anova.available, found.checks.pooled is not None
    if found.comparison.agree:
        errors = "one error within subjects" if pooled else "partitioned errors"
        others = f", the mixed model and the ANOVA with {errors}" if available else ""
        said = (
            f"The two-stage estimate{others or ' and the mixed model'} give the same numbers here, "
            "up to rounding."
        )
    elif not available:
        why = "No" if found.design.balanced else "The design is not balanced: no"
        said = (
            f"{why} exact ANOVA exists, and the two-stage estimate and the mixed model differ, "
            f"most in {most_apart} ([step 5](#sec-three))."
        )
    else:
        return []
    return [Claim("agreement", Markdown(said), found.comparison.agree)]


def _same(slope: Slope, test: FTest) -> bool:
    """Whether a slope's t test is the F test of its term."""
    if slope.t is None or test.F is None:
        return False
    return abs(slope.t**2 - test.F) <= 1e-6 * test.F


def _on_average(told: list[str]) -> str:
    """The beginning of a sentence about a mean: over factors that were told of before, if any."""
    return f"On average over {words(told)}, m" if told else "M"


def _numbers(test: FTest) -> dict[str, float | None]:
    return {key: getattr(test, key) for key in ("F", "df_num", "df_den", "p")}
