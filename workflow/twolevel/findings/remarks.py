"""A plain sentence or two on what each diagnostic plot shows, or two of them, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from twolevel.findings.verdicts import is_clear, spread_p
from twolevel.summaries.checks_summary import DiagnosticsSummary, Look
from twolevel.text.confidence import LEVEL, alpha, percent
from twolevel.text.markdown import Markdown, code, escape, p_value
from twolevel.text.numbers import positional

# What names of random effects begin with: the subjects' intercepts alone, or what others are of.
_EFFECT = "random effect"


def remarks(
    found: DiagnosticsSummary,
    condition: str | None = None,
    steps: list[float] | None = None,
    level: float = LEVEL,
    own_slopes: bool = False,
) -> dict[str, Markdown]:
    """Sentences on the residuals' spread, on both quantile plots, and on neighbours.

    `condition` is the name of the variable between whose levels spreads are compared; `steps` the
    values of a response that takes few; `level` that of envelopes and tests; `own_slopes` says that
    the model has such. Neighbours have a sentence where a number orders the rows.
    """
    subjects = "All predicted random effects are 0, so that there are no quantiles to look at."
    effects = [name for name in found.outside if name.startswith(_EFFECT)]
    if effects:
        subjects = " ".join(_on_effects(found, name, level) for name in effects)
    residuals = _on_quantiles(found, "residual", "residuals", "errors", level)
    if steps is not None:
        residuals = (
            f"The response takes {len(steps)} values only, so that residuals lie in as many bands "
            "and cannot be normal: another model is made for it."
        )
    said = {
        "spread": _on_spread(found, escape(condition or "level"), level),
        "residual_quantiles": residuals,
        "random_effect_quantiles": subjects,
    }
    if "neighbours" in found.looks:
        said["neighbours"] = _on_neighbours(found, escape(condition), level, own_slopes)
    return {plot: Markdown(sentences) for plot, sentences in said.items()}


def _on_effects(found: DiagnosticsSummary, of: str, level: float) -> str:
    """What the quantile plot of one random effect shows."""
    name = of.removeprefix(_EFFECT).removeprefix(": ")
    values, what = "predicted random effects", "differences between subjects"
    if name:
        values, what = f"{values} of {code(name)}", f"{what} in {code(name)}"
    return _on_quantiles(found, of, values, what, level)


def _on_quantiles(found: DiagnosticsSummary, of: str, values: str, what: str, level: float) -> str:
    if of not in found.looks:
        return f"There are too few {values} to say whether {what} are normal."
    outside = f"{100 * found.outside[of]:.1f} % of the {values} lie outside their envelope"
    p = found.looks[of].p
    if p is None:
        return (
            f"{outside}, where fewer than {percent(alpha(level))} % are expected if {what} are "
            "normal. Among so many, departures too small to matter lie outside too."
        )
    if p >= alpha(level):
        return (
            f"There is no clear sign that {what} are not normal: {outside}, where about "
            f"{percent(alpha(level))} % are expected ({_monte_carlo(p)})."
        )
    return (
        f"The {values} depart from a normal distribution by more than chance ({_monte_carlo(p)}). "
        "Estimates stay unbiased; intervals and p values suffer most where subjects are few."
    )


def _on_spread(found: DiagnosticsSummary, of: Markdown, level: float) -> str:
    """What both plots of the residuals' spread show of one assumption: one error variance."""
    shown = [*_over_fitted(found), *_between_levels(found, of)]
    if not shown:
        return (
            "All fitted values are equal, and there are no conditions to compare: nothing that the "
            "residuals' spread could change with."
        )
    p, looks = spread_p(found.looks), "; ".join(shown)
    if p is None:
        return f"Whether the residuals spread equally: {looks}."
    together = f"; both looks together, p {p_value(p)}" if len(shown) > 1 else ""
    if not is_clear(p, level):
        return f"There is no clear sign that residuals spread unequally: {looks}{together}."
    said = (
        f"The residuals do not spread equally: {looks}{together}. The model takes one error "
        "variance for all; comparisons between levels of large and of small spread are affected "
        "most."
    )
    over = found.looks.get("spread")
    if over is not None and is_clear(over.p, level) and over.statistic > 0:
        said += " A transformed response, such as its logarithm, may suit the model better."
    return said


def _over_fitted(found: DiagnosticsSummary) -> Iterator[str]:
    look = found.looks.get("spread")
    if look is not None:
        yield (
            "their size has the Spearman correlation "
            f"{_signed(look.statistic)} with the fitted values{_in_brackets(look)}"
        )


def _between_levels(found: DiagnosticsSummary, of: Markdown) -> Iterator[str]:
    look, rms = found.looks.get("conditions"), attrgetter("rms")
    if look is not None:
        least, most = min(found.by_condition, key=rms), max(found.by_condition, key=rms)
        yield (
            "their root mean square runs from "
            f"{positional(least.rms)} ({of} {escape(least.condition)}) to "
            f"{positional(most.rms)} ({of} {escape(most.condition)}){_in_brackets(look)}"
        )
    elif len(found.by_condition) > 1:
        yield (
            "between the levels they are not compared, for one of these has a single observation, "
            "or is fitted exactly"
        )


def _in_brackets(look: Look) -> str:
    return "" if look.p is None else f" ({_monte_carlo(look.p)})"


def _on_neighbours(
    found: DiagnosticsSummary, condition: Markdown, level: float, own_slopes: bool
) -> str:
    look = found.looks["neighbours"]
    size = f"lag-1 autocorrelation {_signed(look.statistic)}"
    if look.p is None:
        return f"Neighbouring residuals in the order of {condition}: {size}."
    size += f", where the model gives {_signed(look.expected)} on average, {_monte_carlo(look.p)}"
    around = found.looks.get("neighbours around lines")
    if around is not None and around.p is not None:
        size += (
            f"; around a line of each subject's own {_signed(around.statistic)}, where the model "
            f"gives {_signed(around.expected)}, {_monte_carlo(around.p)}"
        )
    if look.p >= alpha(level):
        return (
            f"There is no clear sign that neighbouring residuals in the order of {condition} are "
            f"alike ({size})."
        )
    alike = f"Neighbouring residuals in the order of {condition} are alike ({size})."
    if own_slopes:
        return f"{alike} The model has slopes of subjects' own: errors follow one another besides."
    return (
        f"{alike} Slopes of subjects' own make them so, but not around their lines; errors that "
        "follow one another do both."
    )


def _signed(value: float | None) -> str:
    return f"{value:.2f}".replace("-", "−")


def _monte_carlo(p: float) -> str:
    return f"Monte Carlo p {p_value(p)}"
