"""What a planned design has besides conditions, claim by claim: groups, covariates, who leaves."""

from __future__ import annotations

from collections.abc import Mapping

from twolevel.findings.claim import Claim
from twolevel.summaries.replication_summary import ReplicationSummary, ScenarioSummary
from twolevel.text.markdown import Markdown, escape, num, words


def planned_design(replication: ReplicationSummary) -> list[Claim]:
    """The sentences that follow the equation of the data."""
    where = replication.scenario
    if replication.whole:
        said = (
            "Responses have the model and the rows of that study: its subjects, more or fewer of "
            "them, in proportion to its groups."
        )
        return [Claim("whole", Markdown(said)), *_rest(where)]
    claims = [*_strata(where), *_groups(where), *_interactions(where), *_covariates(where)]
    return claims + _rest(where)


def _rest(where: ScenarioSummary) -> list[Claim]:
    claims = []
    if where.between.dropout:
        claims.append(Claim("dropout", Markdown(f"{_leaving(where)} Who has left stays away.")))
    if where.adjust is not None:
        said = (
            f"All pairwise differences of means are tested too, adjusted: {escape(where.adjust)}."
        )
        claims.append(Claim("adjust", Markdown(said)))
    return claims


def _strata(where: ScenarioSummary) -> list[Claim]:
    strata = where.strata or {}
    if len(strata) < 2:
        return []
    parts = words([f"{name} (SD {num(sd, 3)})" for name, sd in strata.items()])
    return [Claim("strata", Markdown(f"Subjects have effects of their own of {parts}."))]


def _groups(where: ScenarioSummary) -> list[Claim]:
    groups = where.between.groups
    if not groups:
        return []
    total = sum(group.size for group in groups.values())
    parts = []
    for name, group in groups.items():
        own = []
        if group.effect:
            own.append(f"means larger by {num(group.effect, 3)}")
        if group.conditions is not None:
            own.append(f"effects {_effects(group.conditions)}")
        if group.slope is not None:
            own.append(f"slope {num(group.slope, 3)}")
        of = f": {', '.join(own)}" if own else ""
        share = num(100 * group.size / total, 3)
        parts.append(f"{escape(name)} ({share} % of the subjects{of})")
    return [Claim("groups", Markdown(f"Subjects are in {len(groups)} groups: {'; '.join(parts)}."))]


def _effects(conditions: Mapping[str, object]) -> str:
    given = conditions.items()
    return ", ".join(
        f"{escape(name)} {num(effect, 3) if isinstance(effect, float) else escape(effect)}"
        for name, effect in given
    )


def _interactions(where: ScenarioSummary) -> list[Claim]:
    claims = []
    for term, cells in where.between.interactions.items():
        said = f"The interaction {escape(term)} adds {_effects(cells)}."
        claims.append(Claim(term, Markdown(said)))
    return claims


def _covariates(where: ScenarioSummary) -> list[Claim]:
    claims = []
    for name, covariate in where.between.covariates.items():
        said = (
            f"Subjects differ in {escape(name)} (mean {num(covariate.mean, 3)}, SD "
            f"{num(covariate.sd, 3)}), with each unit of which the response rises by "
            f"{num(covariate.slope, 3)}; the same values, those of a normal sample's quantiles in "
            "each group, are in all experiments."
        )
        claims.append(Claim(name, Markdown(said)))
    return claims


def _leaving(where: ScenarioSummary) -> str:
    given = where.between.dropout
    if not isinstance(given, Mapping):
        return f"By the last time, {num(100 * given, 3)} % of the subjects have left."
    parts = []
    for name, share in given.items():
        if isinstance(share, Mapping):
            by = ", ".join(f"{num(100 * s, 3)} % by {escape(t)}" for t, s in share.items())
            parts.append(f"of {escape(name)} {by}")
        else:
            of = "of" if name in where.between.groups else "by"
            parts.append(f"{num(100 * share, 3)} % {of} {escape(name)}")
    return f"Subjects leave: {'; '.join(parts)}."
