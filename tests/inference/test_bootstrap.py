"""The parametric bootstrap against refits of simulated responses, and its intervals by hand."""

import numpy as np
import pandas as pd
import pytest
import random_part_references
from reference_values import load
from scipy import stats

import twolevel as tl


def fitted(name="ergostool_missing", method="REML"):
    reference = load(name)
    return reference, tl.fit_mixed(reference.formula, reference.data, "subject", method)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", ["ergostool_missing", "anxiety_group"])
def test_refits_are_distributed_like_refits_of_simulated_responses(name, method):
    """Kolmogorov and Smirnov's test of every parameter; p below 1e-5 is a false alarm in 1e5."""
    reference, fit = fitted(name, method)
    generator = np.random.default_rng(5)
    rows = []
    for _ in range(400):
        S = fit.sigma_between * generator.standard_normal(len(fit.design.subjects))
        y = fit.design.X @ fit.params + S[fit.design.codes]
        y = y + fit.sigma_within * generator.standard_normal(len(y))
        refit = tl.fit_mixed(reference.formula, reference.data.assign(y=y), "subject", method)
        rows.append(refit.estimated)
    simulated = pd.DataFrame(rows)
    drawn = fit.parametric_bootstrap(4000).replicates
    assert list(drawn.columns) == list(simulated.columns)
    for name in drawn.columns:
        assert stats.ks_2samp(drawn[name], simulated[name]).pvalue > 1e-5, name
    # Also together: contrasts of effects, and effects with sigmas.
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(simulated.T), atol=0.25)


@pytest.mark.parametrize("name", ["bodyweight__slope", "selfesteem2__strata"])
def test_refits_of_any_random_part(name):
    """The same for slopes, in subjects that share their times, and for strata; p as above.

    Of the weights some rows are left out, so that subjects have times of their own.
    """
    reference = random_part_references.load(name)
    data = reference.data.sample(frac=0.9, random_state=1) if "slope" in name else reference.data
    fit = tl.fit_mixed(reference.formula, data)
    response = reference.formula.split()[0]
    rows = [
        tl.fit_mixed(reference.formula, data.assign(**{response: fit.simulate(seed)})).estimated
        for seed in range(200)
    ]
    drawn = fit.parametric_bootstrap(2000)
    for name in drawn.replicates:
        simulated = np.array([row[name] for row in rows])
        assert stats.ks_2samp(drawn.replicates[name], simulated).pvalue > 1e-5, name
    assert fit.bootstrap("bca", refits=2000).notna().all(axis=None)


def test_balanced_variances_have_their_known_distribution():
    """Balanced, sigma_w^2 df / (true sigma_w^2) is chi-square wherever the fit is interior."""
    _, fit = fitted("dyestuff")
    drawn = fit.parametric_bootstrap(20_000).replicates
    share = (drawn["sigma_between"] == 0).mean()
    n, J = 6, 5
    ratio = fit.sigma_within**2 / (fit.sigma_within**2 + J * fit.sigma_between**2)
    expected = stats.f(n - 1, n * (J - 1)).cdf(ratio)  # P(MS between < MS within)
    assert abs(share - expected) < 4.5 * np.sqrt(expected / 20_000)  # false alarm: 7e-6
    assert (
        stats.kstest(
            (drawn["Intercept"] - fit.params["Intercept"]) / fit.bse["Intercept"], "norm"
        ).pvalue
        > 1e-5
    )


def test_count_of_boundary_refits():
    _, fit = fitted("selfesteem")
    drawn = fit.parametric_bootstrap(3000)
    assert drawn.boundary_refits == (drawn.replicates["sigma_between"] == 0).sum()
    assert 0.4 < drawn.boundary_refits / 3000 < 0.65
    table = fit.bootstrap(refits=3000)
    assert (table["boundary_refits"] == drawn.boundary_refits).all()
    assert (table["refits"] == 3000).all()


def test_the_seed_decides():
    _, fit = fitted()
    one, same, other = (fit.parametric_bootstrap(7000, seed).replicates for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert not np.allclose(one, other)


def test_percentile_intervals():
    _, fit = fitted()
    drawn = fit.parametric_bootstrap(2500)
    table = drawn.percentile(0.9)
    np.testing.assert_allclose(table["estimate"], fit.estimated)
    np.testing.assert_allclose(table["se"], drawn.replicates.std())
    np.testing.assert_allclose(table["ci_low"], drawn.replicates.quantile(0.05))
    np.testing.assert_allclose(table["ci_high"], drawn.replicates.quantile(0.95))


def test_bca_intervals_by_their_definition():
    """Efron (1987), with scipy's normal distribution, one parameter at a time."""
    _, fit = fitted()
    drawn = fit.parametric_bootstrap(2500)
    table = drawn.bca(fit.without_subject)
    for name in table.index:
        values = drawn.replicates[name]
        z0 = stats.norm.ppf(np.mean(values < fit.estimated[name]))
        influence = fit.without_subject[name].mean() - fit.without_subject[name]
        a = stats.skew(influence) / (6 * np.sqrt(len(influence)))
        for column, z in (("ci_low", -1.959963984540054), ("ci_high", 1.959963984540054)):
            level = stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z)))
            assert table.loc[name, column] == pytest.approx(values.quantile(level), rel=1e-9)


def test_bca_at_the_boundary_counts_ties_half():
    _, fit = fitted("selfesteem")
    table = fit.bootstrap("bca", refits=3000)
    assert table.loc["sigma_between", "ci_low"] == 0
    assert 0 < table.loc["sigma_between", "ci_high"] < 2 * fit.sigma_within
    assert np.isfinite(table).all(axis=None)
    with pytest.raises(ValueError, match="expected 'percentile' or 'bca'"):
        fit.bootstrap("basic")
