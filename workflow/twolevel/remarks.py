"""A plain sentence or two on each diagnostic plot: what it shows, and what follows."""

from __future__ import annotations

from twolevel.diagnostics import Diagnostics
from twolevel.positional import positional

_LEVEL = 0.05


def remarks(found: Diagnostics, condition: str | None = None) -> dict[str, str]:
    """Sentences for residuals_fitted, both quantile plots and scale_location.

    `condition` is the name of the variable between whose levels spreads are compared.
    """
    subjects = "All predicted random effects are 0, so that there are no quantiles to look at."
    if "random effect" in found.outside:
        of = ("random effect", "predicted random effects", "differences between subjects")
        subjects = _on_quantiles(found, *of)
    return {
        "residuals_fitted": _on_spread(found),
        "residual_quantiles": _on_quantiles(found, "residual", "residuals", "errors"),
        "random_effect_quantiles": subjects,
        "scale_location": _on_conditions(found, condition or "level"),
    }


def _on_quantiles(found: Diagnostics, of: str, values: str, what: str) -> str:
    if of not in found.looks:
        return f"There are too few {values} to say whether {what} are normal."
    outside = f"{100 * found.outside[of]:.1f} % of the {values} lie outside their envelope"
    p = found.looks[of].p
    if p is None:
        return (
            f"{outside}, where fewer than 5 % are expected if {what} are normal. Among so many, "
            "departures too small to matter lie outside too."
        )
    if p >= _LEVEL:
        return (
            f"There is no clear sign that {what} are not normal: {outside}, where about 5 % are "
            f"expected ({_monte_carlo(p)})."
        )
    return (
        f"The {values} depart from a normal distribution by more than chance ({_monte_carlo(p)}). "
        "Estimates stay unbiased; intervals and p values suffer most where subjects are few."
    )


def _on_spread(found: Diagnostics) -> str:
    if "spread" not in found.looks:
        return "All fitted values are equal: the residuals' spread cannot change with them."
    look = found.looks["spread"]
    correlation = f"{look.statistic:.2f}".replace("-", "−")
    size = f"Spearman correlation of their size with the fitted values {correlation}"
    if look.p is None:
        return f"Whether the residuals' spread changes with the fitted values: {size}."
    if look.p >= _LEVEL:
        return (
            "There is no clear sign that the residuals' spread changes with the fitted values "
            f"({size}, {_monte_carlo(look.p)})."
        )
    more = "more" if look.statistic > 0 else "less"
    return (
        f"The residuals spread {more} where fitted values are high ({size}, "
        f"{_monte_carlo(look.p)}). A transformed response, such as its logarithm, may suit the "
        "model better."
    )


def _on_conditions(found: Diagnostics, of: str) -> str:
    if len(found.by_condition) < 2:
        return "There are no conditions to compare the residuals' spread between."
    if "conditions" not in found.looks:
        return (
            "The residuals' spread is not compared between the levels: one of them has a single "
            "observation, or is fitted exactly."
        )
    rms, look = found.by_condition.set_index("condition")["rms"], found.looks["conditions"]
    least, most = rms.idxmin(), rms.idxmax()
    range_ = (
        "the root mean square residual runs from "
        f"{positional(rms[least])} ({of} {least}) to {positional(rms[most])} ({of} {most})"
    )
    if look.p is None:
        return f"Under the levels, {range_}."
    if look.p >= _LEVEL:
        return (
            "There is no clear sign that residuals spread unequally under the levels: "
            f"{range_}; {_monte_carlo(look.p)}."
        )
    return (
        f"The residuals spread unequally under the levels: {range_}; {_monte_carlo(look.p)}. The "
        "model takes one error variance for all; comparisons between levels of large and of small "
        "spread are affected most."
    )


def _monte_carlo(p: float) -> str:
    return f"Monte Carlo p = {p:.3f}"
