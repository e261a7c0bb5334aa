"""Profile-likelihood intervals against exact ones, and against a search over all parameters."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from random_designs import formulas, unbalanced
from reference_values import EXACT, load
from scipy import optimize

import twolevel as tl

NAMES = {"sigma_b": "sigma_between", "sigma_w": "sigma_within"}


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", EXACT)
def test_exact_intervals(name, method):
    reference = load(name)
    ours = tl.fit_mixed(reference.formula, reference.data, "subject", method).profile()
    exact = reference.values["exact_profile_ci_ml"]
    assert len(ours) == len(exact) + 1  # icc
    for parameter, ends in exact.items():
        row = ours.loc[NAMES.get(parameter) or reference.terms(parameter)[0]]
        np.testing.assert_allclose(row[["ci_low", "ci_high"]], ends, rtol=1e-10)


@pytest.mark.parametrize("name", EXACT)
def test_estimates_are_those_of_ml_and_lie_inside(name):
    reference = load(name)
    ml = tl.fit_mixed(reference.formula, reference.data, "subject", "ML")
    for level in (0.5, 0.95, 0.999):
        table = ml.profile(level)
        np.testing.assert_allclose(table["estimate"], ml.estimated, rtol=1e-12)
        assert (table["ci_low"] <= table["estimate"]).all()
        assert (table["estimate"] < table["ci_high"]).all()


def deviance(theta, fit, data, fixed, value):
    """-2 log likelihood by its definition; `fixed` is held at `value`, theta has the rest."""
    p = fit.design.X.shape[1]
    if fixed == "sigma_between":
        between, within, beta = value, np.exp(theta[0]), theta[1:]
    elif fixed == "sigma_within":
        between, within, beta = abs(theta[0]), value, theta[1:]
    elif fixed == "icc":
        total, beta = np.exp(theta[0]), theta[1:]
        between, within = total * np.sqrt(value), total * np.sqrt(1 - value)
    else:
        between, within = abs(theta[0]), np.exp(theta[1])
        k = list(fit.params.index).index(fixed)
        beta = np.insert(theta[2:], k, value)
    assert len(beta) == p
    same = fit.design.codes[:, None] == fit.design.codes
    V = between**2 * same + within**2 * np.eye(len(same))
    r = fit.design.response - fit.design.X @ beta
    sign, log_det = np.linalg.slogdet(2 * np.pi * V)
    return log_det + r @ np.linalg.solve(V, r) if sign > 0 else np.inf


@pytest.mark.parametrize("name", ["ergostool_missing", "selfesteem", "dyestuff"])
def test_curves_against_a_search_over_all_parameters(name):
    """zeta^2 is the rise of the dense deviance, minimised over all other parameters."""
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject", "ML")
    curves = fit.profile_likelihood.curves(fit.profile())
    for parameter, curve in curves.groupby("parameter", sort=False):
        for _, row in curve.iloc[[2, 12, -4]].iterrows():
            start = {
                "sigma_between": [np.log(fit.sigma_within)],
                "sigma_within": [fit.sigma_between + 0.1],
                "icc": [np.log(fit.sigma_within)],
            }.get(parameter, [fit.sigma_between + 0.1, np.log(fit.sigma_within)])
            beta = fit.params.drop(parameter, errors="ignore")
            found = optimize.minimize(
                deviance,
                [*start, *beta],
                args=(fit, reference.data, parameter, row["value"]),
                method="BFGS",
                options={"gtol": 1e-7},
            )
            assert row["zeta"] ** 2 == pytest.approx(found.fun + 2 * fit.llf, abs=2e-6)
            assert np.sign(row["zeta"]) == np.sign(row["value"] - fit.estimated[parameter])


@examples(25)
@given(data=unbalanced, formula=formulas)
def test_ends_are_where_the_likelihood_falls_by_the_quantile(data, formula):
    """A coefficient held at an end: its column leaves the model, the response loses its share."""
    fit = tl.fit_mixed(formula, data, "id", "ML")
    intervals = fit.profile()
    moments, coordinates = fit.estimates.likelihood.moments, fit.estimates.coordinates
    for k, term in enumerate(fit.params.index):
        for end in intervals.loc[term, ["ci_low", "ci_high"]]:
            row = fit.design.encoding.formula_rows[k]
            c = row @ coordinates.T
            inside = np.linalg.svd(c[None])[2][1:].T  # (p, p - 1) directions that leave c as it is
            start = c * (end - row @ coordinates.shift) / coordinates.unit / (c @ c)
            C = np.block([[inside, -start[:, None]], [np.zeros((1, len(c) - 1)), np.ones((1, 1))]])
            held = type(moments)(
                C.T @ moments.within @ C, moments.sizes, moments.counts, C.T @ moments.between @ C
            )
            held_deviance = one_column(held) if len(c) == 1 else tl_deviance(held)
            rise = held_deviance - tl_deviance(moments)
            assert rise == pytest.approx(1.959963984540054**2, rel=1e-6)


def tl_deviance(moments):
    from twolevel.model.criterion import maximise

    return maximise(moments, "ML").deviance


def one_column(moments):
    """The least deviance of a response without fixed effects, by a fine grid."""

    def at(log_lambda):
        weight = moments.sizes / (1 + moments.sizes * np.exp(log_lambda))
        rss = moments.within[0, 0] + weight @ moments.between[:, 0, 0]
        N = moments.nobs
        log_det = np.log1p(moments.sizes * np.exp(log_lambda)) @ moments.counts
        return N * np.log(2 * np.pi * rss / N) + N + log_det

    grid = np.linspace(-25, 12, 800)
    best = grid[np.argmin([at(s) for s in grid])]
    found = optimize.minimize_scalar(at, bounds=(best - 0.1, best + 0.1), options={"xatol": 1e-12})
    return min(found.fun, at(-700.0))


def test_a_boundary_fit_has_zero_as_its_lower_end():
    reference = load("selfesteem")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    intervals = fit.profile()
    assert (intervals.loc[["sigma_between", "icc"], ["estimate", "ci_low"]] == 0).all(axis=None)
    curves = fit.profile_likelihood.curves(intervals)
    for parameter in ("sigma_between", "icc"):
        curve = curves[curves["parameter"] == parameter]
        assert curve.iloc[0]["value"] == 0
        assert curve.iloc[0]["zeta"] == 0
        assert curve["zeta"].is_monotonic_increasing


def test_curves_pass_through_the_ends():
    reference = load("anxiety_group")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    intervals = fit.profile()
    for parameter, curve in fit.profile_likelihood.curves(intervals).groupby("parameter"):
        low, high = intervals.loc[parameter, ["ci_low", "ci_high"]]
        ends = np.interp([low, high], curve["value"], curve["zeta"])
        np.testing.assert_allclose(ends, [-1.96, 1.96], atol=0.01)


def test_many_subjects_cost_no_more():
    """Intervals shrink with the root of the number of subjects; nothing else changes."""
    generator = np.random.default_rng(1)
    tables = []
    for n in (500, 50_000):
        y = generator.normal(size=n)[:, None] + generator.normal(size=(n, 3))
        data = pd.DataFrame({"id": np.repeat(np.arange(n), 3), "y": y.ravel()})
        tables.append(tl.fit_mixed("y ~ 1", data, "id").profile())
    widths = [table["ci_high"] - table["ci_low"] for table in tables]
    np.testing.assert_allclose(widths[0] / widths[1], 10, rtol=0.1)
