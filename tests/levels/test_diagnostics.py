"""Residual diagnostics: false alarms at their rate, departures found, algebra by definition."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from reference_values import load
from scipy import stats

import twolevel as tl
from twolevel.findings import remarks as in_words
from twolevel.levels.checks import diagnostics, redrawn
from twolevel.levels.checks.diagnostics import diagnose
from twolevel.summaries.checks_summary import DiagnosticsSummary


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


def remarks(found, **more):
    return in_words.remarks(DiagnosticsSummary.of(found.summary()), **more)


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
        ("spread", "spread", table(1, 60, spread=lambda y: np.exp(y))),
        ("conditions", "spread", table(1, 60, spread=lambda y: np.array([1, 1, 4]))),
    ],
)
def test_departures_are_found_and_said(look, sentence, data):
    found = looked_at(data)
    assert 1 / (found.draws + 1) <= found.looks[look].p < 0.01
    assert "no clear sign" not in remarks(found)[sentence]
    fine = looked_at(table(1, 60))
    assert fine.looks[look].p > 0.05
    assert "no clear sign" in remarks(fine)[sentence]


@pytest.mark.parametrize(("spread", "rises"), [([0.3, 1, 3], True), ([3, 1, 0.3], False)])
def test_where_a_spread_rises_a_transformed_response_is_advised(spread, rises):
    """The levels' means rise from the first to the last."""
    found = looked_at(table(1, 60, spread=lambda y: np.array(spread)))
    said = remarks(found)["spread"]
    assert said.startswith("The residuals do not spread equally: ")
    assert ("such as its logarithm, may suit" in said) == rises


def test_two_looks_at_one_assumption_say_one_thing():
    """On selfesteem the one finds more spread where fitted values are high, the other nothing."""
    reference = load("selfesteem")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    found = diagnose(fit, "condition")
    assert found.looks["spread"].p < 0.05 < found.looks["conditions"].p
    said = remarks(found, condition="time")["spread"]
    assert said.startswith("The residuals do not spread equally: ")
    assert "no clear sign" not in said
    assert "both looks together, p = .028" in said
    assert not {"residuals_fitted", "scale_location"} & set(remarks(found))


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
    drawn = redrawn.redraw(fit, 4, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    subject, row = redrawn.places(fit.design)
    Z = np.eye(len(fit.design.subjects))[fit.design.codes]
    X = fit.design.X
    y = Z @ (fit.sigma_between * generator.standard_normal((Z.shape[1], 4))[subject])
    y += fit.sigma_within * generator.standard_normal((len(X), 4))[row]
    V = fit.lambda_ * Z @ Z.T + np.eye(len(X))
    beta = np.linalg.solve(X.T @ np.linalg.solve(V, X), X.T @ np.linalg.solve(V, y))
    blup = fit.lambda_ * Z.T @ np.linalg.solve(V, y - X @ beta)
    error = y - X @ beta
    sigma2 = np.diag(error.T @ np.linalg.solve(V, error)) / (len(X) - X.shape[1])
    scale = fit.sigma_within / np.sqrt(sigma2)
    np.testing.assert_allclose(drawn.random_effects["random effect"], scale * blup, atol=1e-10)
    np.testing.assert_allclose(drawn.resid, scale * (error - Z @ blup), atol=1e-10)
    fixed = (X @ fit.params.to_numpy())[:, None]
    fixed -= fixed.mean()
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


OWN = {
    "response ~ x + (1 + x | subject)": ["random effect", "random effect: x"],
    "response ~ f + (1 | subject) + (1 | subject:f)": ["random effect", "random effect: subject:f"],
}


@pytest.mark.parametrize("level", [0.95, 0.5])
@pytest.mark.parametrize("simulated", [True, False])
@pytest.mark.parametrize("formula", OWN)
def test_each_random_effect_has_its_quantiles(formula, simulated, level, monkeypatch):
    if not simulated:
        monkeypatch.setattr("twolevel.levels.checks.diagnostics._MOST_SIMULATED", 0)
    keys = {"conditions": {"f": {"a": 0, "b": 1, "c": 2}}, "strata": {"f": 1}, "sigma_between": 2}
    if "x" in formula:
        keys = {"conditions": {"x": [0, 3, 9]}, "slope": 1, "random": {"intercept": 2, "x": 1}}
    data = tl.simulate(subjects=150, grand_mean=5, sigma_within=0.5, replicates=2, seed=4, **keys)
    fit = tl.fit_mixed(formula, data)
    found = diagnose(fit, "x" if "x" in formula else "f", level=level)
    assert list(found.quantiles["of"].unique()) == ["residual", *OWN[formula]]
    for name in OWN[formula]:
        assert found.outside[name] < 2 * (1 - level) + 0.05
        assert not simulated or found.looks[name].p > 0.001
        assert name.partition(": ")[2] in remarks(found)["random_effect_quantiles"]
    observed = found.quantiles[found.quantiles["of"] == OWN[formula][1]]["observed"]
    expected = (
        fit.random_effects["x"]
        if "x" in formula
        else fit.nested_effects["subject:f"]["(Intercept)"]
    )
    if len(expected) <= 400:
        np.testing.assert_allclose(observed, np.sort(expected), atol=1e-9)


def test_an_effect_whose_variance_is_0_is_not_looked_at():
    data = tl.simulate(
        subjects=12,
        conditions={"f": {"a": 0, "b": 1}},
        sigma_between=0,
        strata={"f": 1},
        grand_mean=5,
        sigma_within=0.5,
        replicates=3,
        seed=0,
    )
    fit = tl.fit_mixed("response ~ f + (1 | subject) + (1 | subject:f)", data)
    assert fit.theta[0] == 0
    names = set(diagnose(fit, "f").outside)
    assert names == {"residual", "random effect: subject:f"}


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
    assert "root mean square" not in remarks(found)["spread"]


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
    assert remarks(found)["spread"].startswith("All fitted values are equal")


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
    assert "between the levels they are not compared" in remarks(found)["spread"]


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
    assert "e+" not in remarks(looked_at(data.assign(y=2345 * data["y"])))["spread"]


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


def with_levels_of_unequal_size():
    data = table(8, 7, 4)
    return data[(data["id"] != 3) | (data["time"] != "t1")]


def in_pairs():
    """Two levels: what is left of a subject is a number and its negative, tied in size."""
    return table(9, 12, 2)


def in_days():
    data = table(10, 8, 5)
    return data.assign(time=data["time"].cat.codes * 1.0)


def with_replicates():
    """Two observations of each cell, which nothing but their values tells apart."""
    data = with_levels_of_unequal_size()
    generator = np.random.default_rng(5)
    again = data.assign(y=data["y"] + generator.normal(size=len(data)))
    return pd.concat([data, again], ignore_index=True)


DESIGNS = [with_levels_of_unequal_size, in_pairs, in_days, with_replicates]


def p_values(data):
    return {name: look.p for name, look in looked_at(data).looks.items()}


@pytest.mark.parametrize("design", DESIGNS)
@given(seed=st.integers(0, 2**32 - 1))
@examples(8)
def test_p_values_do_not_depend_on_the_order_of_rows(design, seed):
    data = design()
    assert p_values(data) == p_values(data.sample(frac=1, random_state=seed))


@pytest.mark.parametrize("design", DESIGNS)
def test_p_values_do_not_depend_on_the_order_of_levels_or_the_type_of_names(design):
    data = design()
    expected = p_values(data)
    assert p_values(data.assign(id=data["id"].astype(str))) == expected
    if isinstance(data["time"].dtype, pd.CategoricalDtype):
        turned = data["time"].cat.reorder_categories(data["time"].cat.categories[::-1])
        assert p_values(data.assign(time=turned)) == expected


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("offset", [1e6, 1e9, 1e11])
def test_p_values_do_not_depend_on_the_origin_of_the_response(design, offset):
    """At 1e11 the last digits of the response are 1.5e-5, and a rank or two may change."""
    data = design()
    moved = p_values(data.assign(y=data["y"] + offset))
    assert moved == pytest.approx(p_values(data), abs=0.012 if offset == 1e11 else 1e-9)


def following(seed, rho, slopes=0.0, n=20, J=10):
    """Rows in the order of days: errors that follow one another, and slopes of subjects' own."""
    generator = np.random.default_rng(seed)
    errors = generator.normal(size=(n, J))
    for day in range(1, J):
        errors[:, day] = rho * errors[:, day - 1] + np.sqrt(1 - rho**2) * errors[:, day]
    day = np.arange(J) * 1.0
    y = generator.normal(size=(n, 1)) + slopes * generator.normal(size=(n, 1)) * day + errors
    return pd.DataFrame({"id": np.repeat(np.arange(n), J), "time": np.tile(day, n), "y": y.ravel()})


def test_neighbours_by_definition():
    data = following(1, 0.5, n=5, J=6).sample(frac=1, random_state=1)
    fit = tl.fit_mixed("y ~ time", data, "id")
    looks = diagnose(fit, "time").looks
    whole, around = [], []
    for _, own in data.assign(e=fit.resid).sort_values("time").groupby("id"):
        line = np.polyval(np.polyfit(own["time"], own["e"], 1), own["time"])
        whole.append(own["e"].to_numpy())
        around.append(own["e"].to_numpy() - line)
    for name, series in (("neighbours", whole), ("neighbours around lines", around)):
        lagged = sum(e[1:] @ e[:-1] for e in series) / sum(e @ e for e in series)
        assert looks[name].statistic == pytest.approx(lagged), name
    assert looks["neighbours around lines"].expected < looks["neighbours"].expected < 0


def test_errors_that_follow_one_another_are_told_from_slopes():
    """Both make neighbours alike; only around the subjects' own lines do they differ."""
    for seed in range(3):
        alone = "y ~ time + (1 | id)"
        ar = looked_at_with(alone, following(seed, 0.6)).looks
        slopes = looked_at_with(alone, following(seed, 0.0, slopes=0.5)).looks
        assert ar["neighbours"].p == slopes["neighbours"].p == 1 / 1000
        assert ar["neighbours around lines"].p < 0.01
        assert slopes["neighbours around lines"].p > 0.02


def test_neighbours_raise_false_alarms_at_their_rate(monkeypatch):
    """In short series, whose autocorrelation is negative on average; also with own slopes."""
    monkeypatch.setattr(diagnostics, "_DRAWS", 199)
    found = [looked_at(following(seed, 0.0, n=12, J=5)).looks for seed in range(200)]
    sloping = [looked_at(following(seed, 0.0, slopes=1, n=12, J=5)).looks for seed in range(200)]
    for name, looks in (
        ("neighbours", found),
        ("neighbours around lines", found),
        ("neighbours around lines", sloping),
    ):
        p = np.array([look[name].p for look in looks])
        assert stats.binomtest(int((p <= 0.05).sum()), len(p), 0.05).pvalue > 1e-3, name
        assert np.mean([look[name].statistic for look in looks]) < -0.1


def test_only_numbers_order_rows():
    assert "neighbours" not in looked_at(table(1, 20, 5)).looks  # names
    doubled = pd.concat([in_days(), in_days().assign(y=lambda data: data["y"] + 0.1)])
    assert "neighbours" not in looked_at(doubled).looks  # a day twice
    assert "neighbours" in looked_at_with("y ~ C(time)", in_days()).looks  # a factor of numbers
    assert "neighbours around lines" not in looked_at(following(1, 0, J=3)).looks


@pytest.mark.parametrize("offset", [0, 1e9])
def test_fitted_values_within_rounding_are_tied(offset):
    """Two subjects each have one mean, by different sums."""
    data = table(11, 12, 3)
    twins = data.assign(id=data["id"] + 12, y=data["y"] + np.tile([0.1, 0.2, -0.3], 12))
    data = pd.concat([data, twins], ignore_index=True)
    fit = tl.fit_mixed("y ~ time", data, "id")
    sizes, fitted = pd.Series(fit.resid).abs(), pd.Series(fit.fittedvalues).round(9)
    assert fitted.nunique() == len(data) / 2
    found = looked_at(data.assign(y=data["y"] + offset)).looks["spread"].statistic
    assert found == pytest.approx(sizes.corr(fitted, method="spearman"), abs=1e-9)
