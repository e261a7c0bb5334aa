"""Scenarios of all kinds of designs, and the tables that their rows make."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from twolevel.experiments.between_subjects import BetweenSubjects, Covariate, Group
from twolevel.experiments.scenario import Scenario

FACTOR = {"t1": 0.0, "t2": 0.4, "t3": 1.0}
TWO = {"f": {"x": 0.0, "y": 0.5}, "g": {"u": 0.0, "v": 0.3, "w": 0.6}}
DAYS = {"day": [0, 1, 2, 5]}
GROUPS = {"c": Group(1), "d": Group(2, effect=0.4)}


def scenario(conditions=FACTOR, **keys):
    given = {"subjects": 9, "grand_mean": 5.0, "sigma_between": 1.0, "sigma_within": 0.8}
    return Scenario(conditions=conditions, **given | keys)


def between(**keys):
    return BetweenSubjects(**keys)


OWN = {"groups": {"c": Group(1), "d": Group(2, 0.4, {"t1": 0.0, "t2": 1.0, "t3": 0.5})}}
AGE = {"age": Covariate(sd=10.0, slope=0.05, mean=40.0)}
KINDS = {
    "lines": scenario(DAYS, slope=0.3, random={"day": 0.4, "correlation": 0.3}),
    "shared lines": scenario(DAYS, slope=0.3, replicates=2),
    "trials": scenario(strata={"condition": 0.6}, replicates=3),
    "groups": scenario(between=between(**OWN)),
    "two factors": scenario(TWO, strata={"f": 0.7, "g": 0.3}),
    "two factors, trials": scenario(TWO, strata={"f:g": 0.7}, replicates=2, subjects=6),
    "interaction": scenario(TWO, between=between(interactions={"f:g": {"y:w": 1.0}})),
    "covariate": scenario(between=between(covariates=AGE, **OWN)),
    "lines of groups": scenario(
        DAYS,
        slope=0.3,
        random={"day": 0.4},
        subjects=12,
        between=between(groups={"c": Group(1), "d": Group(1, slope=0.6)}),
    ),
}
# Rows are absent: cells at random, and all after a subject has left.
LEAVING = between(dropout=0.3, groups=GROUPS)
ABSENT = {
    "trials": scenario(strata={"condition": 0.6}, replicates=3, missing=0.15),
    "lines": scenario(DAYS, slope=0.3, random={"day": 0.4}, missing=0.1, subjects=12),
    "leaving": scenario(subjects=12, between=LEAVING),
    "lines of those who leave": scenario(
        DAYS, slope=0.3, random={"day": 0.4}, subjects=15, between=LEAVING
    ),
    "two factors": scenario(TWO, strata={"f": 0.7}, missing=0.1, subjects=10),
}
kinds = st.sampled_from(sorted(KINDS))
absent_kinds = st.sampled_from(sorted(ABSENT))


def table(study, y):
    """The rows of a study with responses y (N,) around their true means, in units of sigma_w."""
    cells = study.design.cells
    mean = study.mean + cells.spread(cells.X @ study.beta)
    columns = study.design.variables.columns
    subject = np.array(study.design.subjects)[study.design.codes]
    return pd.DataFrame({**columns, "subject": subject, "response": mean + study.sigma_within * y})


def formula(study):
    """The study's model, with its bars."""
    return f"{study.design.formula} + {study.random.part}"
