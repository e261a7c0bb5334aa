"""The predicted random effects as tables: of subjects, and of what is nested in them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from twolevel.inference.fitted import Fitted


def subject_effects(fit: Fitted) -> pd.DataFrame:
    """The effects of n subjects themselves, as the formula has them, in the response's unit.

    With a random intercept alone: n, deviation (ybar_i - xbar_i' beta), random_effect S_i and its
    conditional standard deviation se. Else n, a column for each effect, se_<effect>,
    cov_<effect>.<other> of each pair of a term, and deviation_<effect>, the least-squares estimate
    of the term's effects from the subject's own residuals, which the prediction shrinks.
    """
    found, unit = fit.estimates.random_effects, fit.estimates.unit
    every = np.arange(len(found.effect))
    table = {"n": fit.design.working_moments()[0].counts}
    if fit.random_part.is_intercept:
        table["deviation"] = unit * found.deviation[:, 0]
        table["random_effect"] = unit * found.effect[:, 0]
        table["se"] = unit * np.sqrt(found.covariance(every)[:, 0, 0])
        return pd.DataFrame(table, index=fit.design.all_subjects)
    for each, place in zip(fit.random_columns.terms, fit.random_columns.places, strict=True):
        if each.levels is None:
            table |= _columns(fit, each.back, place[0], each.term.effects)
    return pd.DataFrame(table, index=fit.design.all_subjects)


def nested_effects(fit: Fitted) -> dict[str, pd.DataFrame]:
    """The effects of the levels of each grouping factor that is nested in the subject.

    Indexed by the subject and the factors; columns as in `subject_effects`, without n.
    """
    tables: dict[str, pd.DataFrame] = {}
    for each, place in zip(fit.random_columns.terms, fit.random_columns.places, strict=True):
        if each.source is None or each.source.own is None:
            continue
        subjects, levels, index = each.source.own.every(fit.design.all_subjects)
        parts = [pd.DataFrame(_columns(fit, each.back, own, each.term.effects)) for own in place]
        stacked = np.stack([part.to_numpy() for part in parts], axis=1)  # (n, m, columns)
        table = pd.DataFrame(stacked[subjects, levels], index=index, columns=parts[0].columns)
        name = ":".join(each.term.grouping)
        tables[name] = pd.concat([tables[name], table], axis=1) if name in tables else table
    return tables


def _columns(
    fit: Fitted, back: np.ndarray, place: np.ndarray, effects: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """One level's effects, with their standard deviations and covariances, of all subjects."""
    found, unit = fit.estimates.random_effects, fit.estimates.unit
    back = unit * back
    covariance = back @ found.covariances[:, place[:, None], place] @ back.T  # (K, q, q)
    covariance = covariance[found.kind]
    own, least_squares = found.effect[:, place] @ back.T, found.deviation[:, place] @ back.T
    columns = {name: own[:, k] for k, name in enumerate(effects)}
    for k, name in enumerate(effects):
        columns[f"se_{name}"] = np.sqrt(np.maximum(covariance[:, k, k], 0.0))
    for i, j in combinations(range(len(effects)), 2):
        columns[f"cov_{effects[i]}.{effects[j]}"] = covariance[:, i, j]
    return columns | {f"deviation_{name}": least_squares[:, k] for k, name in enumerate(effects)}
