"""What leaving out each subject does, as the summary and the figure of influence show it."""

from __future__ import annotations

import pandas as pd

from twolevel.levels.random_part_found import variance_rows
from twolevel.mixed import MixedFit

_MOST_INFLUENTIAL = 5


def most_influential(influence: pd.DataFrame) -> dict:
    """The subjects with the largest Cook's distances, and how many have none.

    influence is a fit's own (`MixedFit.influence`), by subject.
    """
    largest = influence["cooks_distance"].nlargest(_MOST_INFLUENTIAL)
    return {
        "subjects": influence.loc[largest.index].reset_index(),
        "not_estimable": int(influence["cooks_distance"].isna().sum()),
    }


def deviations_without_subject(fit: MixedFit, influence: pd.DataFrame) -> pd.DataFrame:
    """All standard deviations without each subject, and its Cook's distance."""
    rows = variance_rows(fit)
    deviations = fit.without_subject[rows["parameter"][rows["var2"].isna()].tolist()]
    return deviations.assign(cooks_distance=influence["cooks_distance"]).reset_index()
