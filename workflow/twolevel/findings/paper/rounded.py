"""A study's tables rounded for people, as papers have them (APA style)."""

from __future__ import annotations

from twolevel.design.terms import term_in_words
from twolevel.findings.paper.paper_table import Heading, PaperTable, names, numbers
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import variances
from twolevel.inference.adjustments import ADJUSTMENTS
from twolevel.summaries.anova_summary import Partitioned
from twolevel.summaries.mixed_summary import Contrast
from twolevel.summaries.rows import Estimate, FTest
from twolevel.text.apa import decimals_of, degrees, fixed, interval, p_cell, share
from twolevel.text.confidence import percent
from twolevel.text.markdown import Markdown, escape, plain

# The names of these tables, in the order in which a paper has them.
ROUNDED = ("descriptives", "tests", "anova", "means", "contrasts", "varcorr")


def rounded_tables(found: Results) -> list[PaperTable]:
    """All of them, in this order."""
    return [
        descriptives_table(found),
        tests_table(found),
        anova_table(found),
        means_table(found),
        contrasts_table(found),
        variances_table(found),
    ]


def descriptives_table(found: Results) -> PaperTable:
    """n, M and SD of each cell and of each level alone."""
    of, decimals = found.design.descriptives, decimals_found(found)
    rows = [
        [
            *("all" if level is None else str(level) for level in cell.levels),
            f"{cell.n_subjects}",
            fixed(cell.mean, decimals),
            fixed(cell.sd, decimals),
        ]
        for cell in of.cells
    ]
    sampled = found.design.sampled
    repeated = any(cell.n_rows > cell.n_subjects for cell in of.cells if None not in cell.levels)
    notes = ["n counts subjects"]
    if repeated:
        notes.append("M and SD are of their means")
    elif of.by:
        notes.append("where a row is of all levels, M and SD are of subjects’ means")
    notes += [f"of a sample of {sampled.n_observations:,} observations"] if sampled else []
    return PaperTable(
        "descriptives",
        Markdown(f"Means and standard deviations of {escape(found.response)}{_in_unit(found)}."),
        (*names(*of.by), *numbers("n", "M", "SD")),
        rows,
        Markdown(f"{'; '.join(notes)}."),
    )


def tests_table(found: Results) -> PaperTable:
    """The F tests of terms in the mixed model."""
    rows = [[_term(found, row.term), *_test(row)] for row in found.mixed.anova]
    return PaperTable(
        "tests",
        Markdown("Type III tests of the mixed model, by Kenward and Roger’s method."),
        (*names("Effect"), *numbers("df1", "df2", "F", "p")),
        rows,
        Markdown("" if rows else "The formula has no terms but the intercept."),
    )


def anova_table(found: Results) -> PaperTable:
    """The ANOVA with partitioned errors and its effect sizes."""
    ci = _interval_heading(found)
    corrections = {row.term: row for row in found.anova.sphericity if row.contrasts > 1}
    rows = []
    for row in found.anova.table:
        known = corrections.get(row.term)
        rows.append(
            [
                _term(found, row.term),
                *_test(row),
                *([share(known.gg_epsilon), p_cell(known.p_gg)] if known else ["", ""]),
                share(row.generalised_eta2),
                _shares(row.generalised_eta2_low, row.generalised_eta2_high),
                share(row.partial_eta2),
                _shares(row.partial_eta2_low, row.partial_eta2_high),
            ]
        )
    headings = numbers("df1", "df2", "F", "p", "epsilon", "p (GG)")
    sizes = (*numbers("ges"), Heading(f"ges {ci}", escape(ci)))
    sizes += (*numbers("pes"), Heading(f"pes {ci}", escape(ci)))
    note = (
        "ε and the p value with it are Greenhouse and Geisser’s. Generalised η² as in afex."
        if found.anova.available
        else f"There is no exact ANOVA: {escape(found.anova.reason)}."
    )
    return PaperTable(
        "anova",
        Markdown("Repeated-measures ANOVA with partitioned errors."),
        (*names("Effect"), *headings, *sizes),
        rows,
        Markdown(note),
    )


def means_table(found: Results) -> PaperTable:
    """Marginal means by the mixed model."""
    mixed, rows = found.mixed, []
    for mean in mixed.means:
        rows.append([found.condition or "", "", str(mean.condition), *_estimate(found, mean)])
    for factor in mixed.factors:
        rows += [
            [factor.factor, "", str(level.level), *_estimate(found, level)]
            for level in factor.means
        ]
        if factor.within:
            rows += [
                [
                    str(found.condition),
                    f"{factor.factor} {cell.level}",
                    str(cell.condition),
                    *_estimate(found, cell),
                ]
                for cell in factor.within.means
            ]
    return PaperTable(
        "means",
        Markdown(f"Marginal means of {escape(found.response)}{_in_unit(found)}, by the model."),
        (*names("Factor", "Within", "Level"), *numbers("M", "SE", _interval_heading(found))),
        rows,
        Markdown(""),
    )


def contrasts_table(found: Results) -> PaperTable:
    """Pairwise differences of these means, standardised too."""
    ci, mixed = _interval_heading(found), found.mixed
    rows = [[found.condition or "", "", *_contrast(found, row)] for row in compared_levels(found)]
    for factor in mixed.factors:
        rows += [[factor.factor, "", *_contrast(found, row)] for row in factor.contrasts]
        if factor.within:
            rows += [
                [found.condition or "", f"{factor.factor} {row.level}", *_contrast(found, row)]
                for row in factor.within.contrasts
            ]
    adjustment = ADJUSTMENTS[mixed.adjust]
    return PaperTable(
        "contrasts",
        Markdown("Pairwise differences of marginal means."),
        (
            *names("Factor", "Within", "Difference"),
            *numbers("MD", ci, "t", "df", "p", "d_z"),
            Heading(f"d_z {ci}", escape(ci)),
            *numbers("d_av"),
            Heading(f"d_av {ci}", escape(ci)),
        ),
        rows,
        Markdown(f"*p* {escape(adjustment.words.removeprefix('p '))}."),
    )


def variances_table(found: Results) -> PaperTable:
    """What varies, by REML, with intervals by profile likelihood."""
    decimals, rows, varying = decimals_found(found), [], variances(found.mixed)
    together = " and correlations" if any(each.is_correlation for each in varying) else ""
    for each in varying:
        row = found.interval(each.row.parameter)
        ends = (row.profile_low, row.profile_high)
        if each.is_correlation:
            value, written = share(each.row.sdcor), _shares(*ends)
        else:
            value = fixed(each.row.sdcor, decimals)
            written = interval(*(fixed(end, decimals) for end in ends))
        rows.append([plain(each.said).partition(", $")[0], value, written])
    return PaperTable(
        "varcorr",
        Markdown(f"Standard deviations (SD){together}{_in_unit(found)}, by REML."),
        (*names("Parameter"), *numbers("Estimate", _interval_heading(found))),
        rows,
        Markdown("Intervals by profile likelihood."),
    )


def compared_levels(found: Results) -> list[Contrast]:
    """The differences of the condition's levels; none where all follow from its coefficients."""
    return [] if found.constrained else found.mixed.contrasts


def decimals_found(found: Results) -> int:
    """The decimals of what is in the response's unit."""
    return decimals_of(found.mixed.sigma_within)


def _interval_heading(found: Results) -> str:
    return f"{percent(found.mixed.level)}% CI"


def _in_unit(found: Results) -> str:
    return f", in {escape(found.unit)}" if found.unit else ""


def _term(found: Results, term: str) -> str:
    return term_in_words(term, found.mixed.terms.get(term, [])).removeprefix("the interaction of ")


def _test(row: FTest | Partitioned) -> list[str]:
    return [degrees(row.df_num), degrees(row.df_den), fixed(row.F), p_cell(row.p)]


def _shares(low: float | None, high: float | None) -> str:
    return interval(share(low), share(high))


def _estimate(found: Results, row: Estimate) -> list[str]:
    decimals = decimals_found(found)
    ends = interval(fixed(row.ci_low, decimals), fixed(row.ci_high, decimals))
    return [fixed(row.estimate, decimals), fixed(row.se, decimals), ends]


def _contrast(found: Results, row: Contrast) -> list[str]:
    decimals = decimals_found(found)
    sizes: list[str] = []
    for value, low, high in (
        (row.d_z, row.d_z_low, row.d_z_high),
        (row.d_av, row.d_av_low, row.d_av_high),
    ):
        known = value is not None
        sizes += [fixed(value) if known else "", interval(fixed(low), fixed(high)) if known else ""]
    ends = interval(fixed(row.ci_low, decimals), fixed(row.ci_high, decimals))
    tested = [fixed(row.t), degrees(row.df), p_cell(row.p)]
    return [row.contrast, fixed(row.estimate, decimals), ends, *tested, *sizes]
