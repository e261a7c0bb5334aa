"""What a planned design has besides conditions, in sentences."""

from example_summaries import REPLICATION

from twolevel.findings.of_replication.planned_design import planned_design
from twolevel.summaries.replication_summary import ReplicationSummary

BETWEEN = {
    "groups": {
        "c": {"size": 1, "effect": 0.0, "conditions": None, "slope": None},
        "d*": {"size": 3, "effect": 0.5, "conditions": {"a": 0.0, "b": 2.0}, "slope": None},
    },
    "covariates": {"age": {"sd": 10.0, "slope": 0.05, "mean": 40.0}},
    "dropout": {"c": 0.1, "d*": {"b": 0.25}},
    "interactions": {"f:g": {"x:u": -2.0}},
}


def said(between, **keys):
    scenario = REPLICATION["scenario"] | {"between": REPLICATION["scenario"]["between"] | between}
    summary = ReplicationSummary.of(REPLICATION | {"scenario": scenario | keys})
    return [claim.said for claim in planned_design(summary)]


def test_a_plain_design_needs_no_more_words():
    assert said({}) == []


def test_groups_covariates_interactions_and_dropout_are_said():
    groups, interaction, covariate, leaving = said(BETWEEN)
    assert groups == (
        "Subjects are in 2 groups: c (25.0 % of the subjects); d\\* (75.0 % of the subjects: means "
        "larger by 0.500, effects a 0, b 2.00)."
    )
    assert interaction == "The interaction f\\:g adds x\\:u −2.00."
    assert covariate.startswith("Subjects differ in age (mean 40.0, SD 10.0), with each unit of")
    assert leaving == "Subjects leave: 10.0 % of c; of d\\* 25.0 % by b. Who has left stays away."
    assert said({"dropout": 0.2}) == [
        "By the last time, 20.0 % of the subjects have left. Who has left stays away."
    ]


def test_several_own_effects_and_adjustments_are_said():
    strata, adjusted = said({}, strata={"f": 0.5, "f:g": 1.0}, adjust="holm")
    assert (
        strata
        == "Subjects have effects of their own of f \\(SD 0\\.500\\) and f\\:g \\(SD 1\\.00\\)."
    )
    assert adjusted == "All pairwise differences of means are tested too, adjusted: holm."
