"""The results of a paper in APA style, paragraph by paragraph: terms, differences, what varies."""

from __future__ import annotations

from collections.abc import Sequence

from twolevel.findings.paper.in_italics import F_in_text, t_in_text, with_interval
from twolevel.findings.paper.rounded import compared_levels, decimals_found
from twolevel.findings.results import Results, first
from twolevel.findings.varying.random_words import (
    at_the_edge,
    is_intercept,
    tested_variances,
    variances,
)
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.summaries.mixed_summary import Contrast
from twolevel.summaries.rows import Estimate, FTest
from twolevel.text.apa import fixed, share
from twolevel.text.markdown import Markdown, escape, p_value

# Differences that a paragraph lists; of more it points to the table.
MOST_LISTED = 6


def results_text(found: Results) -> list[Markdown]:
    """The paragraphs.

    An estimate stands without test and interval where those of the page's model mislead, for it
    leaves out how subjects differ in what is estimated.
    """
    paragraphs = [
        _grand_mean(found) if not found.mixed.anova else "",
        " ".join(_term(found, row) for row in found.mixed.anova),
        " ".join(_slopes(found)),
        *_differences(found),
        " ".join(_spread(found)),
    ]
    return [Markdown(paragraph) for paragraph in paragraphs if paragraph]


def _grand_mean(found: Results) -> str:
    mean = found.mixed.grand_mean
    return f"The grand mean of {escape(found.response)} was {_estimated(found, '*M*', mean)}."


def _estimated(found: Results, symbol: str, row: Estimate) -> Markdown:
    """An estimate in the response's unit with its interval."""
    return with_interval(
        symbol,
        row.estimate,
        row.ci_low,
        row.ci_high,
        found.mixed.level,
        decimals_found(found),
        unit=found.in_unit,
    )


def _tested(found: Results, symbol: str, row: Estimate, variable: str | None) -> str:
    """An estimate with its interval and t test, where these do not mislead."""
    if _misleads(found, variable):
        decimals = decimals_found(found)
        return f"{symbol} = {fixed(row.estimate, decimals)}{found.in_unit}"
    said = _estimated(found, symbol, row)
    return said if row.p is None else f"{said}, {t_in_text(row.t, row.df, row.p)}"


def _misleads(found: Results, variable: str | None) -> bool:
    """Whether the model leaves out how subjects differ in the effect of a variable."""
    pooled = found.checks.pooled is not None and found.mixed.contrast_error == "pooled"
    variables = found.design.descriptives.variables
    return pooled and any(each.name == variable and each.within for each in variables)


def _term(found: Results, row: FTest) -> str:
    verdict = found.verdicts[row.term]
    interaction = len(verdict.parts) > 1
    name = escape(verdict.name)
    what = f"{name[:1].upper()}{name[1:]}" if interaction else f"The effect of {name}"
    if verdict.zeros:
        what += f" where {verdict.zeros} 0"
    if not verdict.tested:
        return f"{what} could not be tested, for its degrees of freedom cannot be estimated."
    test, how = verdict.decides, ""
    if verdict.epsilon is not None:
        how = f", with Greenhouse and Geisser’s correction (*ε* = {share(verdict.epsilon)})"
    elif verdict.elsewhere:
        how = ", in the model with all random effects that subjects’ data support"
    significant = "significant" if verdict.clear else "not significant"
    said = f"{what} was {significant}{how}, {F_in_text(test.F, test.df_num, test.df_den, test.p)}"
    size = first(found.anova.table, "term", row.term)
    if size is not None and size.generalised_eta2 is not None:
        ends = (size.generalised_eta2_low, size.generalised_eta2_high)
        eta = with_interval(
            "*η*²~G~", size.generalised_eta2, *ends, found.mixed.level, within_one=True
        )
        said += f", {eta}"
    return f"{said}."


def _slopes(found: Results) -> list[str]:
    said = []
    for slope in found.mixed.slopes:
        said.append(
            f"Per unit of {escape(slope.variable)}, mean {escape(found.response)} "
            f"{'rose' if slope.estimate >= 0 else 'fell'}, "
            f"{_tested(found, '*b*', slope, slope.variable)}."
        )
    return said


def _differences(found: Results) -> list[str]:
    """A paragraph of the differences of each factor's levels, and of those within others'."""
    mixed, paragraphs = found.mixed, []
    condition = escape(found.condition)
    if contrasts := compared_levels(found):
        where = f"Between levels of {condition}"
        paragraphs.append(_listed(found, where, contrasts, found.condition))
    for factor in mixed.factors:
        name = escape(factor.factor)
        if factor.contrasts:
            where = f"Between levels of {name}"
            paragraphs.append(_listed(found, where, factor.contrasts, factor.factor))
        if factor.within and not found.constrained:
            for level in factor.means:
                rows = [row for row in factor.within.contrasts if row.level == level.level]
                where = f"Between levels of {condition} where {name} is {escape(level.level)}"
                if len(factor.within.contrasts) <= 2 * MOST_LISTED and rows:
                    paragraphs.append(_listed(found, where, rows, found.condition))
    return paragraphs


def _listed(found: Results, where: str, rows: Sequence[Contrast], variable: str | None) -> str:
    tested = not _misleads(found, variable)
    prefix = ADJUSTMENTS[found.mixed.adjust].prefix if tested and len(rows) > 1 else ""
    if len(rows) > MOST_LISTED and not tested:
        return f"The {len(rows)} differences b{where[1:]} stand in the table."
    if len(rows) > MOST_LISTED:
        apart = sum(found.clear(row.p) for row in rows)
        by = f" ({prefix}-adjusted)" if prefix else ""
        return f"{where}, {apart} of {len(rows)} pairs differed significantly{by}; see the table."
    adjusted = f" (*p* {prefix}-adjusted)" if prefix else ""
    return f"{where}{adjusted}: {'; '.join(_difference(found, row, variable) for row in rows)}."


def _difference(found: Results, row: Contrast, variable: str | None) -> str:
    said = f"{escape(row.contrast)}, {_tested(found, '*MD*', row, variable)}"
    sizes = (
        ("*d*~z~", row.d_z, row.d_z_low, row.d_z_high),
        ("*d*~av~", row.d_av, row.d_av_low, row.d_av_high),
    )
    for symbol, value, low, high in sizes:
        if value is not None:
            said += f", {with_interval(symbol, value, low, high, found.mixed.level)}"
    return said


def _spread(found: Results) -> list[str]:
    """How much varies, how sure that is, and the boundary."""
    mixed, level, decimals = found.mixed, found.mixed.level, decimals_found(found)
    said = []
    for each in variances(mixed):
        row = found.interval(each.row.parameter)
        ends = (row.profile_low, row.profile_high)
        if each.is_correlation:
            what = each.said
            value = with_interval("*r*", each.row.sdcor, *ends, level, within_one=True)
        else:
            what = Markdown(f"subjects’ own {each.what}") if each.own else Markdown("residuals")
            value = with_interval("*SD*", each.row.sdcor, *ends, level, decimals)
        said.append(f"{what}, {value}")
    sentences = [f"The model’s random part: {'; '.join(said)}."]
    if is_intercept(mixed):
        icc = found.interval("icc")
        ends = (icc.profile_low, icc.profile_high)
        shown = with_interval("ICC", mixed.icc, *ends, level, within_one=True)
        sentences.append(f"The share of variance between subjects was {shown}.")
    if mixed.boundary:
        sentences.append(f"The fit was singular: REML estimated {at_the_edge(mixed)}.")
    test = mixed.between_variance
    if test is not None and test.statistic > 0:
        differed = "differed" if found.clear(test.p) else "did not differ significantly"
        sentences.append(
            f"Subjects {differed} from one another, RLRT = {test.statistic:.2f}, "
            f"*p* {p_value(max(test.p, 1 / test.draws))}."
        )
    sentences += [
        f"Subjects’ own {variance.what} {'varied' if found.clear(tested.p) else 'did not vary'} "
        f"significantly, RLRT = {tested.statistic:.2f}, *p* {p_value(tested.p)}."
        for variance, tested in tested_variances(mixed)
    ]
    return sentences
