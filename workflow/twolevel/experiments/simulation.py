"""Simulated repeated measurements: y_ij = mu + S_i + alpha_j + eta_ij."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


def simulate(
    *,
    subjects: int,
    conditions: Mapping[str, float],
    grand_mean: float,
    sigma_between: float,
    sigma_within: float,
    seed: int,
    replicates: int = 1,
) -> pd.DataFrame:
    """Draw a balanced table with columns subject, condition and response.

    n subjects x J conditions x `replicates` rows, subjects outermost; standard deviations are in
    the response's unit. The random effects S_i are drawn before the errors eta_ij, from one
    stream that `seed` alone determines.
    """
    generator = np.random.default_rng(np.random.SeedSequence(seed))
    names = list(conditions)
    random_effect = sigma_between * generator.standard_normal(subjects)
    residual = sigma_within * generator.standard_normal((subjects, len(names), replicates))
    effects = np.array(list(conditions.values()), dtype=float)
    response = grand_mean + random_effect[:, None, None] + effects[None, :, None] + residual
    per_subject = len(names) * replicates
    return pd.DataFrame(
        {
            "subject": np.repeat(np.arange(1, subjects + 1).astype(str), per_subject),
            "condition": pd.Categorical.from_codes(
                np.tile(np.repeat(np.arange(len(names)), replicates), subjects), names
            ),
            "response": response.ravel(),
        }
    )


def truth(
    *, conditions: Mapping[str, float], grand_mean: float, sigma_between: float, sigma_within: float
) -> dict:
    """What `simulate` draws from, as the model reports it: condition effects that sum to zero.

    Effects with another sum are the same model with another grand mean.
    """
    shift = sum(conditions.values()) / len(conditions)
    return {
        "grand_mean": grand_mean + shift,
        "condition_effects": {name: effect - shift for name, effect in conditions.items()},
        "sigma_between": sigma_between,
        "sigma_within": sigma_within,
    }
