"""Tables of what is random: the parameters of all variances, and the effects of all levels."""

from pathlib import Path

import numpy as np
import pandas as pd

import twolevel as tl
from twolevel.levels.effects_table import effects_table
from twolevel.levels.random_part_found import random_terms, variance_rows

DATA = Path(__file__).parents[1] / "data"
SLEEP = pd.read_csv(DATA / "sleepstudy.csv").rename(columns={"condition": "day", "subject": "id"})
TRIALS = pd.read_csv(DATA / "cases/trials_two_within.csv")


def test_each_variance_has_the_name_and_the_value_of_its_parameter():
    for part in ("(1 + day | id)", "(day || id)", "(1 | id)"):
        fit = tl.fit_mixed(f"y ~ day + {part}", SLEEP)
        rows = variance_rows(fit)
        np.testing.assert_allclose(fit.variances[rows["parameter"]], rows["sdcor"], rtol=1e-9)
    slopes = variance_rows(tl.fit_mixed("y ~ day + (1 + day | id)", SLEEP))["parameter"].tolist()
    assert slopes == ["sigma_between", "sd_day|id", "cor_(Intercept).day|id", "sigma_within"]


def test_terms_say_what_groups_besides_the_subject():
    fit = tl.fit_mixed("rt ~ mood + (1 | subj) + (0 + flanker | subj:mood)", TRIALS)
    assert random_terms(fit) == [
        {"formula": "1", "within": [], "effects": ["(Intercept)"]},
        {"formula": "0 + flanker", "within": ["mood"], "effects": ["flanker[con]", "flanker[inc]"]},
    ]


def test_effects_of_subjects_and_of_what_is_nested_are_rows():
    fit = tl.fit_mixed("rt ~ mood + (1 | subj) + (1 | subj:mood)", TRIALS)
    table = effects_table(fit)
    n = TRIALS["subj"].nunique()
    assert table["grouping"].value_counts().to_dict() == {"subj": n, "subj:mood": 2 * n}
    first = table.iloc[n]
    nested = fit.nested_effects["subj:mood"]
    assert first["level"] == ":".join(nested.index[0])
    assert first["random_effect"] == nested["(Intercept)"].iloc[0]
    assert first["se"] == nested["se_(Intercept)"].iloc[0]
    alone = effects_table(tl.fit_mixed("rt ~ mood + (1 | subj)", TRIALS))
    assert alone.columns.tolist() == ["subject", "n", "deviation", "random_effect", "se"]


def test_a_printed_fit_has_correlations_and_names_what_is_at_an_edge():
    """Numbers of lme4: 612.10, 35.07, 654.94, correlation 0.066."""
    text = repr(tl.fit_mixed("y ~ day + (1 + day | id)", SLEEP))
    assert "Formula:  y ~ day + (1 + day | id)" in text
    (line,) = [line for line in text.splitlines() if " day " in line and "0.066" in line]
    assert "35.07" in line
    assert "boundary" not in text
    alike = SLEEP.assign(y=SLEEP["y"] - SLEEP.groupby("id")["y"].transform("mean"))
    edge = repr(tl.fit_mixed("y ~ day + (1 | id)", alike))
    assert "A boundary fit: variance of (Intercept) (id) = 0." in edge
    assert edge.count(" = ") == 1
    # Slopes in proportion to intercepts, and residuals that are in no subject's own line.
    lines = SLEEP.groupby("id")["day"].transform(lambda x: x - x.mean())
    slopes = (SLEEP["y"] * lines).groupby(SLEEP["id"]).transform("sum") / (lines**2).sum() * 18
    left = alike["y"] - slopes * lines
    own = 10 * np.sqrt(SLEEP["id"].rank(method="dense"))
    line = tl.fit_mixed("y ~ day", SLEEP.assign(y=left + own * (30 + SLEEP["day"])), "id")
    assert "A boundary fit: correlation of (Intercept) and day (id) = 1." in repr(line)
