"""What the headline says of what is random: how much subjects vary, and how sure that is."""

from __future__ import annotations

from twolevel.findings.claim import Claim
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import (
    at_the_edge,
    how_much_varies,
    is_intercept,
    tested_variances,
)
from twolevel.text.markdown import Markdown, num, p_value


def of_random_part(found: Results) -> list[Claim]:
    """How much subjects vary, and how sure that is, as the headline says it."""
    return _of_intercepts(found) if is_intercept(found.mixed) else _of_effects(found)


def _of_effects(found: Results) -> list[Claim]:
    """How much subjects vary in what the model lets them have of their own."""
    mixed = found.mixed
    deviations = {row.parameter: row.sdcor for row in mixed.varcorr}
    claims = [Claim("subjects", how_much_varies(mixed, found.in_unit, "**"), None, deviations)]
    unclear = [
        (variance, test.p)
        for variance, test in tested_variances(mixed)
        if not found.clear(test.p) and test.statistic > 0
    ]
    if unclear:
        *others, last = (f"{each.what} (p {p_value(p)})" for each, p in unclear)
        listed = " or ".join(filter(None, [", ".join(others), last]))
        said = f"The data do not clearly show that subjects differ in their own {listed}."
        tests = {each.row.parameter: p for each, p in unclear}
        claims.append(Claim("own effects", Markdown(said), False, tests))
    if mixed.boundary:
        said = (
            f"REML estimates {at_the_edge(mixed)}: a *boundary fit*. It is a result, not a "
            "failure; [step 4](#sec-mixed) says what it means."
        )
        claims.append(Claim("boundary", Markdown(said)))
    left = " that the fixed effects leave" if mixed.anova else ""
    share = (
        f"On average over observations, {num(100 * mixed.icc, 3)} % of the variance{left} is what "
        f"subjects differ by (ICC {num(mixed.icc, 3)})."
    )
    return [*claims, Claim("icc", Markdown(share), None, {"icc": mixed.icc})]


def _of_intercepts(found: Results) -> list[Claim]:
    mixed, unit = found.mixed, found.in_unit
    between, within = mixed.sigma_between, mixed.sigma_within
    assert mixed.between_variance is not None  # which only this model has
    sigmas = {"sigma_between": between, "sigma_within": within}
    if mixed.boundary:
        high = found.interval("sigma_between").profile_high
        said = (
            "**Subjects differ no more than the scatter within subjects alone would make them**: "
            "the standard deviation between subjects is estimated as exactly 0 "
            f"({found.level} profile-likelihood interval up to {num(high, 3)}), within subjects as "
            f"{num(within, 3)}{unit} (REML). This is a *boundary fit*. It is a result, not a "
            "failure; [step 4](#sec-mixed) says what it means."
        )
        return [Claim("subjects", Markdown(said), False, sigmas)]
    p = mixed.between_variance.p
    if found.clear(p):
        said = (
            f"**Subjects differ from one another with a standard deviation of {num(between, 3)}**"
            f"{unit}, and observations within a subject with one of {num(within, 3)}{unit} (REML)."
        )
    else:
        said = (
            "**The data do not clearly show that subjects differ**: the standard deviation between "
            f"them is estimated as {num(between, 3)}{unit}, within subjects as "
            f"{num(within, 3)}{unit} (REML; exact test of no differences: p {p_value(p)})."
        )
    icc, share = found.interval("icc"), mixed.icc
    left = " that the fixed effects leave" if mixed.anova else ""
    of_variance = (
        f"{num(100 * share, 3)} % of the variance{left} lies between subjects (ICC "
        f"{num(share, 3)}, {found.level} profile-likelihood interval "
        f"{num(icc.profile_low, 3)} to {num(icc.profile_high, 3)})."
    )
    return [
        Claim("subjects", Markdown(said), found.clear(p), sigmas | {"p": p}),
        Claim("icc", Markdown(of_variance), None, {"icc": share}),
    ]
