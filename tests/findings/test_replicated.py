"""The headline of a replication study, claim by claim."""

import pytest
from example_summaries import REPLICATION

from twolevel.findings.of_replication.replicated import (
    MANY_FAILED,
    Replicated,
    replication_headline,
)
from twolevel.summaries.replication_summary import ReplicationSummary


def study(extent=None, **changed):
    """A study whose conditions differ, all of whose experiments could be fitted."""
    axes = {"subjects": [8, 12], "sigma_between": [0.0, 1.0], "missing": [0.0], "replicates": [1]}
    ranges = {
        "failed": {"rate": (0.0, 0.0)},
        "boundary": {"rate": (0.0, 0.0)},
        "kenward-roger": {"type_one_error": (0.04, 0.06)},
        "asymptotic": {"type_one_error": (0.09, 0.09)},
        "anova": {},
        "grand_mean": {"coverage": (0.94, 0.95)},
    }
    return Replicated(
        ReplicationSummary.of(REPLICATION | {"axes": axes} | changed), ranges | (extent or {})
    )


def said(found):
    return {claim.of: claim.said for claim in replication_headline(found)}


def test_where_conditions_do_not_differ_there_is_nothing_to_find():
    assert said(study(effects=[0.0, 0.0]))["nothing"].endswith("there is nothing to find.")
    assert "nothing" not in said(study())


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((0.0, MANY_FAILED), None),
        ((0.0, 0.2), "0 to 20.0 % of the experiments could not be fitted"),
        ((1.0, 1.0), "**No experiment could be fitted**"),
    ],
)
def test_what_could_not_be_fitted_is_said(rates, words):
    found = said(study(extent={"failed": {"rate": rates}})).get("failed")
    assert found is None if words is None else found.startswith(words)


def test_the_anova_of_missing_cells_is_said_to_have_no_results():
    axes = {"subjects": [8], "sigma_between": [1.0], "missing": [0.0, 0.1], "replicates": [1]}
    assert "anova" in said(study(test="anova", axes=axes))
    assert "anova" not in said(study(test="anova"))
    assert "anova" not in said(study(axes=axes))


def test_what_a_random_intercept_alone_makes_of_own_effects_is_said():
    ranges = {"intercept-alone": {"type_one_error": (0.25, 0.31)}}
    own = {"strata": {"condition": 0.5}}
    found = said(study(extent=ranges, scenario=REPLICATION["scenario"] | own))
    assert found["intercept_alone"].startswith(
        "Subjects differ in their effects of the conditions here. **A model with a random "
        "intercept alone rejects what is true in 25.0 to 31.0 %**"
    )
    lines = {"conditions": {"x": [0.0, 1.0, 2.0]}, "slope": 1.0, "random": {"x": 0.5}}
    found = said(study(extent=ranges, scenario=REPLICATION["scenario"] | lines))
    assert "differ in their slopes here" in found["intercept_alone"]
    assert "intercept_alone" not in said(study())
