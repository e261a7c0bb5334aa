"""Performance measures against their definitions, and results against what theory knows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.performance import block_sums, distributions, performance, with_theory
from twolevel.experiments.run import replicate, replicate_block
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.theory import Sampling, bin_edges

WHERE = Scenario(8, {"a": -0.5, "b": 0, "c": 0.5}, 5, 1.0, 1.0)
# Two-sided: a false alarm once in 10^7 runs for each number that is compared.
FAR = stats.norm.isf(0.5e-7)


def pooled(scenario, sizes, test="kenward-roger", seed=1):
    tables = [replicate_block(scenario, b, size, seed, test) for b, size in enumerate(sizes)]
    sums = pd.concat([block_sums(scenario, table, test) for table in tables], ignore_index=True)
    return pd.concat(tables, ignore_index=True), sums


def measure(table, quantity, name, method=""):
    at = (table["quantity"] == quantity) & (table["measure"] == name) & (table["method"] == method)
    (row,) = table[at].itertuples()
    return row


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_measures_are_those_of_the_whole_table(missing):
    """Sums of unequal blocks give what the definitions give on all experiments at once."""
    where = Scenario(5, {"a": -0.5, "b": 0, "c": 0.5}, 5, 1.0, 1.0, missing=missing)
    table, sums = pooled(where, (400, 30, 211))
    found = performance(sums)
    n = int((~table["failed"]).sum())
    assert n < 641 or missing == 0
    for name, true in where.truth.items():
        error = table[name].dropna() - true
        m = len(error)
        assert measure(found, name, "bias").n == m
        expected = {
            "bias": (error.mean(), error.std() / np.sqrt(m)),
            "empirical_se": (
                error.std(),
                error.std() * np.sqrt((stats.kurtosis(error, fisher=False) - 1) / (4 * m)),
            ),
            "rmse": (
                np.sqrt((error**2).mean()),
                (error**2).std(ddof=0) / np.sqrt(m) / 2 / np.sqrt((error**2).mean()),
            ),
        }
        if f"{name}_se" in table:
            variance = table[f"{name}_se"].dropna() ** 2
            low, high = table[f"{name}_low"].dropna(), table[f"{name}_high"].dropna()
            model = np.sqrt(variance.mean())
            own = variance.var(ddof=0) / (4 * m * model**4)
            kurtosis = (stats.kurtosis(error, fisher=False) - 1) / (4 * m)
            covered = ((low <= true) & (true <= high)).mean()
            centred = ((low <= true + error.mean()) & (true + error.mean() <= high)).mean()
            expected |= {
                "model_se": (model, model * np.sqrt(own)),
                "relative_error": (
                    model / error.std() - 1,
                    model / error.std() * np.sqrt(own + kurtosis),
                ),
                "coverage": (covered, np.sqrt(covered * (1 - covered) / m)),
                "bias_eliminated_coverage": (centred, np.sqrt(centred * (1 - centred) / m)),
            }
        assert set(found.loc[found["quantity"] == name, "measure"]) == set(expected)
        for key, values in expected.items():
            row = measure(found, name, key)
            np.testing.assert_allclose(
                (row.value, row.mcse), values, rtol=1e-9, err_msg=f"{name} {key}"
            )
    for method in ("kenward-roger", "asymptotic", "anova"):
        for key, column in (("power", "rejected"), ("type_one_error", "rejected_true")):
            those = table[f"{column}[{method}]"].dropna()
            row = measure(found, "condition", key, method)
            assert row.n == len(those)
            np.testing.assert_allclose(row.value, those.mean() if len(those) else np.nan)
    assert measure(found, "failed", "rate").value == table["failed"].mean()
    assert (
        measure(found, "boundary", "rate").value == table.loc[~table["failed"], "boundary"].mean()
    )


def test_the_monte_carlo_errors_are_those_of_morris_for_normal_estimates():
    found = performance(pooled(WHERE, [BLOCK] * 4)[1])
    n, se = 4 * BLOCK, measure(found, "grand_mean", "empirical_se")
    assert se.mcse == pytest.approx(se.value / np.sqrt(2 * (n - 1)), rel=0.05)


def test_monte_carlo_errors_are_the_spread_of_measures():
    """Over 60 studies of 200 experiments each; the spread of 60 is known to 9 %, so 5 of these."""
    studies = [performance(pooled(WHERE, [200], seed=seed)[1]) for seed in range(60)]
    for quantity in ("grand_mean", "between_variance", "raw_variance"):
        for name in ("bias", "empirical_se", "rmse"):
            rows = [measure(study, quantity, name) for study in studies]
            spread = np.std([row.value for row in rows], ddof=1)
            assert spread == pytest.approx(np.mean([row.mcse for row in rows]), rel=0.46)


def test_the_mean_estimate_far_from_the_truth_is_refused_not_guessed():
    sums = pooled(WHERE, [300, 300])[1]
    grand_mean = sums["quantity"] == "grand_mean"
    sums.loc[grand_mean, ["sum1", "sum2", "sum4"]] += [1000.0, 1e5, 1e10]
    with pytest.raises(ValueError, match="lies further from 0"):
        performance(sums)


@pytest.mark.parametrize("sigma_between", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("replicates", [1, 2])
def test_estimates_follow_their_laws(sigma_between, replicates):
    """Kolmogorov-Smirnov on 20,000 experiments, p below 10^-7 for a failure."""
    where = Scenario(7, {"a": 0, "b": 1, "c": 4}, 5, sigma_between, 1.3, replicates)
    table, law = replicate(where, 20_000, seed=5), Sampling(where)
    for name in ("grand_mean", "within_variance"):
        assert stats.kstest(table[name], lambda x, name=name: law.cdf(name, x)).pvalue > 1e-7
    inside = table.loc[table["between_variance"] > 0, "between_variance"].to_numpy()
    zero = law.boundary_rate
    scaled = (law.cdf("between_variance", inside) - zero) / (1 - zero)
    assert stats.kstest(scaled, "uniform").pvalue > 1e-7
    assert law.cdf("between_variance", np.array([0.0]))[0] == pytest.approx(zero, abs=1e-5)
    spread = np.sqrt(zero * (1 - zero) / len(table))
    assert abs(table["boundary"].mean() - zero) < FAR * spread + 1e-9
    df, raw = where.subjects - 1, sigma_between**2 + 1.3**2 / where.per_subject
    assert stats.kstest(table["raw_variance"] * df / raw, stats.chi2(df).cdf).pvalue > 1e-7


@pytest.mark.parametrize("effects", [(0, 0, 0), (0, 0.5, 1), (0, 1, 1)])
def test_the_power_of_the_anova_is_a_noncentral_f(effects):
    where = Scenario(10, dict(zip("abc", effects, strict=True)), 5, 1, 1, replicates=2)
    found = with_theory(performance(pooled(where, [BLOCK] * 4, "anova")[1]), where)
    row = measure(found, "condition", "power", "anova")
    centre = 20 * np.square(np.array(effects) - np.mean(effects)).sum()
    critical = stats.f.isf(0.05, 2, 48)
    expected = stats.ncf.sf(critical, 2, 48, centre) if centre else 0.05
    assert row.theory == pytest.approx(expected, rel=1e-9)
    assert abs(row.value - expected) < FAR * np.sqrt(expected * (1 - expected) / row.n)


def test_the_power_does_not_depend_on_the_unit():
    one = Scenario(8, {"a": -0.5, "b": 0, "c": 0.5}, 5, 1.0, 1.0)
    other = Scenario(8, {"a": -1.5, "b": 0, "c": 1.5}, 15, 3.0, 3.0)
    assert Sampling(other).power() == pytest.approx(Sampling(one).power(), rel=1e-12)


def test_type_one_errors_with_eight_subjects():
    """Kenward-Roger's and the ANOVA's are 5 %, within Monte Carlo error; the asymptotic is not."""
    found = performance(pooled(WHERE, [BLOCK] * 8)[1])
    for method in ("kenward-roger", "anova"):
        row = measure(found, "condition", "type_one_error", method)
        assert abs(row.value - 0.05) < FAR * np.sqrt(0.05 * 0.95 / row.n)
    row = measure(found, "condition", "type_one_error", "asymptotic")
    assert row.value - 0.05 > FAR * np.sqrt(0.05 * 0.95 / row.n)


def test_known_measures_are_met():
    """All that theory knows, within 6 Monte Carlo standard errors."""
    found = with_theory(performance(pooled(WHERE, [BLOCK] * 4)[1]), WHERE)
    known = found[found["theory"].notna()]
    assert len(known) == 13
    assert (np.abs(known["value"] - known["theory"]) < 6 * known["mcse"]).all()
    incomplete = Scenario(8, {"a": 0, "b": 0}, 5, 1, 1, missing=0.2)
    assert with_theory(performance(pooled(incomplete, [50])[1]), incomplete)["theory"].isna().all()


def test_histograms_hold_every_estimate_but_those_of_exactly_0():
    table, sums = pooled(WHERE, (500, 300))
    found = distributions(sums, WHERE)
    for name in ("grand_mean", "between_variance", "within_variance"):
        part = found[found["quantity"] == name]
        assert part["count"].sum() == (table[name] != 0).sum()
        edges = bin_edges(WHERE)[name]
        inner = table[name][(table[name] > edges[0]) & (table[name] < edges[-1])]
        assert part["count"].iloc[1:-1].tolist() == np.histogram(inner, edges)[0][1:-1].tolist()
        zero = Sampling(WHERE).boundary_rate if name == "between_variance" else 0.0
        assert part["expected"].sum() == pytest.approx(1 - zero, abs=1e-5)


def test_the_level_is_that_of_intervals_and_tests():
    """At 80 %, intervals cover in 80 % of experiments and tests reject what is true in 20 %."""
    table = replicate_block(WHERE, 0, BLOCK, 1, "anova", level=0.8)
    found = with_theory(performance(block_sums(WHERE, table, "anova")), WHERE, 0.8)
    for quantity, name, method, share in (
        ("grand_mean", "coverage", "", 0.8),
        ("condition", "type_one_error", "anova", 0.2),
    ):
        row = measure(found, quantity, name, method)
        assert abs(row.value - share) < FAR * np.sqrt(share * (1 - share) / row.n)
    row = measure(found, "condition", "power", "anova")
    assert row.theory == pytest.approx(Sampling(WHERE).power(0.8), rel=1e-12)
    assert abs(row.value - row.theory) < FAR * row.mcse


def test_a_block_of_one_experiment_does_not_decide_how_far_intervals_are_looked_at():
    """Its own error may be next to 0."""
    _, sums = pooled(WHERE, [300])
    one = replicate_block(WHERE, 1, 1, 1, "kenward-roger")
    one["grand_mean"] = WHERE.mean + 1e-9
    both = pd.concat([sums, block_sums(WHERE, one, "kenward-roger")], ignore_index=True)
    assert measure(performance(both), "grand_mean", "bias_eliminated_coverage").n == 301


def test_the_anova_has_no_coverage_where_cells_are_missing():
    where = Scenario(8, {"a": 0, "b": 1}, 5, 1, 1, missing=0.2)
    found = performance(pooled(where, [80], "anova")[1])
    row = measure(found, "grand_mean", "coverage")
    assert np.isnan([row.value, row.mcse]).all()
    assert np.isfinite(measure(found, "grand_mean", "bias").value)
