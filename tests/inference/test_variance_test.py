"""The exact test of sigma_between = 0 against RLRsim's, and where its distribution is known."""

import numpy as np
import pandas as pd
import pytest
from reference_values import NAMES, load
from scipy import stats

import twolevel as tl


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
