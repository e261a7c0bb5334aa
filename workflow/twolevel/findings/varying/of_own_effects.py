"""What a report says of subjects' own effects by two stages: their variances, raw and corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from twolevel.random.effect_names import INTERCEPT
from twolevel.text.markdown import Markdown, counted, escape, num, words

if TYPE_CHECKING:
    from twolevel.findings.results import Results
    from twolevel.summaries.two_stage_summary import EffectCovarianceSummary


@dataclass(frozen=True)
class Variance:
    """A variance, or a covariance, of subjects' own effects: in words, raw, and corrected."""

    said: Markdown
    raw: float
    sampling: float
    corrected: float


@dataclass(frozen=True)
class OwnEffects:
    """What was estimated of every subject, in a sentence or two, and its variances by two stages.

    improper is what to say of corrected variances that no effects can have; None where all can be.
    """

    said: Markdown
    variances: list[Variance]
    improper: Markdown | None


def own_effects(found: Results) -> OwnEffects | None:
    """What the two-stage fit finds of subjects' own effects; None where means are all of these.

    Averages and spread are of the subjects whose observations can tell all effects apart.
    """
    level1, level2 = found.level1.own, found.two_stage.own
    if level1 is None or level2 is None:
        return None
    named = [escape(name) for name in effects_in_words(level2.effects)]
    q, subject = range(len(named)), found.design.columns["subject"]
    variances = [_entry(f"variance of {named[k]}", level2, k, k) for k in q]
    for each in level1.strata:
        said = f"variance of effects of {escape(nested_in_words(each.grp, subject))}"
        variances.append(Variance(Markdown(said), each.raw, each.sampling, each.corrected))
    negative = [each.said for each in variances if each.corrected < 0]
    for i, j in combinations(q, 2):
        variances.append(_entry(f"covariance of {named[i]} and {named[j]}", level2, i, j))

    spread = [
        Markdown(
            f"{name} average {num(level2.means[k])} (standard deviation "
            f"{num(level2.raw[k][k] ** 0.5, 3)})"
        )
        for k, name in enumerate(named)
    ]
    said = f"The estimates of subjects’ own {words(spread)}."
    if left := found.design.n_subjects - level1.n_estimable:
        said += (
            f" The observations of {counted(left, 'subject')} cannot tell all of them apart, and "
            "do without."
        )
    return OwnEffects(Markdown(said), variances, _improper(negative, level2.proper))


def _entry(said: str, level2: EffectCovarianceSummary, i: int, j: int) -> Variance:
    numbers = (level2.raw[i][j], level2.sampling[i][j], level2.corrected[i][j])
    return Variance(Markdown(said), *numbers)


def _improper(negative: list[Markdown], proper: bool) -> Markdown | None:
    if negative:
        few = "The corrected variance", "is", "It stands as it is"
        many = "The corrected variances", "are", "They stand as they are"
        one, verb, stand = few if len(negative) == 1 else many
        listed = words([Markdown(said.removeprefix("variance ")) for said in negative])
        return Markdown(
            f"{one} {listed} {verb} below 0, which no variance can be: the estimates vary *less* "
            f"than their own error would make them. {stand} here; the mixed model allows no "
            "variance below 0, and fits all at once."
        )
    if not proper:
        return Markdown(
            "The corrected variances and covariances ask for a correlation beyond ±1, which no "
            "effects can have. They stand as they are here; the mixed model finds the likeliest "
            "that can be."
        )
    return None


def effects_in_words(effects: Sequence[str]) -> list[str]:
    """Effects in the plural: means, or intercepts beside slopes of day and effects of dose[T.b]."""
    alone = "means" if list(effects) == [INTERCEPT] else "intercepts"
    return [
        alone
        if effect == INTERCEPT
        else f"{'effects' if effect.endswith(']') else 'slopes'} of {effect}"
        for effect in effects
    ]


def nested_in_words(grp: str, subject: str) -> str:
    """What the levels of a grouping factor are, besides the subject: treatment, or time × item."""
    return " × ".join(grp.removeprefix(f"{subject}:").split(":"))
