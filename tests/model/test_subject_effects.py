"""Models with any random part: exact values, the definition in (N, N) matrices, and boundaries."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from random_designs import bars, with_times
from random_part_references import EXACT, NAMES, dense_covariance, dense_deviance, load, terms
from scipy import optimize

import twolevel as tl
from twolevel.model.effects import effect_search
from twolevel.model.subject_effects import SubjectEffects


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", EXACT)
def test_exact_values(name, method):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, method=method)
    exact = reference.exact(method)
    variances = fit.varcorr["vcov"].to_numpy()[:-1]
    np.testing.assert_allclose(variances, exact["variances"], rtol=1e-9)
    np.testing.assert_allclose(fit.sigma_within, exact["sigma"], rtol=1e-9)
    np.testing.assert_allclose(fit.params, exact["beta"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(fit.bse, exact["se"], rtol=1e-9)
    assert fit.llf == pytest.approx(exact["llf"], abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_lme4(name):
    """Where there are no exact values too: to what lme4's optimiser leaves."""
    reference = load(name)
    for method in ("REML", "ML"):
        fit = tl.fit_mixed(reference.formula, reference.data, method=method)
        theirs = reference.values[method.lower()]
        rows = [tuple(row[key] for key in ("grp", "var1", "var2")) for row in theirs["varcorr"]]
        # lme4 puts terms with more levels first.
        ours = (
            fit.varcorr.astype(object)
            .where(fit.varcorr.notna(), None)
            .set_index(["grp", "var1", "var2"])
        )
        expected = [row["vcov"] for row in theirs["varcorr"]]
        np.testing.assert_allclose([ours.loc[row, "vcov"] for row in rows], expected, rtol=2e-5)
        assert fit.llf == pytest.approx(theirs["logLik"], abs=1e-6)


methods = st.sampled_from(["REML", "ML"])


def fitted(data, bar, method):
    try:
        return tl.fit_mixed(f"y ~ x + a + {bar}", data, method=method)
    except tl.InputError:  # the rows that are left do not tell the effects apart
        assume(False)


@examples(40)
@given(data=with_times, bar=bars, method=methods)
def test_is_the_maximum_of_the_definition(data, bar, method):
    """Of the likelihood in (N, N) matrices; a search from there over all Lambda finds no better."""
    fit = fitted(data, bar, method)
    X, y, parts = fit.design.X, fit.design.response, terms(fit)
    noise = fit.sigma_within**2 * np.eye(len(y))
    found, beta = dense_deviance(dense_covariance(parts, data) + noise, X, y, method)
    assert found == pytest.approx(-2 * fit.llf, abs=1e-8 * max(1, abs(found)))
    np.testing.assert_allclose(fit.params, beta, rtol=1e-6, atol=1e-7)

    def at(theta):
        factors = fit.random_part.factors(theta)
        other = [
            (grouping, pd.DataFrame(L @ L.T, covariance.index, covariance.index))
            for (grouping, covariance), L in zip(parts, factors, strict=True)
        ]
        M = dense_covariance(other, data) + np.eye(len(y))
        inverse = np.linalg.inv(M)
        r = y - X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse @ y)
        f = len(y) - (X.shape[1] if method == "REML" else 0)
        return dense_deviance(r @ inverse @ r / f * M, X, y, method)[0]

    generator = np.random.default_rng(0)
    for size in (0.0, 0.5):
        start = fit.theta + size * (0.1 + np.abs(fit.theta)) * generator.normal(size=len(fit.theta))
        search = optimize.minimize(at, start, method="Nelder-Mead", options={"maxiter": 60})
        assert search.fun > found - 1e-6


@examples(30)
@given(data=with_times, bar=bars, method=methods, by=st.sampled_from([1e-6, 1e3]), add=st.just(1e4))
def test_units_origins_and_orders_change_nothing(data, bar, method, by, add):
    """Of the response and of the rows; of x where an intercept is correlated with its slope."""
    fit = fitted(data, bar, method)
    shuffled = data.assign(y=by * (data["y"] + add)).sample(frac=1, random_state=1)
    other = tl.fit_mixed(fit.design.formula + " + " + bar, shuffled, method=method)
    np.testing.assert_allclose(other.theta, fit.theta, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(other.sigma_within, by * fit.sigma_within, rtol=1e-7)
    assert other.boundary == fit.boundary
    if bar == "(1 + x | id)":
        moved = fitted(data.assign(x=data["x"] + add), bar, method)
        assert moved.llf == pytest.approx(fit.llf, abs=1e-6)
        np.testing.assert_allclose(moved.params["x"], fit.params["x"], rtol=1e-6)


@examples(40)
@given(data=with_times, method=methods)
def test_an_intercept_is_that_of_the_class_for_it(data, method):
    fit = tl.fit_mixed("y ~ x + a", data, "id", method)
    general = SubjectEffects.of(fit.design, fit.random_columns, method)
    best = general.maximise()
    np.testing.assert_allclose(best.theta, fit.theta, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(best.rss, fit.estimates.best.rss, rtol=1e-12)
    assert best.deviance == pytest.approx(fit.estimates.best.deviance, rel=1e-12)
    assert general.random.part.on_boundary(best.theta) == fit.boundary


def test_the_search_may_begin_with_some_of_the_subjects(monkeypatch):
    """Where all have times of their own, it ends where a search among all from the start does."""
    generator = np.random.default_rng(1)
    who = np.repeat(np.arange(2500), 4)
    x = generator.uniform(0, 3, len(who))
    own = generator.normal(size=(2, 2500))
    y = own[0][who] + (1 + 0.5 * own[1][who]) * x + generator.normal(size=len(who))
    data = pd.DataFrame({"id": who, "x": x, "y": y, "rare": (who == 7) * x})
    fits = []
    for enough in (1_000, 10_000):
        monkeypatch.setattr(effect_search, "_ENOUGH", enough)
        fits.append(tl.fit_mixed("y ~ x + rare + (1 + x | id)", data))
    some, every = fits
    np.testing.assert_allclose(some.theta, every.theta, rtol=1e-7)
    assert some.llf == pytest.approx(every.llf, abs=1e-8)


@examples(20)
@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from([1.0, 0.1, 0.03, 0.01]))
def test_lines_that_are_nearly_in_proportion_lose_no_digits(seed, share):
    """Slopes times intercepts beside a small share of both: the t test of the subjects' slopes.

    By two stages, as the times are shared: F = t^2 with n - 1 degrees of freedom, and the residuals
    of the subjects' own lines.
    """
    generator, n, days = np.random.default_rng(seed), 12, np.arange(5.0)
    own, start, slope = generator.normal(size=(3, n, 1))
    noise = generator.normal(size=(n, 5))
    rows = own * (2 + days) + share * (2 * start + slope * days + noise)
    data = pd.DataFrame(
        {"id": np.repeat(np.arange(n), 5), "day": np.tile(days, n), "y": rows.ravel()}
    )
    fit = tl.fit_mixed("y ~ day + (1 + day | id)", data)
    assume(not fit.boundary)

    slopes = rows @ [-0.2, -0.1, 0.0, 0.1, 0.2]
    left = rows - rows.mean(axis=1, keepdims=True) - slopes[:, None] * (days - 2)
    F = n * slopes.mean() ** 2 / slopes.var(ddof=1)
    assert fit.sigma_within == pytest.approx(np.sqrt(np.sum(left**2) / (3 * n)), rel=1e-6)
    for df, digits in (("kenward-roger", 1e-4), ("satterthwaite", 1e-3)):
        found = fit.anova(df).loc["day"]
        assert found["F"] == pytest.approx(F, rel=1e-4)
        assert found["df_den"] == pytest.approx(n - 1, rel=digits)


def test_of_two_maxima_of_another_scale_the_better_one_is_found():
    """Both are inside; lme4 finds the same: logLik -54.3067737757, theta 1.675286, 0.608461."""
    rows = [
        [17.15, 15.97, 12.94, 9.44],
        [8.83, 11.46, 8.97, 12.92],
        [9.62, 10.05, 12.96, 14.01],
        [12.81, 13.34, 11.57, 10.65],
        [14.75, 13.03, 11.8, 15.84],
        [14.41, 12.87, 9.47, 7.49],
    ]
    data = pd.DataFrame(
        {"id": np.repeat(range(6), 4), "day": np.tile([0, 1, 3, 4.5], 6), "y": np.ravel(rows)}
    )
    fit = tl.fit_mixed("y ~ day + (day || id)", data, method="ML")
    assert fit.llf == pytest.approx(-54.3067737757, abs=1e-9)
    np.testing.assert_allclose(fit.theta, [1.675286, 0.608461], rtol=1e-5)
