"""Experiments with slopes or effects of subjects' own: single fits, theory, and what is pooled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import twolevel as tl
from twolevel.experiments.own_effects_data import fit_own_effects
from twolevel.experiments.performance import block_sums, performance, with_theory
from twolevel.experiments.run import _batch as batch_size
from twolevel.experiments.run import replicate_block
from twolevel.experiments.scenario import BLOCK, Scenario, draw, stream
from twolevel.experiments.subject_model import SubjectModel
from twolevel.text.methods import INTERCEPT_ALONE

FAR = stats.norm.isf(0.5e-7)
BARS = {"lines": "(1 + x | id)", "intercepts": "(1 | id)", "trials": "(1 | id) + (1 | id:x)"}


def lines(own=0.4, **changes):
    given = {"subjects": 7, "conditions": {"x": [0, 1, 2, 5]}, "grand_mean": 3, "slope": 0.3}
    given |= {"sigma_between": 1.0, "sigma_within": 0.7}
    return Scenario(**given | {"random": {"x": own, "correlation": -0.3}} | changes)


def trials(own=0.5, J=3, **changes):
    given = {"subjects": 6, "conditions": {f"c{j}": 0.4 * j for j in range(J)}, "grand_mean": 5}
    given |= {"sigma_between": 1.0, "sigma_within": 1.0, "replicates": 2}
    return Scenario(**given | {"strata": {"condition": own}} | changes)


@st.composite
def batches(draw_):
    """A scenario, 4 data sets of it, and the formula's bars; with variances of 0 among them."""
    kind, own = draw_(st.sampled_from(list(BARS))), draw_(st.sampled_from([0.0, 0.2, 1.0]))
    between, n = draw_(st.sampled_from([0.0, 1.0])), draw_(st.integers(3, 9))
    if kind == "trials":
        J = draw_(st.integers(2, 3))
        where = trials(own, J, subjects=n, sigma_between=between)
    else:
        where = lines(own, subjects=n, sigma_between=between, replicates=draw_(st.integers(1, 2)))
        where = where if kind == "lines" else lines(subjects=n, random=None)
    y, _ = draw(where, 4, np.random.default_rng(draw_(st.integers(0, 10**6))))
    return where, y, BARS[kind]


def table(where, y):
    """One data set (K, n) as a table, x a number or a factor."""
    x = [where.cells[k // where.replicates][0] for k in range(len(y))]
    row, subject = np.indices(y.shape).reshape(2, -1)
    return pd.DataFrame({"y": y.ravel(), "x": np.array(x)[row], "id": subject})


@examples(40)
@given(batches())
def test_batches_are_single_fits(batch):
    where, y, bars = batch
    found = fit_own_effects(SubjectModel.of(where), y)
    alone = fit_own_effects(SubjectModel.of(where, alone=True), y)
    hypotheses = np.array([[0.0] * len(where.estimands), list(where.estimands.values())])
    for b in range(y.shape[1]):
        data = table(where, y[:, b])
        for fits, random in ((found, bars), (alone, "(1 | id)")):
            fit = tl.fit_mixed(f"y ~ x + {random}", data)
            assert fits.boundary[b] == fit.boundary
            effects = fit.slopes("x") if where.slope is not None else fit.condition_effects("x")
            close(fits.grand_mean[b], fit.grand_mean["estimate"])
            close(fits.condition_effects[:, b], effects["estimate"])
            variance(fits.within_variance[b], fit.sigma_within**2, fit)
            sds = fit.varcorr[fit.varcorr["var2"].isna()]
            variance(fits.between_variance[b], sds.query("grp == 'id'")["vcov"].iloc[0], fit)
            if fits.own_variance is not None:
                variance(fits.own_variance[b], sds["vcov"].iloc[1], fit)
            for df in ("kenward-roger", "satterthwaite", "asymptotic"):
                se, _ = fits.intervals(df)
                close(se[0, b], fit.means(df=df)["se"].iloc[0], 1e-5)
                F, df_den, p = fits.condition_tests(df, hypotheses)
                test = fit.anova(df).iloc[0]
                close(F[0, b], test["F"], 1e-5)
                close(np.broadcast_to(df_den, p[0].shape)[b], test["df_den"], 1e-4)
                close(p[0, b], test["p"], 1e-4)


def close(found, expected, rtol=1e-7):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-8)


def variance(found, expected, fit):
    """To the digits that a search of the likelihood leaves."""
    assert abs(found - expected) < 1e-6 * (fit.sigma_within**2 + expected)


def test_the_anova_of_lines_is_the_t_test_of_own_slopes():
    where = lines(subjects=9)
    y, _ = draw(where, 3, np.random.default_rng(1))
    F, df, p = fit_own_effects(SubjectModel.of(where), y).condition_tests("anova", np.zeros((1, 1)))
    for b in range(3):
        slopes = np.polyfit([0, 1, 2, 5], y[:, b], 1)[0]
        expected = stats.ttest_1samp(slopes, 0)
        close([F[0, b], df[0], p[0, b]], [expected.statistic**2, 8, expected.pvalue])


def test_the_anova_of_trials_is_that_of_cell_means():
    where = trials(subjects=9)
    y, _ = draw(where, 3, np.random.default_rng(1))
    F, df, p = fit_own_effects(SubjectModel.of(where), y).condition_tests("anova", np.zeros((1, 3)))
    for b in range(3):
        means = table(where, y[:, b]).groupby(["id", "x"])["y"].mean().reset_index()
        expected = tl.partition_errors("y ~ x", means, "id").table.loc["x"]
        close([F[0, b], df[0], p[0, b]], expected[["F", "df_den", "p"]].to_numpy(float))


@pytest.mark.parametrize("where", [lines(own=0.6), lines(replicates=2), trials(), trials(J=2)])
def test_known_measures_are_met_and_a_random_intercept_alone_is_too_sure(where):
    """All that theory knows within 6 Monte Carlo errors; the right test keeps its level."""
    table = replicate_block(where, 0, BLOCK, 5, "kenward-roger")
    found = with_theory(performance(block_sums(where, table, "kenward-roger")), where)
    known = found[found["theory"].notna()]
    assert len(known) == 4 + 2 * len(where.estimands)
    assert (np.abs(known["value"] - known["theory"]) < 6 * known["mcse"]).all()
    errors = found[found["measure"] == "type_one_error"].set_index("method")["value"]
    spread = np.sqrt(0.05 * 0.95 / BLOCK)
    assert abs(errors["anova"] - 0.05) < FAR * spread
    assert errors["kenward-roger"] < 0.05 + FAR * spread
    assert errors[INTERCEPT_ALONE] > 0.05 + 10 * spread
    within = found[(found["quantity"] == "within_variance") & (found["measure"] == "bias")]
    assert abs(within["value"].iloc[0]) < 0.1 * where.sigma_within**2


@examples(10)
@given(st.sampled_from([lines(), trials(), lines(random=None)]), st.integers(1, 30))
def test_an_experiment_does_not_depend_on_how_many_there_are(where, some):
    one, other = (replicate_block(where, 0, size, 1, "satterthwaite") for size in (some, 30))
    pd.testing.assert_frame_equal(one, other.iloc[:some], rtol=1e-12)


@pytest.mark.parametrize("scale", [1, 2.0**30])
@pytest.mark.parametrize("where", [lines(), trials()])
def test_each_experiment_is_what_fit_mixed_makes_of_its_data(where, scale):
    def times(values):
        return values and {name: scale * value for name, value in values.items()}

    own = where.random and {**where.random, "x": scale * where.random["x"]}
    conditions = where.conditions if where.slope else times(where.conditions)
    where = replace(
        where,
        conditions=conditions,
        grand_mean=scale * where.grand_mean,
        sigma_between=scale * where.sigma_between,
        sigma_within=scale * where.sigma_within,
        slope=where.slope and scale * where.slope,
        random=own,
        strata=times(where.strata),
    )
    found = replicate_block(where, 3, 5, 7, "kenward-roger")
    y, _ = draw(where, batch_size(where), np.random.default_rng(stream(where, 3, 7)))
    bars = BARS["trials" if where.slope is None else "lines"]
    for k in range(5):
        data = table(where, y[:, k])
        fit = tl.fit_mixed(f"y ~ x + {bars}", data)
        test, row, grand = fit.anova().iloc[0], found.iloc[k], fit.means().iloc[0]
        close([row["F"], row["p"]], test[["F", "p"]].to_numpy(float), 1e-5)
        variance(row["within_variance"], fit.sigma_within**2, fit)
        names = ["grand_mean", "grand_mean_se", "grand_mean_low", "grand_mean_high"]
        ends = grand[["estimate", "se", "ci_low", "ci_high"]]
        close(row[names].to_numpy(float) / scale, ends.to_numpy(float) / scale, 1e-5)
        alone = tl.fit_mixed("y ~ x + (1 | id)", data).anova().iloc[0]
        assert row[f"rejected[{INTERCEPT_ALONE}]"] == (alone["p"] < 0.05)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"missing": 0.1}, "missing: found 0.1, expected 0 with a number, or where subjects have"),
        ({"random": {"intercept": 1, "x": 1}}, "random: found intercept, which is sigma_between"),
        (
            {"conditions": {"a": {"1": 0, "2": 1}, "b": {"1": 0, "2": 1}}, "slope": None},
            "conditions: found the factors a, b, expected one",
        ),
    ],
)
def test_what_cannot_be_replicated_is_refused(keys, words):
    with pytest.raises(tl.InputError, match=words):
        lines(**{"random": None, **keys})
