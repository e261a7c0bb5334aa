"""The exact test of sigma_between = 0 against RLRsim's, and where its distribution is known."""

import numpy as np
import pandas as pd
import pytest
import random_part_references
from examples import examples
from hypothesis import given
from random_designs import with_times
from reference_values import NAMES, load
from scipy import stats

import twolevel as tl
from twolevel.inference.variance_test import variance_test
from twolevel.model.subject_effects import SubjectEffects


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", NAMES)
def test_rlrsim(name, method):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject", method)
    table = fit.test_between_variance()
    exact = reference.values["lme4"]["exact_rlrt"]
    if name == "dyestuff2":
        # R's optimiser stops at a statistic of 6e-14, and its p is that of any positive one.
        boundary = fit.between_variance_test().boundary_share
        assert abs(1 - boundary - exact["p"]) < 3 * np.sqrt(2 * 0.25 / 100_000)
        exact = {"stat": 0, "p": 1}
    np.testing.assert_allclose(table["statistic"], exact["stat"], rtol=1e-7, atol=1e-9)
    ours, theirs = table.loc["exact", "p"], exact["p"]
    # Both are shares of 100,000 draws.
    assert abs(ours - theirs) <= 3 * np.sqrt(2 * max(ours, 1e-5) / 100_000)
    mixture = reference.values["lme4"]["lrt_sigma_b_reml"]["p_halfchi2"]
    np.testing.assert_allclose(table.loc["mixture", "p"], mixture, rtol=1e-5)


def test_share_on_the_boundary_is_that_of_a_small_f():
    """Balanced, the statistic is 0 where the mean square between is below the one within."""
    reference = load("anxiety")
    test = tl.fit_mixed(reference.formula, reference.data, "subject").between_variance_test()
    expected = stats.f(44, 88).cdf(1)
    assert abs(test.boundary_share - expected) < 4.5 * np.sqrt(0.25 / test.draws)  # 7e-6


def test_p_is_uniform_under_the_hypothesis():
    """400 unbalanced tables without differences between subjects; false alarm below 1e-5."""
    generator = np.random.default_rng(2)
    kept = generator.random((400, 36)) > 0.15
    p = []
    for rows in kept:
        data = pd.DataFrame(
            {
                "id": np.repeat(np.arange(9), 4),
                "time": np.tile(list("abcd"), 9),
                "y": generator.normal(size=36),
            }
        )[rows]
        test = tl.fit_mixed("y ~ time", data, "id").between_variance_test(draws=2000)
        p.append(test.p)
    p = np.array(p)
    for level in (0.05, 0.2, 0.4):
        assert stats.binomtest(int((p <= level).sum()), len(p), level).pvalue > 1e-5
    assert 0.4 < np.mean(p == 1) < 0.7


def test_error_of_the_simulation_and_seed():
    reference = load("dyestuff")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    one = fit.between_variance_test(draws=20_000)
    assert one.p_se == pytest.approx(np.sqrt(one.p * (1 - one.p) / 20_000))
    assert vars(one) == vars(fit.between_variance_test(draws=20_000))
    assert one.p != fit.between_variance_test(draws=20_000, seed=2).p
    ps = [fit.between_variance_test(draws=2000, seed=seed).p for seed in range(60)]
    assert np.std(ps) == pytest.approx(np.sqrt(one.p / 2000), rel=0.5)


# 2 (logLik(fit) - logLik(fit without the effect)) of lme4 1.1-31 by REML, rhoend 1e-10.
LME4 = {
    "sleepstudy__slope": [22.8967555271, 42.8368134364],
    "selfesteem2__strata": [19.1050353321, 12.5786512475, 0.0322618086703],
}


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", LME4)
def test_each_of_several_effects(name, method):
    reference = random_part_references.load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, method=method)
    table = fit.test_variances(500)
    np.testing.assert_allclose(table["statistic"], LME4[name], rtol=1e-6, atol=1e-6)
    slopes = "slope" in name
    assert table["df"].tolist() == ([2, 2] if slopes else [1, 1, 1])
    chi = [stats.chi2(df).sf(table["statistic"]) for df in ((1, 2) if slopes else (1,))]
    np.testing.assert_allclose(table["p_mixture"], sum(chi) / 2, rtol=1e-6)
    own = fit.test_between_variance(draws=500)
    assert own["statistic"].iloc[0] == table["statistic"][0]
    assert own.loc[table["by"][0], "p"] == table["p"][0]


def test_drawn_and_refitted_as_exact():
    """Of an intercept alone both ways are open: the same statistic, and p but for chance."""
    reference = load("dyestuff")
    for shift in (0.0, 3.0):
        y = reference.data["y"] + shift * np.random.default_rng(1).normal(0, 50, 30)
        fit = tl.fit_mixed(reference.formula, reference.data.assign(y=y), "subject")
        general = SubjectEffects.of(fit.design, fit.random_columns, "REML")
        exact, same = fit.between_variance_test(), variance_test(general.reductions, 0)
        assert same.statistic == pytest.approx(exact.statistic, abs=1e-8)
        falls = general.reductions[0].falls_by_chance(10_000, np.random.default_rng(1))
        drawn = np.where(falls > 1e-9, falls, 0.0)
        for found, tries in ((np.mean(drawn >= exact.statistic), 10_000), (same.p, 100_000)):
            assert abs(found - exact.p) < 4.5 * np.sqrt(0.25 / tries)
        for found, tries in ((np.mean(drawn == 0), 10_000), (same.boundary_share, 100_000)):
            assert abs(found - exact.boundary_share) < 4.5 * np.sqrt(0.25 / tries)


def test_p_of_a_slope_is_uniform_under_the_hypothesis():
    """60 tables in which only intercepts differ between subjects; false alarm below 1e-5."""
    generator, p = np.random.default_rng(4), []
    for _ in range(60):
        y = generator.normal(size=(10, 1)) + generator.normal(size=(10, 5))
        data = pd.DataFrame(
            {"id": np.repeat(np.arange(10), 5), "x": np.tile(np.arange(5.0), 10), "y": y.ravel()}
        )
        fit = tl.fit_mixed("y ~ x + (1 + x | id)", data)
        p.append(variance_test(fit.estimates.likelihood.reductions, 1, draws=250).p)
    for level in (0.05, 0.2, 0.4):
        rejected = int((np.array(p) <= level).sum())
        assert stats.binomtest(rejected, len(p), level).pvalue > 1e-5


# RLRsim 3.1.8, each effect alone in the design: the share of 100,000 statistics that are 0, and
# their quantiles at 0.75, 0.9, 0.95 and 0.99.
RLRSIM = {
    "selfesteem2__strata": [
        [0.54044, 0.3321897, 1.429413, 2.476204, 5.113034],
        [0.51351, 0.416139, 1.585167, 2.653911, 5.435097],
        [0.50111, 0.4534215, 1.639151, 2.723936, 5.484407],
    ],
    "sleepstudy__uncorrelated": [[0.53667, 0.3419985, 1.448097, 2.444824, 5.096474]] * 2,
}


@pytest.mark.parametrize("name", RLRSIM)
def test_the_distribution_with_an_effect_alone_is_that_of_rlrsim(name):
    data = random_part_references.load(name.replace("uncorrelated", "slope"))
    formula = data.formula if "strata" in name else "y ~ condition + (condition || subject)"
    fit, tries = tl.fit_mixed(formula, data.data), 50_000
    tails = np.array([0.25, 0.1, 0.05, 0.01])
    found = fit.estimates.likelihood.reductions
    for reduction, (zero, *quantiles) in zip(found, RLRSIM[name], strict=True):
        drawn = reduction.alone.falls_by_chance(tries, np.random.default_rng(1))
        noise = 4.5 * np.sqrt((1 / tries + 1 / 100_000) * 0.25)
        assert abs(np.mean(drawn < 1e-9) - zero) < noise
        for quantile, tail in zip(quantiles, tails, strict=True):
            width = 4.5 * np.sqrt((1 / tries + 1 / 100_000) * tail * (1 - tail))
            assert abs(np.mean(drawn >= quantile) - tail) < width


def test_what_p_is_drawn_from():
    """An approximation where the others clearly differ, a bootstrap where one may not."""
    reference = random_part_references.load("selfesteem2__strata")
    found = tl.fit_mixed(reference.formula, reference.data).test_variances(200)
    assert found["p_mixture"].ge(0.05).tolist() == [False, False, True]
    assert found["by"].tolist() == ["bootstrap", "bootstrap", "approximate"]
    assert found["p"][2] == pytest.approx(0.42887, abs=0.01)  # RLRsim's exactRLRT(m, mA, m0)
    assert found["p_se"][2] == pytest.approx(np.sqrt(0.43 * 0.57 / 100_000), rel=0.01)
    reference = random_part_references.load("sleepstudy__slope")
    slopes = tl.fit_mixed(reference.formula, reference.data).test_variances(200)
    assert slopes["by"].tolist() == ["bootstrap"] * 2


@examples(20)
@given(data=with_times)
def test_eigenvalues_of_one_of_several_effects_are_dense_ones(data):
    """Those of Z' P Z, with Z of each effect alone; with 0 they are N - p."""
    fit = tl.fit_mixed("y ~ a + x + (1 | id) + (1 | id:a)", data)
    X = fit.design.X
    P = np.eye(len(X)) - X @ np.linalg.pinv(X)
    reductions = fit.estimates.likelihood.reductions
    for reduction, by in zip(reductions, (["id"], ["id", "a"]), strict=True):
        levels = data.groupby(by, observed=True, sort=False).ngroup().to_numpy()
        Z = np.eye(levels.max() + 1)[levels]
        dense = np.linalg.eigvalsh(Z.T @ P @ Z)
        found = reduction.alone
        assert found.df.sum() == len(X) - X.shape[1]
        ours = np.repeat(found.mu, found.df.astype(int))
        np.testing.assert_allclose(ours[ours > 0], dense[dense > 1e-8], rtol=1e-7)


def test_sizes_of_subjects_own_are_put_into_bins():
    """600 subjects with times of their own: as without bins, whatever the statistic."""
    generator = np.random.default_rng(6)
    who = np.repeat(np.arange(600), 3)
    data = pd.DataFrame({"id": who, "x": generator.uniform(-1, 1, 1800)})
    data["y"] = generator.normal(size=1800)
    fit = tl.fit_mixed("y ~ x + (x || id)", data)
    alone = fit.estimates.likelihood.reductions[1].alone
    Z = np.where(who[:, None] == np.arange(600), data["x"].to_numpy()[:, None], 0.0)
    X = fit.design.X
    dense = np.linalg.eigvalsh(Z.T @ (np.eye(1800) - X @ np.linalg.pinv(X)) @ Z)
    assert len(alone.mu) < 120
    unit = alone.mu.max() / dense.max()
    for lambda_ in (0.1, 1.0, 10.0):
        ours = np.log1p(alone.mu * lambda_ / unit) @ alone.df
        assert ours == pytest.approx(np.log1p(dense * lambda_).sum(), rel=1e-3)


def test_no_intercept_to_test():
    reference = random_part_references.load("sleepstudy__slope")
    fit = tl.fit_mixed("y ~ condition + (0 + condition | subject)", reference.data)
    with pytest.raises(tl.InputError, match=r"no intercept.*test_variances"):
        fit.between_variance_test()
    table = fit.test_variances()
    assert table["effect"].tolist() == ["condition"]
    assert table["p"][0] == 0
    assert table["by"].tolist() == ["exact"]  # one variance, of slopes, is all that is random
