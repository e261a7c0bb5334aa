"""A simulated study's estimates beside its truth, for every kind of random part."""

from dataclasses import replace

import pytest
from example_summaries import interval, mixed
from test_headline import study

import twolevel as tl
from twolevel.experiments.simulation import truth
from twolevel.findings.walk.against_truth import against_truth
from twolevel.levels.marginal_means import marginal_means
from twolevel.levels.random_part_found import random_terms, variance_rows
from twolevel.summaries.truth_summary import TruthSummary

DAYS = {
    "conditions": {"day": [0, 1, 2, 3]},
    "slope": 2.0,
    "random": {"intercept": 1.5, "day": 0.5, "correlation": 0.3},
    "grand_mean": 10.0,
    "sigma_within": 1.0,
}
CELLS = {
    "conditions": {"flanker": {"con": 0, "inc": 2}, "block": {"a": 0, "b": 1, "c": 2}},
    "sigma_between": 2.0,
    "strata": {"flanker": 0.7, "block": 0.4},
    "grand_mean": 10.0,
    "sigma_within": 1.0,
}


def rows(parameters, formula, condition):
    """The rows by what they are of, from a fit to data that were drawn from these parameters."""
    data = tl.simulate(subjects=40, seed=1, **parameters)
    fit = tl.fit_mixed(formula, data, "subject")
    means = marginal_means(fit, condition, "holm").summary()
    table = variance_rows(fit)
    found = mixed(
        **means,
        random_terms=random_terms(fit),
        varcorr=table.astype(object).where(table.notna(), None),
        intervals=[interval(name, 0.1, 0.9) for name in table["parameter"]],
    )
    result = replace(
        study(),
        mixed=found,
        truth=TruthSummary.of(truth(**parameters)),
        design=study().design.model_copy(update={"columns": {"condition": condition}}),
    )
    return {row.quantity.replace("\\", ""): row for row in against_truth(result)}, fit


def test_slopes():
    found, fit = rows(DAYS, "response ~ day", "day")
    slope = found["slope of day"]
    assert (slope.entered, slope.truth) == (2.0, 2.0)
    assert slope.estimate == pytest.approx(fit.params["day"])
    assert slope.low < slope.estimate < slope.high
    mean = found["grand mean $mu$"]
    assert (mean.entered, mean.truth) == (10.0, 13.0)  # where day is 0, and over all days
    assert found["SD of subjects’ own slopes of day"].truth == 0.5
    assert found["correlation of intercepts and slopes of day"].truth == 0.3
    between = found["$sigma_b^2$"]
    assert between.truth == pytest.approx(1.5**2)
    assert between.estimate == pytest.approx(fit.sigma_between**2)
    assert (between.low, between.high) == pytest.approx((0.01, 0.81))
    assert found["SD of subjects’ own slopes of day"].low == 0.1


def test_slopes_that_subjects_do_not_have_have_no_correlation():
    found, _ = rows(DAYS | {"random": None, "sigma_between": 1.5}, "response ~ day", "day")
    assert found["SD of subjects’ own slopes of day"].truth == 0.0
    assert found["correlation of intercepts and slopes of day"].truth is None


def test_strata_and_further_factors():
    found, fit = rows(CELLS, "response ~ flanker * block", "flanker")
    assert found["SD of subjects’ own effects of flanker"].truth == 0.7
    assert found["SD of subjects’ own effects of block"].truth == 0.4
    block = found["effect of block c"]
    assert (block.entered, block.truth) == (2.0, 1.0)
    means = fit.means("block")["estimate"]
    assert block.estimate == pytest.approx(means["c"] - means.mean())
    assert "not in the model" not in "".join(found)


def test_what_the_model_leaves_out_has_a_truth_and_no_estimate():
    found, _ = rows(CELLS, "response ~ flanker * block + (1 | subject)", "flanker")
    left_out = found["SD of subjects’ own effects of flanker, not in the model"]
    assert (left_out.truth, left_out.estimate) == (0.7, None)


def test_real_data_have_no_truth():
    assert against_truth(study()) == []
