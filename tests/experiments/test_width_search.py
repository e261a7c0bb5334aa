"""How many subjects narrow intervals take, where it is simulated."""

from dataclasses import replace

import numpy as np
import pytest
from planned_studies import formula, table
from scipy import stats

import twolevel as tl
from twolevel.experiments.between_subjects import BetweenSubjects, Group
from twolevel.experiments.planned.planned_experiments import PlannedExperiments
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.laws import Laws, study_of
from twolevel.experiments.sizing.width_search import search_widths

THREE = Scenario(5, {"a": 0, "b": 0.5, "c": 1}, 5, 1.0, 1.0)
GROUPS = BetweenSubjects({"u": Group(1), "v": Group(2, 0.5)})


def test_each_factor_has_its_number():
    """By theory, in what groups share; their means weigh the same in those of conditions."""
    scenario = replace(THREE, subjects=6, between=GROUPS)
    condition, group = sorted(search_widths(scenario, 0.8, 1, "satterthwaite"), key=str)
    for found, square, df in (
        (condition, 2 * (3 + 3 / 2) / 4, 2),
        (group, (3 + 3 / 2) * (1 + 1 / 3), 1),
    ):
        n = found.subjects
        assert (n % 3, found.exact, found.low, found.slope) == (0, True, None, False)
        se = [np.sqrt(square / m) for m in (n, n - 3)]
        t = [stats.t((m - 2) * df).isf(0.025) for m in (n, n - 3)]
        assert 2 * t[0] * se[0] * 0.97 <= 0.8 < 2 * t[1] * se[1]


def test_simulated_widths_agree_with_exact_ones():
    """Those of the asymptotic test are the exact ones but for the quantile."""
    law = Laws(THREE).contrasts["condition"][0]
    (found,) = search_widths(THREE, 0.7, 1, "asymptotic")
    assert not found.exact
    z = stats.norm.isf(0.025)

    def width(n):
        return law.width(n, 1, 0.95) * z / stats.t(2 * (n - 1)).isf(0.025)

    # A width varies in proportion to the root of a chi-square; 500 experiments, five errors.
    error = 5 * 0.7 / np.sqrt(2 * 2 * (found.subjects - 1) * 500)
    assert found.low <= found.subjects <= found.high
    assert width(found.subjects) - error <= 0.7 <= width(found.subjects - 1) + error
    assert width(found.high - 1) - 2 * error <= 0.7 <= width(found.low) + 2 * error


@pytest.mark.parametrize("between", [BetweenSubjects(), replace(GROUPS, dropout=0.3)])
def test_simulated_widths_are_those_of_fits(between):
    """Of 30 data sets with rows missing, five standard errors."""
    scenario = replace(THREE, subjects=24, missing=0.15, between=between)
    study = study_of(scenario)
    rows = np.stack(list(study.contrasts["condition"].values()))
    experiments = PlannedExperiments(study, "kenward-roger", ("kenward-roger",), 0.95)
    (found,) = experiments.widths(rows, 400, np.random.default_rng(1))
    generator, widths = np.random.default_rng(2), []
    for _ in range(30):
        y = generator.standard_normal(study.design.nobs)
        y += generator.standard_normal(24)[study.design.codes]
        seen = study.absence.observed(1, generator)[0]
        fit = tl.fit_mixed(formula(study), table(study, y)[seen], "subject")
        ends = fit.contrasts("condition", adjust="none")
        widths.append(ends["ci_high"] - ends["ci_low"])
    mean, error = np.mean(widths, axis=0), np.std(widths, axis=0) / np.sqrt(30)
    assert (np.abs(found.mean(axis=1) - mean) < 5 * error).all()


def test_missing_rows_take_more_subjects():
    complete, missing = (
        search_widths(replace(THREE, missing=m), 0.7, 1, "kenward-roger")[0] for m in (0.0, 0.2)
    )
    assert complete.subjects / 0.8 <= missing.subjects + 2 <= complete.subjects / 0.8**2 + 4
    assert missing.low <= missing.subjects <= missing.high


def test_without_an_interval_there_is_no_number():
    (found,) = search_widths(replace(THREE, missing=0.2), 0.7, 1, "anova")
    assert (found.made, found.subjects) == (False, None)
    (found,) = search_widths(THREE, 1e-4, 1, "asymptotic")
    assert (found.made, found.subjects) == (True, None)
