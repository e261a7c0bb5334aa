"""What the fitted model says of means: of the condition, of other factors, and along numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from twolevel.mixed import MixedFit
from twolevel.strata.own_error import own_error_contrasts, standardised_differences
from twolevel.text.confidence import LEVEL
from twolevel.text.methods import ContrastError


@dataclass(frozen=True, eq=False)
class Within:
    """The condition's means and contrasts at each level of a factor, in a column `level`.

    slopes is None unless the condition is a number whose effect is a line.
    """

    means: pd.DataFrame
    contrasts: pd.DataFrame
    slopes: pd.DataFrame | None


@dataclass(frozen=True, eq=False)
class OtherFactor:
    """Marginal means and contrasts of a factor other than the condition.

    within is None where factor and condition do not interact.
    """

    factor: str
    term: str | None
    means: pd.DataFrame
    contrasts: pd.DataFrame
    within: Within | None


@dataclass(frozen=True, eq=False)
class MarginalMeans:
    """The condition's means, effects and contrasts; those of every other factor; slopes.

    Without a condition, means has the grand mean alone, of "all". slopes are by how much the means
    rise per unit of every number whose effect is a line, if it can be estimated. All in the
    response's unit.
    """

    condition: str | None
    means: pd.DataFrame
    condition_effects: pd.DataFrame
    contrasts: pd.DataFrame
    factors: list[OtherFactor]
    slopes: list[dict]

    def summary(self) -> dict:
        """Everything but the condition's name as plain values, for a JSON file."""
        return {name: value for name, value in vars(self).items() if name != "condition"}

    def tidy(self, what: Literal["means", "contrasts"]) -> pd.DataFrame:
        """All means, or all contrasts, in one table: of which factor, and within which level."""
        own = getattr(self, what).rename(columns={"condition": "level"})
        parts = [own.assign(of=self.condition)]
        for factor in self.factors:
            parts.append(getattr(factor, what).assign(of=factor.factor))
            if factor.within:
                table = getattr(factor.within, what)
                within = f"{factor.factor} " + table["level"].astype(str)
                own = table.drop(columns="level").rename(columns={"condition": "level"})
                parts.append(own.assign(of=self.condition, within=within))
        columns = ["of", "within", *parts[0].columns.drop("of")]
        table = pd.concat(parts, ignore_index=True).reindex(columns=columns)
        # Names and numbers in one column are names.
        return table.assign(level=table["level"].astype(str)) if "level" in table else table


def marginal_means(
    fit: MixedFit,
    condition: str | None,
    adjust: str,
    level: float = LEVEL,
    contrast_error: ContrastError = "pooled",
) -> MarginalMeans:
    """The marginal means of a fit whose formula has `condition`, with intervals of this level.

    Contrasts are adjusted by `adjust`, and have the model's error or each its own. Between levels
    that every subject has, they are standardised as well (see `own_error`).

    Raises NotPartitioned where they are to have their own and cannot (see `own_error`).
    """

    def pairs(name: str, by: str | None = None) -> pd.DataFrame:
        if contrast_error == "own":
            tested = own_error_contrasts(fit.design, name, adjust, by, level)
        else:
            tested = fit.contrasts(name, adjust=adjust, by=by, level=level)
        sizes = standardised_differences(fit.design, name, by, level)
        return tested if sizes is None else tested.join(sizes)

    factors = [name for name in fit.design.data if fit.design.is_factor(name)]
    others = [
        _of_factor(fit, name, condition, pairs, level) for name in factors if name != condition
    ]
    if condition is None:
        whole = fit.means(level=level).rename({"grand mean": "all"})
        whole = whole.rename_axis("condition").reset_index()
        means, effects, contrasts = whole, whole[:0], whole[:0]
    else:
        means = fit.means(condition, level=level).rename_axis("condition").reset_index()
        effects = (
            fit.condition_effects(condition, level=level).rename_axis("condition").reset_index()
        )
        contrasts = pairs(condition).reset_index()
    return MarginalMeans(condition, means, effects, contrasts, others, _of_numbers(fit, level))


def _of_factor(
    fit: MixedFit,
    name: str,
    condition: str | None,
    pairs: Callable[[str, str | None], pd.DataFrame],
    level: float,
) -> OtherFactor:
    within = None
    if condition and fit.design.interact(name, condition):
        slopes = fit.slopes(condition, by=name, level=level)
        within = Within(
            means=_by_level(fit.means(condition, by=name, level=level), "condition"),
            contrasts=_by_level(pairs(condition, name), "contrast"),
            slopes=None if slopes is None else slopes.rename_axis("level").reset_index(),
        )
    return OtherFactor(
        factor=name,
        term=fit.design.term_of(name),
        means=fit.means(name, level=level).rename_axis("level").reset_index(),
        contrasts=pairs(name, None).reset_index(),
        within=within,
    )


def _by_level(table: pd.DataFrame, within: str) -> pd.DataFrame:
    """A table by level of a factor and of what is within it, with plain columns."""
    return table.rename_axis(["level", within]).reset_index()


def _of_numbers(fit: MixedFit, level: float) -> list[dict]:
    lines = []
    for name in filter(fit.design.is_numeric, fit.design.data):
        slopes = fit.slopes(name, level=level)
        if slopes is not None and slopes["estimate"].notna().all():
            lines.append({"variable": name, "term": fit.design.term_of(name), **slopes.iloc[0]})
    return lines
