"""A study's analysis in JASP, as steps in words."""

from __future__ import annotations

from twolevel.design.terms import term_in_words
from twolevel.findings.paper.code.analysis import Analysis
from twolevel.random.bars import Bar
from twolevel.text.markdown import Markdown, code, escape, words


def in_jasp(of: Analysis) -> list[Markdown]:
    """What to click, item by item."""
    names = list(dict.fromkeys([of.subject, *of.labels, *(each.name for each in of.factors)]))
    numbers = [each.name for each in of.variables if each.levels is None]
    scale = f", that of {words([of.response, *numbers])} Scale"
    steps = [
        f"Open {code('data.csv')}. Make the type of {words(names)} Nominal{scale}, and put the "
        "levels of each factor into this page’s order (click on the column’s name).",
        *_combined(of),
        f"*Mixed Models* › *Linear Mixed Models*: dependent variable {escape(of.response)}; "
        f"fixed effects variables {words([each.name for each in of.variables]) or 'none'}; "
        f"random effects grouping factors {words([_grouping(bar) for bar in _groupings(of)])}.",
        f"Under *Model*, keep as fixed effects {_terms(of)}; {_random(of)}.",
        "Under *Options*, choose type III tests, Kenward–Roger as test method, and REML.",
    ]
    if of.pairs:
        factors = words(list(dict.fromkeys(factor for factor, _ in of.pairs)))
        steps.append(
            f"Under *Estimated marginal means*, take {factors}; differences stand under *Specify "
            f"contrasts*, adjusted by {'no method' if of.adjust == 'none' else of.adjust.title()}."
        )
    if of.crossed and of.names(within=True):
        steps.append(
            "For the ANOVA of step 5, *ANOVA* › *Repeated Measures ANOVA* takes a wide table, with "
            f"a row for each {escape(of.subject)} and a column for each combination of levels of "
            f"{words(of.names(within=True))}; tick *General η²* and *Sphericity corrections*."
        )
    return [Markdown(step) for step in steps]


def _groupings(of: Analysis) -> list[Bar]:
    return list({bar.grouping: bar for bar in of.formula.bars}.values())


def _grouping(bar: Bar) -> str:
    return "_".join(bar.grouping)


def _combined(of: Analysis) -> list[str]:
    """Columns that JASP needs for levels of several columns together."""
    made = [bar for bar in _groupings(of) if len(bar.grouping) > 1]
    return [
        f"Add a computed column {escape(_grouping(bar))}, which has a level of its own for each "
        f"combination of {words(list(bar.grouping))}."
        for bar in made
    ]


def _terms(of: Analysis) -> str:
    if not of.terms:
        return "the intercept alone"
    return words([term_in_words(term, names) for term, names in of.terms.items()])


def _random(of: Analysis) -> str:
    """What to leave ticked among the random effects."""
    said = []
    for grouping in dict.fromkeys(bar.grouping for bar in of.formula.bars):
        left = [bar.formula for bar in of.formula.bars if bar.grouping == grouping]
        slopes = [text.removeprefix("0 + ").removeprefix("1 + ") for text in left if text != "1"]
        intercept = any(text.startswith("1") for text in left)
        kept = [*(["the intercept"] if intercept else []), *map(escape, slopes)]
        apart = ", without correlations" if len(left) > 1 else ""
        said.append(f"{words(kept)}{apart} for {escape('_'.join(grouping))}")
    return f"and as random effects only {'; '.join(said)}"
