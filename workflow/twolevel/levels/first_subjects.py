"""The experiment with one subject, and again with another: what Level 1 finds of the first few.

They are the first of those seen under the most conditions, not ones that were chosen for what they
show; the first of all is the one that `describe_design` looks at.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from twolevel.design.shards import Shards
from twolevel.levels.subjects import SubjectFits

FIRST = 3


def first_subjects(data: pd.DataFrame, typed: pd.DataFrame | Shards, fit: SubjectFits) -> list:
    """Up to three subjects, each with what is its own by Level 1, and its rows.

    `data` has the columns subject and condition, `typed` the same N rows under the names of the
    formula, in which grouping factors are named. subject_mean is mu_i; own has the effects that a
    subject has instead where the random part is more than an intercept, and nested, by grouping
    factor, those of the levels inside the subject; rows have condition, fitted and residual. All in
    the response's unit, effects per unit of their column.
    """
    subjects = fit.subjects.set_index(fit.subjects["subject"].astype(str))
    of_row = data["subject"].astype(str)
    rows = pd.DataFrame(
        {
            "condition": data["condition"].to_numpy(),
            "fitted": fit.residuals["fitted"].to_numpy(),
            "residual": fit.residuals["residual"].to_numpy(),
        }
    )
    found = []
    for name in _fullest(of_row, data["condition"]):
        here = np.flatnonzero(of_row == name)
        own, nested = {}, {}
        if fit.own is not None:
            own = {effect: subjects.at[name, f"own_{effect}"] for effect in fit.own.effects}
            table = typed.sample if isinstance(typed, Shards) else typed
            nested = {
                grp: _by_level(part.iloc[here], table.iloc[here], grp.split(":")[1:])
                for grp, part in fit.own.parts.items()
            }
        found.append(
            {
                "subject": name,
                "subject_mean": float(subjects.at[name, "subject_mean"]),
                "own": own,
                "nested": nested,
                "rows": rows.iloc[here],
            }
        )
    return found


def _fullest(subject: pd.Series, condition: pd.Series) -> list[str]:
    """The first subjects with the most conditions, in the order of the data."""
    seen = condition.groupby(subject.to_numpy(), sort=False).nunique()
    return seen.sort_values(ascending=False, kind="stable").index[:FIRST].tolist()


def _by_level(part: pd.Series, rows: pd.DataFrame, factors: list[str]) -> dict[str, float]:
    """A subject's own effect of each level, or combination of levels, of the factors."""
    level = rows[factors].astype(str).agg(" × ".join, axis=1)
    return part.groupby(level.to_numpy(), sort=False).mean().to_dict()
