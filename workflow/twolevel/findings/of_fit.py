"""What a report says of the fitted model: whether subjects differ, and how much is explained."""

from __future__ import annotations

from twolevel.findings.claim import Claim
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import is_intercept
from twolevel.text.markdown import Markdown, counted, num, p_value, simulated_p


def whether_subjects_differ(found: Results) -> list[Claim]:
    """The exact test that subjects do not differ at all, and what it shows.

    Nothing where the model has more than a random intercept.
    """
    test = found.mixed.between_variance
    if test is None:
        return []
    numbers = {"statistic": test.statistic, "p": test.p}
    if test.statistic == 0:
        said = (
            "Against $\\sigma_b = 0$ the data say nothing: the likelihood is highest there, the "
            "restricted likelihood ratio statistic is 0, and p = 1."
        )
        return [Claim("subjects", Markdown(said), False, numbers)]
    clear = found.clear(test.p)
    how = (
        f"The restricted likelihood ratio statistic of $\\sigma_b = 0$ is {num(test.statistic)}. "
        f"Under the hypothesis it is 0 in {num(100 * test.boundary_share, 3)} % of data sets of "
        f"this design, and its exact distribution is simulated: p {simulated_p(test.p, test.draws)}"
        f" (exact test of Crainiceanu and Ruppert, {test.draws:,} draws)."
    )
    usual = (
        "The usual approximation, an equal mixture of 0 and a chi-square variable with one degree "
        f"of freedom, gives p {p_value(test.p_mixture)}."
    )
    high = num(found.interval("sigma_between").profile_high, 3)
    shown = (
        "The data show differences between subjects."
        if clear
        else "The data do not clearly show that subjects differ; nor do they show that they do "
        "not, as the upper end of the interval of $\\sigma_b$, "
        f"{high}{found.in_unit}, says."
    )
    return [
        Claim("test", Markdown(how), clear, numbers),
        Claim("mixture", Markdown(usual), None, {"p": test.p_mixture}),
        Claim("subjects", Markdown(shown), clear, numbers),
    ]


def how_much_is_explained(found: Results) -> list[Claim]:
    """The shares of the variance by R^2, and how many independent observations the data count for.

    That is N divided by the design effect.
    """
    mixed, r2 = found.mixed, found.mixed.r2
    only = is_intercept(mixed)
    averaged = "" if only else ", with what is random averaged over observations, as Johnson has it"
    source = f"(conditional $R^2$; Nakagawa and Schielzeth{averaged})"
    both = f"{num(_percent(r2.conditional), 3)} %"
    if mixed.anova:
        shares = (
            f"The fixed effects account for {num(_percent(r2.marginal), 3)} % of the variance "
            f"(marginal $R^2$), fixed effects and subjects together for {both} {source}."
        )
    else:
        shares = (
            f"There are no fixed effects besides the mean; subjects account for {both} of the "
            f"variance {source}."
        )
    N = found.design.n_observations
    worth = N / mixed.design_effect
    if mixed.boundary and only:
        alike = (
            "The design effect is 1: observations of a subject are no more alike than others, so "
            "that each counts as an independent one."
        )
    else:
        alike = (
            f"The design effect is {num(mixed.design_effect, 3)}: because observations of a "
            f"subject are alike, the plain mean of all {counted(N, 'observation')} is as uncertain "
            f"as that of {num(worth, 3)} independent ones."
        )
    return [
        Claim("r2", Markdown(shares), None, dict(r2)),
        Claim("design effect", Markdown(alike), None, {"worth": worth}),
    ]


def boundary_refits(found: Results) -> Claim:
    """How often chance alone makes a boundary fit, by the bootstrap."""
    refits, at_zero = found.mixed.bootstrap.refits, found.mixed.bootstrap.boundary_refits
    of = f"Of {refits:,} data sets simulated from the fitted model, "
    what = (
        "an estimate of exactly 0 for $\\sigma_b$"
        if is_intercept(found.mixed)
        else "a boundary fit"
    )
    if at_zero:
        said = (
            f"{of}{at_zero:,} gave {what}: chance alone makes boundary fits of a design like this."
        )
    else:
        said = f"{of}not one gave {what}."
    return Claim("boundary", Markdown(said), None, {"share": at_zero / refits})


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
