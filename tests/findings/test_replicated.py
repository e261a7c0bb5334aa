"""The headline of a replication study, claim by claim."""

import pytest
from example_summaries import REPLICATION

from twolevel.findings.replicated import MANY_FAILED, Replicated, replication_headline
from twolevel.summaries.replication_summary import ReplicationSummary


def reached(power, subjects, sigma_between=1.0, missing=0.0, **more):
    row = {"power": power, "subjects": subjects, "sigma_between": sigma_between, "missing": missing}
    return row | {"replicates": 1, "tested": 100, "by_theory": None} | more


def study(power=(), extent=None, **changed):
    """A study whose conditions differ, all of whose experiments could be fitted."""
    axes = {"subjects": [8, 12], "sigma_between": [0.0, 1.0], "missing": [0.0], "replicates": [1]}
    summary = {"axes": axes, "power": list(power)}
    ranges = {
        "failed": {"rate": (0.0, 0.0)},
        "kenward-roger": {"type_one_error": (0.04, 0.06)},
        "asymptotic": {"type_one_error": (0.09, 0.09)},
        "anova": {},
        "grand_mean": {"coverage": (0.94, 0.95)},
    }
    return Replicated(
        ReplicationSummary.of(REPLICATION | summary | changed), ranges | (extent or {})
    )


def said(found):
    return {claim.of: claim.said for claim in replication_headline(found)}


def test_sizes_are_those_at_the_largest_variance():
    rows = [reached(0.8, 4, 0.0), reached(0.9, 5, 0.0), reached(0.8, 8), reached(0.9, 12)]
    assert said(study(rows))["size"] == (
        "With complete data, **80 % power takes 8 subjects**, 90 % takes 12 of those tried (8, 12)."
    )
    rows = [reached(0.8, 8, by_theory=7), reached(0.9, None, by_theory=11)]
    assert said(study(rows))["size"].endswith(
        "takes more than 12 of those tried (8, 12) (by the noncentral F of the ANOVA 7 and 11)."
    )
    assert "size" not in said(study([reached(0.8, None, tested=0), reached(0.9, None, tested=0)]))
    assert "size" not in said(study(rows, effects=[0.0, 0.0]))


def test_errors_are_those_of_the_test_and_of_the_asymptotic_one():
    assert said(study())["type_one_error"] == (
        "A test at the 5 % level rejects what is true in 4.00 to 6.00 % of experiments by "
        "Kenward–Roger, and in 9.00 % by the asymptotic chi-square test."
    )
    assert said(study(test="asymptotic"))["type_one_error"].endswith(
        "in 9.00 % of experiments by asymptotic."
    )
    assert said(study(test="anova"))["type_one_error"].endswith(
        "in 9.00 % of experiments by the asymptotic chi-square test."
    )
    nothing = {"failed": {"rate": (1.0, 1.0)}, "asymptotic": {}, "kenward-roger": {}}
    assert "type_one_error" not in said(study(extent=nothing))


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


def test_the_coverage_is_in_percent():
    assert said(study())["coverage"] == (
        "The 95 % interval of the grand mean covers it in 94.0 to 95.0 %."
    )


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
