"""Residual diagnostics: false alarms at their rate, departures found, algebra by definition."""

import numpy as np
import pandas as pd
import pytest
from reference import load
from scipy import stats

import twolevel as tl
from twolevel import diagnostics
from twolevel.diagnostics import diagnose
from twolevel.remarks import remarks


def table(seed, n=20, J=3, error=None, spread=None):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=n)[:, None] + np.arange(J)
    noise = generator.normal(size=(n, J)) if error is None else error(generator, (n, J))
    y = y + noise * (1 if spread is None else spread(y))
    levels = [f"t{j}" for j in range(J)]
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(n), J),
            "time": pd.Categorical(np.tile(levels, n), levels),
            "y": y.ravel(),
        }
    )


def looked_at(data, condition="time", **more):
    return diagnose(tl.fit_mixed("y ~ time", data, "id"), condition, **more)


def test_false_alarms_come_at_their_rate(monkeypatch):
    """300 tables of the model: p below 0.05 in 5 % of them; false alarm of this test below 1e-4."""
    monkeypatch.setattr(diagnostics, "_DRAWS", 199)
    found = [looked_at(table(seed)) for seed in range(300)]
    for name in ("residual", "spread", "conditions", "random effect"):
        p = np.array([d.looks[name].p for d in found if name in d.looks])
        assert stats.binomtest(int((p <= 0.05).sum()), len(p), 0.05).pvalue > 1e-4, name
    # Envelopes are pointwise: 5 % of the points lie outside on average.
    # lambda is held at its estimate, which makes the random effects' a little wide.
    for of, least in (("residual", 0.04), ("random effect", 0.03)):
        outside = np.mean([d.outside[of] for d in found if of in d.outside])
        assert least < outside < 0.06, of


def looked_at_with(formula, data, condition="time"):
    return diagnose(tl.fit_mixed(formula, data, "id"), condition)


SKEWED = table(1, 60, error=lambda generator, size: generator.exponential(size=size) ** 2)


@pytest.mark.parametrize(
    ("look", "sentence", "data"),
    [
        ("residual", "residual_quantiles", SKEWED),
        ("spread", "residuals_fitted", table(1, 60, spread=lambda y: np.exp(y))),
        ("conditions", "scale_location", table(1, 60, spread=lambda y: np.array([1, 1, 4]))),
    ],
)
def test_departures_are_found_and_said(look, sentence, data):
    found = looked_at(data)
    assert 1 / (found.draws + 1) <= found.looks[look].p < 0.01
    assert "no clear sign" not in remarks(found)[sentence]
    fine = looked_at(table(1, 60))
    assert fine.looks[look].p > 0.05
    assert "no clear sign" in remarks(fine)[sentence]


@pytest.mark.parametrize(("spread", "word"), [([0.3, 1, 3], "more"), ([3, 1, 0.3], "less")])
def test_the_direction_of_a_spread_is_said(spread, word):
    """The levels' means rise from the first to the last."""
    found = looked_at(table(1, 60, spread=lambda y: np.array(spread)))
    assert f"spread {word} where fitted values are high" in remarks(found)["residuals_fitted"]


def test_one_subject_far_away_is_no_normal_random_effect():
    data = table(2, 40)
    data.loc[data["id"] == 7, "y"] += 15
    found = looked_at(data)
    assert found.looks["random effect"].p < 0.01
    assert "depart from a normal" in remarks(found)["random_effect_quantiles"]
    plot = found.quantiles[found.quantiles["of"] == "random effect"]
    assert plot["observed"].iloc[-1] > plot["high"].iloc[-1]


def test_drawn_data_are_treated_as_the_data_are():
    """Against dense generalised least squares and prediction of what was drawn."""
    reference = load("ergostool_missing")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    seed = np.random.SeedSequence(3)
    drawn = diagnostics._draw(fit, 4, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    Z = np.eye(len(fit.design.subjects))[fit.design.codes]
    X = fit.design.X
    y = Z @ (fit.sigma_between * generator.standard_normal((Z.shape[1], 4)))
    y += fit.sigma_within * generator.standard_normal((len(X), 4))
    V = fit.lambda_ * Z @ Z.T + np.eye(len(X))
    beta = np.linalg.solve(X.T @ np.linalg.solve(V, X), X.T @ np.linalg.solve(V, y))
    blup = fit.lambda_ * Z.T @ np.linalg.solve(V, y - X @ beta)
    error = y - X @ beta
    sigma2 = np.diag(error.T @ np.linalg.solve(V, error)) / (len(X) - X.shape[1])
    scale = fit.sigma_within / np.sqrt(sigma2)
    np.testing.assert_allclose(drawn.random_effects, scale * blup, atol=1e-10)
    np.testing.assert_allclose(drawn.resid, scale * (error - Z @ blup), atol=1e-10)
    fixed = (X @ fit.params.to_numpy())[:, None]
    np.testing.assert_allclose(drawn.fitted, fixed + scale * (X @ beta + Z @ blup), atol=1e-9)


def test_quantiles_are_sorted_and_keep_the_extremes():
    data = table(4, 400)
    found = looked_at(data).quantiles
    fit = tl.fit_mixed("y ~ time", data, "id")
    for of, values in (
        ("residual", fit.resid),
        ("random effect", fit.random_effects["random_effect"]),
    ):
        plot = found[found["of"] == of]
        assert len(plot) <= 400
        assert plot["observed"].is_monotonic_increasing
        np.testing.assert_allclose(plot["observed"].iloc[:50], np.sort(values)[:50])
        np.testing.assert_allclose(plot["observed"].iloc[-50:], np.sort(values)[-50:])
        assert (plot["low"] < plot["high"]).all()


def test_a_boundary_fit_has_no_random_effects_to_look_at():
    reference = load("selfesteem")
    found = diagnose(tl.fit_mixed(reference.formula, reference.data, "subject"), "condition")
    assert set(found.quantiles["of"]) == {"residual"}
    assert remarks(found)["random_effect_quantiles"].startswith("All predicted random effects")
    assert set(found.outside) == {"residual"}


def test_without_conditions_nothing_is_compared():
    reference = load("dyestuff")
    found = diagnose(tl.fit_mixed(reference.formula, reference.data, "subject"))
    assert "conditions" not in found.looks
    assert len(found.by_condition) == 0
    assert "no conditions" in remarks(found)["scale_location"]


def test_by_condition():
    reference = load("sleepstudy")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    found = diagnose(fit, "condition").by_condition.set_index("condition")
    squares = pd.Series(fit.resid**2).groupby(fit.design.data["condition"], observed=True).mean()
    np.testing.assert_allclose(found["rms"] ** 2, squares)
    assert (found["n"] == 18).all()


def test_many_rows_are_not_simulated():
    found = looked_at(table(5, 8000))
    assert found.draws == 0
    assert all(look.p is None for look in found.looks.values())
    assert 0 <= found.outside["residual"] < 0.5
    for sentence in remarks(found).values():
        assert "Monte Carlo" not in sentence
    narrow = found.quantiles[found.quantiles["of"] == "residual"].iloc[200]
    assert narrow["high"] - narrow["low"] < 0.1


def test_the_seed_decides():
    data = table(6)
    one, same, other = (looked_at(data, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.quantiles, same.quantiles, check_exact=True)
    assert not one.quantiles.equals(other.quantiles)


def test_rows_of_one_fitted_value_are_not_told_apart():
    """Only a mean, no differences between subjects, and a spread that grows along the table."""
    data = table(3, 50)
    data["y"] = np.random.default_rng(1).normal(size=150) * np.linspace(0.3, 2, 150)
    data["y"] -= data.groupby("id")["y"].transform("mean")
    fit = tl.fit_mixed("y ~ 1", data, "id")
    assert fit.boundary
    found = diagnose(fit)
    assert "spread" not in found.looks
    assert remarks(found)["residuals_fitted"].startswith("All fitted values are equal")


def test_the_order_of_rows_does_not_matter():
    """On a boundary, rows of one level share a fitted value; here levels differ in their rows."""
    table = load("selfesteem").data.iloc[:-5]
    fits = [
        tl.fit_mixed("y ~ condition", data, "subject")
        for data in (table, table.sample(frac=1, random_state=1))
    ]
    assert fits[0].boundary
    one, other = (diagnose(fit, "condition").looks["spread"].statistic for fit in fits)
    assert one == pytest.approx(other)
    residuals, fitted = pd.Series(fits[0].resid).abs(), pd.Series(fits[0].fittedvalues).round(9)
    assert one == pytest.approx(residuals.corr(fitted, method="spearman"))


def seen_once():
    data = table(1).assign(day=lambda data: data["time"].cat.codes * 1.5)
    return data[(data["time"] != "t2") | (data["id"] == 3)]


def fitted_exactly():
    """Two rows of t2, each with a mean of its own, and no differences between subjects."""
    data = table(1).assign(group=lambda data: np.where(data["id"] % 2, "a", "b"))
    data["y"] -= data.groupby("id")["y"].transform("mean")
    return data[(data["time"] != "t2") | (data["id"] < 2)]


@pytest.mark.parametrize(
    ("formula", "data", "condition"),
    [
        ("y ~ time", seen_once(), "time"),
        ("y ~ day", seen_once(), "day"),
        ("y ~ time * group", fitted_exactly(), "time"),
    ],
)
def test_a_level_without_spread_is_not_compared(formula, data, condition):
    found = diagnose(tl.fit_mixed(formula, data, "id"), condition)
    assert "conditions" not in found.looks
    assert "is not compared" in remarks(found)["scale_location"]


def test_two_subjects_have_no_distribution():
    data = table(3, 2, 8)
    data.loc[data["id"] == 0, "y"] += 9
    found = looked_at(data)
    assert "random effect" not in found.looks
    assert remarks(found)["random_effect_quantiles"].startswith("There are too few")


def test_a_shape_that_the_design_fixes_is_no_departure():
    """Three subjects and a covariate between them leave one direction to the random effects."""
    data = table(3, 3, 8)
    data["age"] = data["id"].map({0: 1.0, 1: 2.0, 2: 4.0})
    data.loc[data["id"] == 1, "y"] += 9
    assert looked_at_with("y ~ time + age", data).looks["random effect"].p > 0.9


def test_an_unknown_condition_is_named():
    with pytest.raises(ValueError, match="expected a variable of the formula"):
        diagnose(tl.fit_mixed("y ~ 1", table(1), "id"), "time")


def test_large_numbers_have_no_exponent():
    data = table(1)
    assert "e+" not in remarks(looked_at(data.assign(y=2345 * data["y"])))["scale_location"]


@pytest.mark.parametrize("ratio", [0.2, 3])
def test_many_unbalanced_rows_of_the_model_stay_in_their_envelope(ratio):
    """Subjects seen once, twice or 30 times: what is predicted for them differs in variance."""
    generator = np.random.default_rng(1)
    sizes = generator.choice([1, 2, 30], size=8000, p=[0.6, 0.3, 0.1])
    codes = np.repeat(np.arange(8000), sizes)
    y = ratio * generator.normal(size=8000)[codes] + generator.normal(size=len(codes))
    data = pd.DataFrame({"id": codes, "y": y})
    found = diagnose(tl.fit_mixed("y ~ 1", data, "id"))
    assert found.draws == 0
    assert found.outside["residual"] < 0.1
    assert found.outside["random effect"] < 0.1
