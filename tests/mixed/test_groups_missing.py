"""Groups of unequal size with missing cells and a covariate, against lme4, lmerTest and emmeans."""

import numpy as np
import pandas as pd
import pytest
from reference_values import TESTS

import twolevel as tl

# R: options(contrasts = c("contr.sum", "contr.poly")); age <- age - mean(age);
# m <- lmerTest::lmer(formula + (1 | id)); anova(m, ddf = "Kenward-Roger"), anova(m):
# F, DenDF by Kenward and Roger, F, DenDF by Satterthwaite.
TERMS = {
    "y ~ group + time * center(age)": {
        "group": (3.61012028, 17.0358312, 3.61035090, 17.1547882),
        "time": (33.79493698, 32.2581363, 33.84354723, 32.3756488),
        "center(age)": (6.36587907, 17.2743284, 6.36650267, 17.3940488),
        "time:center(age)": (3.40222169, 32.4888232, 3.41335172, 32.6054800),
    },
    "y ~ time * group": {
        "time": (42.57791643, 30.1498870, 42.61501209, 30.2296244),
        "group": (1.40362798, 18.0401688, 1.40368001, 18.1204316),
        "time:group": (7.38090858, 30.1408093, 7.38908335, 30.2205645),
    },
}
# R: pairs(emmeans(m, ~ time | group), adjust = "holm"), m of y ~ time * group: estimate, p.
PAIRS = {
    "ctl": [(0.445, 0.5703), (-0.596, 0.5703), (-1.041, 0.0811)],
    "a": [(-1.161, 0.0047), (-2.176, 0.0000), (-1.015, 0.0068)],
    "b": [(-1.875, 0.0001), (-4.087, 0.0000), (-2.212, 0.0000)],
}


@pytest.fixture(scope="module")
def data():
    data = pd.read_csv(TESTS / "data" / "groups_missing.csv")
    return data.assign(group=pd.Categorical(data["group"], ["ctl", "a", "b"]))


@pytest.mark.parametrize("coding", ["treatment", "sum", {"time": "t3", "group": "b"}])
@pytest.mark.parametrize("formula", TERMS)
def test_terms(data, formula, coding):
    """The same tests, whatever the coding."""
    fit = tl.fit_mixed(formula, data, "id", coding=coding)
    for df, at in (("kenward-roger", 0), ("satterthwaite", 2)):
        found = fit.anova(df)
        for term, values in TERMS[formula].items():
            np.testing.assert_allclose(
                found.loc[term, ["F", "df_den"]].astype(float), values[at : at + 2], rtol=2e-6
            )


def test_contrasts_within_groups(data):
    found = tl.fit_mixed("y ~ time * group", data, "id").contrasts("time", by="group")
    expected = [row for rows in PAIRS.values() for row in rows]
    np.testing.assert_allclose(found[["estimate", "p"]], expected, atol=6e-4)
    assert list(found.index.get_level_values("group")) == np.repeat(list(PAIRS), 3).tolist()
