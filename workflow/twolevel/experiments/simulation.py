"""Simulated repeated measurements: a table drawn from a population, and the truth about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from twolevel.experiments.own_effects import cell_table, draw_own, own_effects
from twolevel.experiments.population import Conditions, Population


def simulate(
    *,
    subjects: int,
    conditions: Conditions,
    grand_mean: float,
    sigma_within: float,
    seed: int,
    sigma_between: float | None = None,
    replicates: int = 1,
    slope: float | None = None,
    random: Mapping[str, float] | None = None,
    strata: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Draw a balanced table with columns subject, response and the conditions' own.

    n subjects x C cells x `replicates` rows, subjects outermost; a single factor that is not named
    is called condition. See `Population` for what is drawn from. What subjects have of their own is
    drawn before the errors, from one stream that `seed` alone determines.

    Raises InputError for parameters that no data can be drawn from.
    """
    drawn_from = Population(conditions, sigma_between, slope, random, strata or {}, replicates)
    generator = np.random.default_rng(np.random.SeedSequence(seed))
    own = draw_own(own_effects(drawn_from), (subjects,), generator)
    effects = np.array(drawn_from.effects, dtype=float)
    shape = (subjects, len(effects), replicates)
    residual = sigma_within * generator.standard_normal(shape)
    response = grand_mean + own.T[:, :, None] + effects[None, :, None] + residual
    cells = np.tile(np.repeat(np.arange(len(effects)), replicates), subjects)
    per_subject = len(effects) * replicates
    return pd.DataFrame(
        {
            "subject": np.repeat(np.arange(1, subjects + 1).astype(str), per_subject),
            **{name: column.array.take(cells) for name, column in cell_table(drawn_from).items()},
            "response": response.ravel(),
        }
    )


def truth(
    *,
    conditions: Conditions,
    grand_mean: float,
    sigma_within: float,
    sigma_between: float | None = None,
    replicates: int = 1,
    slope: float | None = None,
    random: Mapping[str, float] | None = None,
    strata: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """What `simulate` draws from, as the model reports it: effects that sum to zero.

    Effects with another sum are the same model with another grand mean; entered has both as given.
    """
    drawn_from = Population(conditions, sigma_between, slope, random, strata or {}, replicates)
    factors = drawn_from.factors
    if drawn_from.number is not None:
        values = map(str, cell_table(drawn_from)[drawn_from.number])
        factors = {drawn_from.number: dict(zip(values, drawn_from.effects, strict=True))}
    means = {name: sum(own.values()) / len(own) for name, own in factors.items()}
    centred = {
        name: {level: effect - means[name] for level, effect in own.items()}
        for name, own in factors.items()
    }
    found: dict[str, Any] = {
        "grand_mean": grand_mean + sum(means.values()),
        "condition_effects": centred.pop(drawn_from.names[0]),
        "sigma_between": drawn_from.intercept_sd,
        "sigma_within": sigma_within,
        "entered": {"grand_mean": grand_mean, "effects": drawn_from.factors},
    }
    if centred:
        found["other_effects"] = centred
    if slope is not None:
        found["slope"] = slope
    if random is not None:
        found["random"] = dict(random)
    if strata:
        found["strata"] = dict(strata)
    return found
