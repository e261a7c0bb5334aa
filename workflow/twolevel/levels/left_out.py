"""What leaving out each subject does, as the summary and the figure of influence show it."""

from __future__ import annotations

import pandas as pd

from twolevel.levels.random_part_found import variance_rows
from twolevel.mixed import MixedFit
from twolevel.text.confidence import alpha

_MOST_INFLUENTIAL = 5
# Subjects without whom the tests are made again: all of a small study, the most influential of a
# large one, in which one subject among hundreds changes little.
_MOST_REFITTED = 30


def most_influential(influence: pd.DataFrame) -> dict:
    """The subjects with the largest Cook's distances, and how many have none.

    influence is a fit's own (`MixedFit.influence`), by subject.
    """
    largest = influence["cooks_distance"].nlargest(_MOST_INFLUENTIAL)
    return {
        "subjects": influence.loc[largest.index].reset_index(),
        "not_estimable": int(influence["cooks_distance"].isna().sum()),
    }


def tests_without_subjects(fit: MixedFit, influence: pd.DataFrame, level: float) -> dict:
    """Each term's test in refits without a subject: is it clear without each, at one less level?

    refits is how many subjects are left out, one at a time, those with the largest Cook's distances
    first; tests has for each term of the fit the range of p, low and high, and the subjects without
    whom it is clear where it is not with all, or the other way round. By the fit's standard test
    (Kenward-Roger's), made anew. Of a table in parts nothing is refitted.
    """
    whole = fit.anova()["p"]
    if fit.design.whole is not None or whole.empty:
        return {"refits": 0, "tests": []}
    known = influence["cooks_distance"].dropna().nlargest(_MOST_REFITTED).index
    positions = fit.design.subjects.get_indexer(known)
    without = pd.DataFrame(
        [fit.refitted_without(int(position)).anova()["p"] for position in positions],
        index=known,
        columns=whole.index,
    )
    clear, with_all = without < alpha(level), whole < alpha(level)
    return {
        "refits": len(without),
        "tests": [
            {
                "term": term,
                "low": without[term].min(),
                "high": without[term].max(),
                "changed": list(map(str, without.index[clear[term] != with_all[term]])),
            }
            for term in whole.index
        ],
    }


def deviations_without_subject(fit: MixedFit, influence: pd.DataFrame) -> pd.DataFrame:
    """All standard deviations without each subject, and its Cook's distance."""
    rows = variance_rows(fit)
    deviations = fit.without_subject[rows["parameter"][rows["var2"].isna()].tolist()]
    return deviations.assign(cooks_distance=influence["cooks_distance"]).reset_index()
