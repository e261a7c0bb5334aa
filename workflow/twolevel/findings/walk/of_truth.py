"""The truth of a simulated study: as the config gives it, and as deviations that sum to zero."""

from __future__ import annotations

from twolevel.findings.results import FEW_LEVELS, Results
from twolevel.summaries.truth_summary import TruthSummary
from twolevel.text.markdown import Markdown, escape, num, numbers_of, tex, words


def truth_in_words(found: Results) -> list[Markdown]:
    """What was put into a simulated study, in two sentences or three; nothing of real data."""
    truth = found.truth
    if truth is None:
        return []
    entered = truth.entered
    grand = rf"$\mu = {_plain(entered.grand_mean)}$"
    if truth.slope is not None:
        grand += f" where {escape(found.condition)} is 0, a slope of {num(truth.slope)}"
    listed = [grand, *_effects(entered.effects, found.condition), *_variances(truth)]
    said = [
        Markdown(
            "The data are simulated, so that the truth is known. The config says "
            f"{words([Markdown(each) for each in listed])}."
        )
    ]
    if any(abs(sum(own.values())) > 1e-9 for own in entered.effects.values()):
        centred = {found.condition or "": truth.condition_effects} | (truth.other_effects or {})
        same = [rf"$\mu = {tex(truth.grand_mean)}$", *_effects(centred, found.condition)]
        said.append(
            Markdown(
                "As deviations from the grand mean, which sum to zero as on this page, that is "
                f"the same model with {words([Markdown(each) for each in same])}."
            )
        )
    elif truth.slope is not None:
        said.append(Markdown(rf"Over all values of it, $\mu = {tex(truth.grand_mean)}$."))
    said += _own(truth, found)
    return said


def _effects(effects: dict[str, dict[str, float]], condition: str | None) -> list[str]:
    """The effects of each factor, those of the condition as alpha."""
    said = []
    for factor, own in effects.items():
        if len(own) > FEW_LEVELS:
            continue
        if factor == condition:
            listed = r",\, ".join(_plain(value) for value in own.values())
            said.append(rf"$\alpha = ({listed})$ for {words(list(own))}")
        else:
            numbers = numbers_of((num(value), level) for level, value in own.items())
            said.append(f"effects of {escape(factor)} of {numbers}")
    return said


def _variances(truth: TruthSummary) -> list[str]:
    return [
        rf"$\sigma_b^2 = {_plain(truth.sigma_between**2)}$",
        rf"$\sigma_w^2 = {_plain(truth.sigma_within**2)}$",
    ]


def _own(truth: TruthSummary, found: Results) -> list[Markdown]:
    """What else varies between subjects in truth, a sentence each."""
    said = []
    if truth.random:
        said.append(
            Markdown(
                "The subjects’ own slopes have the standard deviation "
                f"{num(truth.random[found.condition or ''])} and the correlation "
                f"{num(truth.random.get('correlation', 0.0))} with their intercepts where "
                rf"{escape(found.condition)} is 0, whose standard deviation is $\sigma_b$."
            )
        )
    for names, sd in (truth.strata or {}).items():
        said.append(
            Markdown(
                f"The subjects’ own effects of {escape(names)} have the standard deviation "
                f"{num(sd)}."
            )
        )
    return said


def _plain(value: float) -> str:
    """A number as it was entered: 5, -2 or 0.3, not 5.000; a square of a root is the number."""
    short = f"{value:.10g}"
    if "e" in short or len(short) > 8:
        return tex(value)
    return f"{{{short}}}" if value < 0 else short
