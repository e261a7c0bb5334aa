"""Which random variable each error row of the ANOVA is: S_i, own effects of levels, eta_ij."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twolevel.findings.results import Results
from twolevel.findings.varying.random_maths import ERROR, symbols
from twolevel.findings.varying.random_words import own_effects
from twolevel.summaries.anova_summary import Stratum
from twolevel.text.markdown import Markdown, code, num, tex, words


@dataclass(frozen=True)
class ErrorRows:
    """The symbol of each stratum's error that the model has, by stratum; and what these rows say.

    absent are the random variables of the model that no error of the ANOVA is.
    """

    symbols: Mapping[str, Markdown]
    said: list[Markdown]
    absent: list[Markdown]


def error_rows(found: Results) -> ErrorRows:
    """What each error of the ANOVA is in the model; nothing where there is no ANOVA."""
    strata = found.anova.strata
    if not strata:
        return ErrorRows({}, [], [])
    subject, residual = found.design.columns["subject"], strata[-1].stratum
    terms = zip(own_effects(found.mixed.random_terms), symbols(found.mixed), strict=True)
    flat = [pair for own, names in terms for pair in zip(own, names, strict=True)]
    known = {":".join([subject, *own.within]): symbol for own, symbol in flat if own.of is None}
    shown = {row.stratum: known[row.stratum] for row in strata[:-1] if row.stratum in known}
    shown[residual] = ERROR
    absent = [Markdown(f"${symbol}$") for _, symbol in flat if symbol not in shown.values()]
    said = [
        _said(row, shown[row.stratum], row is strata[-1], found)
        for row in strata
        if row.stratum in shown
    ]
    if absent:
        said.append(
            Markdown(
                f"The ANOVA has no row for {words(absent)}, which is part of the error of "
                f"{code(residual)} there."
            )
        )
    known_by = {stratum: Markdown(f"${symbol}$") for stratum, symbol in shown.items()}
    return ErrorRows(known_by, said, absent)


def _said(row: Stratum, symbol: str, is_error: bool, found: Results) -> Markdown:
    head = f"${symbol}$ is the error of {code(row.stratum)}"
    if row.ms is None or row.variance is None:
        return Markdown(f"{head}.")
    if is_error:
        return Markdown(
            f"{head}: its mean square is the variance, $\\hat\\sigma_w^2 = {tex(row.ms)}$."
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
