"""Which random variable each error row of the ANOVA is: S_i, own effects of levels, eta_ij."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twolevel.findings.results import Results
from twolevel.findings.varying.random_maths import ERROR, symbols
from twolevel.findings.varying.random_words import own_effects
from twolevel.summaries.anova_summary import Stratum
from twolevel.text.markdown import Markdown, code, num, tex, words

# By how much, relative to their size, two variances differ that are one, computed twice.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class ErrorRows:
    """The symbol of each stratum's error that the model has, by stratum; and what these rows say.

    absent are the slopes of subjects' own, which no error of the ANOVA is; free the own effects of
    a factor's levels, whose variances and covariances are any in the model, and not in the ANOVA.
    Where there are either, no error is a random variable of the model alone.
    """

    symbols: Mapping[str, Markdown]
    said: list[Markdown]
    absent: list[Markdown]
    free: list[Markdown]


def error_rows(found: Results) -> ErrorRows:
    """What each error of the ANOVA is in the model; nothing where there is no ANOVA."""
    strata = found.anova.strata
    if not strata:
        return ErrorRows({}, [], [], [])
    subject, residual = found.design.columns["subject"], strata[-1].stratum
    terms = zip(own_effects(found.mixed.random_terms), symbols(found.mixed), strict=True)
    flat = [pair for own, names in terms for pair in zip(own, names, strict=True)]
    absent = [Markdown(f"${symbol}$") for own, symbol in flat if own.is_slope]
    free = [Markdown(f"${symbol}$") for own, symbol in flat if own.of and not own.is_slope]
    if absent or free:
        return ErrorRows({}, list(_apart(found, absent, free)), absent, free)
    known = {":".join([subject, *own.within]): symbol for own, symbol in flat}
    shown = {row.stratum: known[row.stratum] for row in strata[:-1] if row.stratum in known}
    pooled = found.comparison.pooled
    shown |= dict.fromkeys([*pooled, residual], ERROR)
    said = [
        _said(row, shown[row.stratum], row is strata[-1], found)
        for row in strata
        if row.stratum in shown and row.stratum not in pooled
    ]
    known_by = {stratum: Markdown(f"${symbol}$") for stratum, symbol in shown.items()}
    return ErrorRows(known_by, said, [], [])


def _apart(found: Results, absent: list[Markdown], free: list[Markdown]) -> Iterator[Markdown]:
    """Where slopes and free effects of levels are among the ANOVA's errors."""
    *of_levels, _ = errors = [code(row.stratum) for row in found.anova.strata]
    if absent:
        of = "is part" if len(absent) == 1 else "are parts"
        yield Markdown(
            f"The ANOVA has no row for {words(absent)}, which {of} of the errors of "
            f"{words(errors)} there: their mean squares tell no variance of the model."
        )
    if free:
        yield Markdown(
            f"How subjects differ in {words(free)} makes the errors of {words(of_levels)}: the "
            "model lets each vary as it will and any two covary, the ANOVA takes all contrasts of "
            "levels to vary alike."
        )


def _said(row: Stratum, symbol: str, is_error: bool, found: Results) -> Markdown:
    head = f"${symbol}$ is the error of {code(row.stratum)}"
    if row.ms is None or row.variance is None:
        return Markdown(f"{head}.")
    if is_error and (pooled := found.comparison.pooled):
        errors = words([code(stratum) for stratum in [*pooled, row.stratum]])
        return Markdown(
            f"${symbol}$ is the error of {errors} together, whose mean squares the ANOVA keeps "
            "apart."
        )
    if is_error:
        ours = found.mixed.sigma_within**2
        same = abs(ours - row.ms) <= _ROUNDING * row.ms
        beside = "" if same else f", where the mixed model has ${tex(ours)}$"
        return Markdown(
            f"{head}: its mean square is the variance, $\\hat\\sigma_w^2 = {tex(row.ms)}${beside}."
        )
    strata, K = found.anova.strata, found.anova.per_subject
    if len(strata) == 2 and K is not None and not found.anova.averaged:
        within = strata[1].ms
        made = (
            rf"$K\sigma_b^2 + \sigma_w^2$ in expectation, with $K = {tex(K)}$ observations of a "
            rf"subject, so that $\hat\sigma_b^2 = ({tex(row.ms)} - {tex(within)})/{tex(K)} = "
            f"{tex(row.variance)}$"
        )
        return Markdown(f"{head}: its mean square, {num(row.ms)}, is {made}{_negative(row)}.")
    return Markdown(
        f"{head}: its mean square, {num(row.ms)}, holds the errors below it too; without these, "
        f"and divided by the observations of a level, it leaves the variance {num(row.variance)}"
        f"{_negative(row)}."
    )


def _negative(row: Stratum) -> str:
    below = row.variance is not None and row.variance < 0
    return ", below 0, which no variance can be" if below else ""
