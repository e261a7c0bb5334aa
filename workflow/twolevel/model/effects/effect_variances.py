"""The parameters of any random part by name: standard deviations, and correlations.

The standard deviation of the subjects' own intercepts is sigma_between, that of the residuals
sigma_within; others are called as `lme4`'s profiles call them, sd_day|id, sd_(Intercept)|id:a,
cor_(Intercept).day|id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.likelihood import Variances
from twolevel.random.effect_names import INTERCEPT
from twolevel.random.random_columns import TermColumns

WITHIN = "sigma_within"


@dataclass(frozen=True)
class EffectParameter:
    """A standard deviation of effect i of a term, or the correlation of its effects i and j."""

    name: str
    term: int
    effects: tuple[int, ...]

    @property
    def is_deviation(self) -> bool:
        """Whether it has a unit."""
        return len(self.effects) == 1


def effect_parameters(layout: RelativeCovariance) -> list[EffectParameter]:
    """All parameters of the random part, of each term the standard deviations first."""
    return [
        EffectParameter(_name(each, effects), t, effects)
        for t, each in enumerate(layout.terms)
        for effects in _selections(len(each.term.effects))
    ]


def variances_of_effects(
    layout: RelativeCovariance, own: np.ndarray, sigma_within: np.ndarray
) -> Variances:
    """All parameters at theta (S, ...) of the working columns, in the unit of sigma_within (...).

    A correlation is NaN where a variance is 0.
    """
    covariances = [
        np.einsum("ik...,jk...->ij...", root, root) for root in layout.formula_factors(own)
    ]
    deviations, ratios = {}, {}
    for each in effect_parameters(layout):
        covariance = covariances[each.term]
        sd = [np.sqrt(covariance[k, k]) for k in each.effects]
        if each.is_deviation:
            deviations[each.name] = sigma_within * sd[0]
        else:
            product = np.asarray(sd[0] * sd[1])
            none = np.full_like(product, np.nan)
            ratio = np.divide(covariance[each.effects], product, out=none, where=product > 0)
            ratios[each.name] = np.clip(ratio, -1.0, 1.0)[()]
    return Variances(deviations | {WITHIN: sigma_within}, ratios)


def _selections(q: int) -> Iterator[tuple[int, ...]]:
    for k in (1, 2):
        yield from combinations(range(q), k)


def _name(each: TermColumns, effects: tuple[int, ...]) -> str:
    names = [each.term.effects[k] for k in effects]
    if names == [INTERCEPT] and each.levels is None:
        return "sigma_between"
    kind = "sd" if len(names) == 1 else "cor"
    return f"{kind}_{'.'.join(names)}|{':'.join(each.term.grouping)}"
