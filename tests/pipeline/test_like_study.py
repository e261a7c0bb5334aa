"""What experiments are drawn from that are like a study: its whole model, or what it lends."""

from pathlib import Path

import example_summaries
import pandas as pd
import pytest
from example_summaries import mean, term

from twolevel.experiments.like_scenario import LikeScenario
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.cautious_effect import cautious_share
from twolevel.pipeline.like_study import LikeStudy, Points
from twolevel.pipeline.slices import PARAMETERS, SAME
from twolevel.pipeline.tables.stored import Observations, write_observations
from twolevel.summaries.rows import FTest
from twolevel.text.errors import InputError

COLUMNS = {"subject": "id", "condition": "the time", "response": "y"}
LEFT_OUT = dict.fromkeys(PARAMETERS)
HERE = (SAME,) * 4
EFFECT = {"effect": {"d": 2.0, "f": None, "eta_squared": None, "pattern": "linear"}}


def study(*tests, intercept=True, **keys):
    """A study of nine subjects under two conditions, with means of 4 and 7."""
    of_study = {"columns": COLUMNS, "conditions": ["a", "b"], "n_subjects": 9, "empty_cells": 0}
    design = example_summaries.design(**of_study | {"per_cell": [1, 1]})
    fit = {"formula": "y ~ `the time`", "sigma_between": 0.5, "sigma_within": 2.0}
    rows = tests or (term("the time", 0.1, df=(1, 8.0)),)
    mixed = example_summaries.mixed(
        **fit | {"anova": list(rows), "means": [mean("a", 4), mean("b", 7)]}
    )
    if not intercept:
        mixed = mixed.model_copy(update={"between_variance": None})
    return LikeStudy(design, mixed, "nowhere.parquet", "y ~ `the time`", "treatment")


def test_an_observed_effect_is_planned_for_with_caution():
    """Unless the config says the effect, or one asks for what was observed."""
    weak = FTest(term="the time", F=6.0, df_num=1, df_den=8.0, p=0.04)
    share, points = cautious_share(6.0, 1, 8.0), Points(LEFT_OUT, study(weak))
    assert 0.5 < share < 0.9
    where = points.at(HERE)
    assert isinstance(where, Scenario)
    assert where.effects == pytest.approx([-1.5 * share, 1.5 * share])
    assert points.at(HERE, cautious=False).effects == pytest.approx([-1.5, 1.5])
    assert points.caution == {"F": 6.0, "df_num": 1, "df_den": 8.0, "share": share, "others": {}}
    said = Points(LEFT_OUT | EFFECT, study(weak))
    assert said.caution is None
    assert not said.lends_effects
    sd = (0.5**2 + 2.0**2) ** 0.5
    assert said.at(HERE).effects == pytest.approx([-sd, sd])


@pytest.mark.parametrize("own", ["the time", "`the time`", "C(the time)", "C(`the time`, Sum)"])
def test_other_terms_are_averaged_over_where_the_config_says_the_effect(own):
    several = [term(name, 0.1, df=(1, 8.0)) for name in ("group", own, "the time2")]
    assert Points(LEFT_OUT, study(*several)).whole
    said = Points(LEFT_OUT | EFFECT, study(*several))
    assert not said.whole
    assert said.averaged_over == ["group", "the time2"]
    assert Points(LEFT_OUT, study()).averaged_over == []


def test_a_study_with_more_than_conditions_is_planned_as_it_is():
    assert not Points(LEFT_OUT, study()).whole
    assert Points(LEFT_OUT, study(intercept=False)).whole
    assert not Points(LEFT_OUT | {"strata": {"a": 1}}, study(intercept=False)).whole


def test_its_rows_and_its_estimates_are_those_of_the_study(tmp_path):
    data = pd.read_csv(Path(__file__).parents[1] / "data" / "anxiety.csv")
    path = str(tmp_path / "observations.parquet")
    names = {"subject": "subject", "condition": "condition", "response": "y", "group": "group"}
    renamed = data.rename(columns={"y": "response"})
    write_observations(path, Observations(renamed, names))
    tests = [term("condition", 1e-9, df=(2, 84.0)), term("group", 0.02, df=(2, 42.0))]
    like = study(*tests)
    like = LikeStudy(like.design, like.mixed, path, "y ~ condition * group", "treatment")
    where = Points(LEFT_OUT, like).at(("30", SAME, "0.1", SAME))
    assert isinstance(where, LikeScenario)
    assert (where.subjects, where.missing) == (30, 0.1)
    assert where.tested == ["condition", "group", "condition:group"]
    assert where.formula == "y ~ condition * group"
    with pytest.raises(InputError, match="like: found sigma_within, replicates beside it"):
        Points(LEFT_OUT | {"sigma_within": 1.0}, like).at(("30", SAME, SAME, "2"))
