"""What a reader has to know before trusting a report: assumptions that this design does not meet.

Each caution is a sentence or two at the headline, with the remedy: which other model or program
is made for such data.
"""

from __future__ import annotations

from collections.abc import Mapping

from twolevel.design.terms import term_in_words
from twolevel.findings.varying.random_words import has_slopes, left_out
from twolevel.findings.verdicts import in_figures, is_clear, other_tests, rejected, spread_p
from twolevel.summaries.anova_summary import AnovaSummary
from twolevel.summaries.checks_summary import ChecksSummary, Look
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.text.markdown import Markdown, code, escape, num, p_value, words
from twolevel.text.numbers import written

_LOOKS = {
    "residual": "residuals are not normal (@fig-quantiles)",
    "random effect": "predicted random effects are not normal (@fig-quantiles)",
}
_UNEQUAL = Markdown("residuals do not spread equally (@fig-residuals and @fig-scale)")
# Terms of which other tests are told.
MOST_TESTS = 4


def cautions(
    mixed: MixedSummary, checks: ChecksSummary, columns: Mapping[str, str]
) -> list[Markdown]:
    """The cautions of a study, from its fit, its checks and the user's names of its columns."""
    found = [
        _not_made_for(mixed, checks, columns),
        _pooled(mixed, checks),
        _unconnected(checks, columns),
        _neighbours(mixed, checks, columns),
    ]
    return [caution for caution in found if caution is not None]


def _not_made_for(
    mixed: MixedSummary, checks: ChecksSummary, columns: Mapping[str, str]
) -> Markdown | None:
    values = checks.response_values
    if values is None:
        return None
    response, variables = escape(columns["response"]), mixed.formula.partition("~")[2].strip()
    listed = words([escape(written(value)) for value in values])
    took = f"{response} takes {len(values)} values only ({listed})"
    bars = f"{variables} + {mixed.random}"
    if len(values) == 2:
        high = written(values[1])
        logistic = f"lme4::glmer(({columns['response']} == {high}) ~ {bars}, family = binomial)"
        kind = (
            f"A *logistic mixed model*, of the chance of {high} instead of its mean, is: in R "
            f"{code(logistic)}, in Python statsmodels’ BinomialBayesMixedGLM."
        )
    else:
        cumulative = f"ordinal::clmm(factor({columns['response']}) ~ {bars})"
        kind = (
            "An *ordinal mixed model*, of the chance of each step, is: in R "
            f"{code(cumulative)}, or brms with {code('family = cumulative()')}."
        )
    return Markdown(
        f"**This model is not made for such a response**: {took}, and errors cannot be normal with "
        f"one variance for all. {kind} Means below are described rightly; tests and intervals are "
        "at best rough."
    )


def _pooled(mixed: MixedSummary, checks: ChecksSummary) -> Markdown | None:
    """What the model leaves out though subjects' data support it, and the tests with it."""
    pooled = checks.pooled
    if pooled is None:
        return None
    said = (
        f"**Errors are pooled here**: each subject's data support {left_out(pooled)} too, and "
        f"this page's model, {code(mixed.random)}, counts how subjects differ in that as error of "
        "single observations. "
    )
    if pooled.reason is not None:
        return Markdown(f"{said}No model with it was fitted: {escape(pooled.reason)}.")
    ours = {row.term: row for row in mixed.anova}
    other = [
        f"{escape(term_in_words(row.term, mixed.terms[row.term]))}, {in_figures(row)} instead of "
        f"{in_figures(ours[row.term])}"
        for row in other_tests(mixed, checks)
    ]
    if not other:
        return Markdown(f"{said}A model with it has the same tests here.")
    more = f"; and {len(other) - MOST_TESTS} more" if len(other) > MOST_TESTS else ""
    return Markdown(
        f"{said}A model with it gives other tests: {'; '.join(other[:MOST_TESTS])}{more}. Trust "
        "these rather than the tests of this page; to have them on it, write "
        f"{code(pooled.random)} in the formula."
    )


def _unconnected(checks: ChecksSummary, columns: Mapping[str, str]) -> Markdown | None:
    sets = checks.unconnected
    if not sets:
        return None
    some = [f"{words(levels[:8])}{' …' if len(levels) > 8 else ''}" for levels in sets[:6]]
    more = f"; and {len(sets) - 6} sets more" if len(sets) > 6 else ""
    return Markdown(
        f"**Not all levels of {escape(columns['condition'])} can be compared within subjects**: no "
        f"subject was seen under levels of two of the sets {'; '.join(some)}{more}. What differs "
        "between these sets may as well be a difference between their subjects; only within a set "
        "do subjects serve as their own controls. An overall test and the marginal means mix both."
    )


def _neighbours(
    mixed: MixedSummary, checks: ChecksSummary, columns: Mapping[str, str]
) -> Markdown | None:
    why, found = follows(mixed, checks), checks.following
    if why is None:
        return None
    looks, condition = checks.diagnostics.looks, escape(columns["condition"])
    remedy = (
        f"A model with autocorrelated errors is made for such data (in R, {code('nlme::lme')} with "
        f"{code('correlation = corCAR1()')}). Tests of {condition} that take all rows for "
        "independent are too sure of themselves."
    )
    alike = f"neighbouring residuals are alike ({_lag(looks['neighbours'])})"
    if why == "alike":
        return Markdown(f"**In the order of {condition}, {alike}**. {remedy}")
    around = looks.get("neighbours around lines")
    if around is not None and is_clear(around.p, checks.level):
        alike += f", even around a line of each subject’s own ({_lag(around)})"
    if why == "besides" or found is None:
        return Markdown(
            f"**Errors follow one another in the order of {condition}**, besides what slopes of "
            f"subjects’ own explain: {alike}. {remedy}"
        )
    return Markdown(
        f"**Errors follow one another in the order of {condition}**, which explains these data "
        f"better than slopes of subjects’ own (AIC lower by {num(-found.aic_less, 2)}; errors a "
        f"step apart correlate by {num(found.rho, 2)}): {alike}. {remedy}"
    )


def _lag(look: Look) -> str:
    return (
        f"lag-1 autocorrelation {num(look.statistic, 2)}, where independent errors give "
        f"{num(look.expected, 2)} on average; Monte Carlo p {p_value(look.p)}"
    )


def follows(mixed: MixedSummary, checks: ChecksSummary) -> str | None:
    """What makes neighbouring residuals alike, where they are by more than chance.

    "errors" that follow one another, by the AIC; such errors "besides" slopes of subjects' own;
    "alike" where slopes are not at issue; None where nothing is alike, or slopes that the model
    leaves out explain it alone.
    """
    looks, found = checks.diagnostics.looks, checks.following
    neighbours = ("neighbours", "neighbours around lines")
    clear = {name for name in neighbours if name in looks and is_clear(looks[name].p, checks.level)}
    if not clear:
        return None
    if found and found.aic_less < 0:
        return "errors"
    if has_slopes(mixed.random_terms) or "neighbours around lines" in clear:
        return "besides"
    left_out_slopes = checks.pooled is not None and has_slopes(checks.pooled.left_out)
    return None if left_out_slopes else "alike"


def unusual(checks: ChecksSummary) -> Markdown | None:
    """What the diagnostic plots show by more than chance, if anything.

    A response of few values cannot but have residuals in bands, and spread that changes with them.
    """
    looks, level = checks.diagnostics.looks, checks.level
    of_others = {
        name: f"predicted random effects of {escape(of)} are not normal (@fig-quantiles)"
        for name, of in ((name, name.partition(": ")[2]) for name in looks)
        if of
    }
    warned = [
        Markdown(warning)
        for name, warning in (_LOOKS | of_others).items()
        if name in looks and is_clear(looks[name].p, level)
        if not (name == "residual" and checks.response_values)
    ]
    if not checks.response_values and is_clear(spread_p(looks), level):
        warned.append(_UNEQUAL)
    if not warned:
        return None
    return Markdown(f"**Check before you trust it**: {words(warned)}, by more than chance.")


def pairs_share_an_error(
    mixed: MixedSummary, checks: ChecksSummary, anova: AnovaSummary
) -> Markdown | None:
    """What to say with pairwise differences whose errors are not equal, as they take them."""
    if mixed.contrast_error == "own":
        return None
    uneven = [row for row in anova.sphericity if rejected(row, checks.level) and not row.effect[1:]]
    if uneven:
        sphericity = uneven[0]
        multivariate = 'emmeans(aov_ez(...), model = "multivariate")'
        return Markdown(
            "These pairwise differences share one pooled error, although differences between "
            f"levels of {escape(sphericity.effect[0])} do not all have the same variance "
            f"(Greenhouse and Geisser’s epsilon {num(sphericity.gg_epsilon, 3)}): intervals of "
            "pairs that vary much are too short, those of others too long. Give each pair its own "
            f"error instead: {code('contrast_error: own')} in the study’s entry of the config (in "
            f"R, {code(multivariate)})."
        )
    if checks.pooled:
        return Markdown(
            "These pairwise differences share one pooled error, which leaves out how subjects "
            "differ in these effects: their intervals can be too short. Give each pair its own "
            f"error instead: {code('contrast_error: own')} in the study’s entry of the config."
        )
    return None
