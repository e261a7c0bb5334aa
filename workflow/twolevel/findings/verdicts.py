"""What a report says of each term's test: whether it is clear, by which test, and in which words.

A test decides only where its assumptions hold. Where sphericity is rejected, the ANOVA's with
Greenhouse and Geisser's correction does; where the model leaves out own effects that subjects' data
support, that of the model with them; else Kenward and Roger's. The test that decides stands first,
so that no sentence contradicts the p value beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twolevel.design.terms import factors_in_words, term_in_words
from twolevel.summaries.anova_summary import AnovaSummary, SphericityOfTerm
from twolevel.summaries.checks_summary import ChecksSummary, Look
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.rows import FTest
from twolevel.text.apa import F_test
from twolevel.text.confidence import alpha
from twolevel.text.markdown import Markdown, figures, words
from twolevel.text.methods import METHODS, STANDARD

# An epsilon of Greenhouse and Geisser's below which a pooled error misleads, where Mauchly's test
# is not defined (Maxwell & Delaney 2004, ch. 11, advise against relying on sphericity there).
SMALL_EPSILON = 0.75
# The looks at how residuals spread: over fitted values, and between the condition's levels.
SPREAD_LOOKS = ("spread", "conditions")
# The method of all tests of the mixed model on a page.
TESTED_BY = METHODS[STANDARD].name


@dataclass(frozen=True)
class Verdict:
    """A term in words, whether its effect is clear, and its tests as they stand in a sentence.

    parts are the factors of an interaction in words, one for a term that is none; zeros the
    numbers that the test holds at 0, with their verb, if any; quote the tests as they stand in
    brackets. decides is the test that decides, and epsilon Greenhouse and
    Geisser's where it corrects that. elsewhere says that the test of a model decides which has all
    that subjects' data support, tested that there is a test at all.
    """

    name: str
    parts: tuple[str, ...]
    variables: tuple[str, ...]
    clear: bool
    zeros: Markdown
    quote: Markdown
    decides: FTest
    epsilon: float | None
    elsewhere: bool
    tested: bool


def verdicts(mixed: MixedSummary, checks: ChecksSummary, anova: AnovaSummary) -> dict[str, Verdict]:
    """The verdict on each term, from the summaries of the mixed model, its checks and the ANOVA."""
    corrected = {row.term: row for row in anova.sphericity if rejected(row, mixed.level)}
    supported = {row.term: row for row in other_tests(mixed, checks)}
    return {
        row.term: _verdict(row, mixed, supported.get(row.term), corrected.get(row.term))
        for row in mixed.anova
    }


def other_tests(mixed: MixedSummary, checks: ChecksSummary) -> list[FTest]:
    """The tests that differ in a model with all that subjects' data support."""
    ours = {row.term: row for row in mixed.anova}
    tests = checks.pooled.tests if checks.pooled else []
    return [row for row in tests if not same_test(row, ours[row.term])]


def is_clear(p: float | None, level: float) -> bool:
    """Whether a test shows something, at one less the level; one without a p value does not."""
    return p is not None and p < alpha(level)


def spread_p(looks: Mapping[str, Look]) -> float | None:
    """The p value of one error variance for all, at which residuals are looked at in two ways.

    Over fitted values and between the condition's levels: one assumption, so that what is said of
    it is one thing, at its own level (Bonferroni). None where neither look has a test.
    """
    found = [looks[name].p for name in SPREAD_LOOKS if name in looks]
    known = [p for p in found if p is not None]
    return min(1.0, len(known) * min(known)) if known else None


def rejected(sphericity: SphericityOfTerm, level: float) -> bool:
    """Whether contrasts of a term's effect do not all have the same variance, by a test."""
    if sphericity.mauchly_p is None:
        return sphericity.gg_epsilon < SMALL_EPSILON and sphericity.mauchly_w is None
    return is_clear(sphericity.mauchly_p, level)


def _verdict(
    row: FTest,
    mixed: MixedSummary,
    supported: FTest | None,
    corrected: SphericityOfTerm | None,
) -> Verdict:
    term, variables = row.term, mixed.terms[row.term]
    zeros = numbers_in_words(mixed.held_at_zero.get(term, []), mixed)
    where = f" where {zeros} 0" if zeros else ""
    plain, decides = in_figures(row), row
    quote: str = f"{TESTED_BY} test{where}: {plain}"
    if corrected is not None:
        decides = FTest(
            term=term,
            F=corrected.F,
            df_num=corrected.df_num_gg,
            df_den=corrected.df_den_gg,
            p=corrected.p_gg,
        )
        # A model that pools strata has another F, corrected or not.
        without = "without it" if _same(row.F, corrected.F) else "in the mixed model"
        quote = (
            f"with Greenhouse and Geisser’s correction, {in_figures(decides)}; {without}, {quote}"
        )
    elif supported is not None:
        decides = supported
        # The page's own test stands beside it in the caution on what is pooled.
        with_all, shown = "with all own effects that subjects’ data support", in_figures(supported)
        quote = f"{with_all}, {TESTED_BY} test{where}: {shown}"
    return Verdict(
        name=term_in_words(term, variables),
        parts=tuple(factors_in_words(term, variables)),
        variables=tuple(variables),
        clear=is_clear(decides.p, mixed.level),
        zeros=zeros,
        quote=Markdown(quote),
        decides=decides,
        epsilon=None if corrected is None else corrected.gg_epsilon,
        elsewhere=decides is supported,
        tested=decides.p is not None,
    )


def _same(one: float | None, other: float | None) -> bool:
    """Whether two values of F are one, computed twice."""
    return one is not None and other is not None and abs(one - other) <= 1e-6 * abs(one)


def numbers_in_words(numbers: list[str], mixed: MixedSummary) -> Markdown:
    """Numbers, as the formula writes them, in words with their verb: age is, age and dose are."""
    if not numbers:
        return Markdown("")
    known = [name for variables in mixed.terms.values() for name in variables]
    named = [term_in_words(number, known) for number in numbers]
    return Markdown(f"{words(named)} {'is' if len(named) == 1 else 'are'}")


def in_figures(row: FTest) -> Markdown:
    """A test as it is reported: F(2, 14) = 51.36, p < .001."""
    if row.p is None:
        return Markdown("no test, for its degrees of freedom cannot be estimated")
    return figures(F_test(row.F, row.df_num, row.df_den, row.p))


def same_test(one: FTest, other: FTest) -> bool:
    """Whether two tests of a term are one, up to rounding."""
    pairs = ((one.F, other.F), (one.df_den, other.df_den))
    return all(
        a is not None and b is not None and abs(a - b) <= 1e-6 * max(abs(a), abs(b))
        for a, b in pairs
    )
