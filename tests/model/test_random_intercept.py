"""What the random intercept's likelihood answers, against (N, N) matrices."""

import dense_sums
import numpy as np
import pytest
from examples import examples
from hypothesis import given
from random_designs import balanced, formulas, unbalanced

import twolevel as tl


def working(fit):
    """The rows X (N, p) and y (N,) in the likelihood's own coordinates."""
    cells, y, _ = fit.design.working_columns()
    return cells.spread(cells.X), y


@examples(40)
@given(data=balanced | unbalanced, formula=formulas)
def test_sums_of_variances(data, formula):
    fit = tl.fit_mixed(formula, data, "id")
    likelihood, best = fit.estimates.likelihood, fit.estimates.best
    X, _ = working(fit)
    ours = likelihood.variance_sums(best)
    dense = dense_sums.variance_sums(X, [dense_sums.blocks(fit.design.codes)], [fit.lambda_])
    for name in ("first", "second", "traces"):
        expected = getattr(dense, name)
        scale = 1e-10 * np.abs(expected).max()
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-8, atol=scale)


@pytest.mark.parametrize("method", ["REML", "ML"])
@examples(40)
@given(data=balanced | unbalanced, formula=formulas)
def test_derivatives(data, formula, method):
    fit = tl.fit_mixed(formula, data, "id", method)
    likelihood, best = fit.estimates.likelihood, fit.estimates.best
    X, y = working(fit)
    ours = likelihood.derivatives(best)
    parts = [dense_sums.blocks(fit.design.codes)]
    dense = dense_sums.derivatives(X, y, parts, [fit.lambda_], method)
    for name in ("curvature", "rss_slopes", "xx_slopes"):
        expected = getattr(dense, name)
        scale = 1e-7 * (1 + np.abs(expected).max())
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-6, atol=scale)
    assert ours.held == [fit.boundary]
    np.testing.assert_allclose(likelihood.total[:-1, :-1], X.T @ X, rtol=1e-9, atol=1e-8)


@examples(20)
@given(data=unbalanced)
def test_spreads(data):
    """Of residuals V^-1 (y - X beta) and effects lambda 1' V^-1 (y - X beta) at the true beta."""
    fit = tl.fit_mixed("y ~ time + (1 | id)", data)
    found = fit.estimates.likelihood.spreads(fit.estimates.best)
    (effects,) = found.effects
    assert found.residual.weight.sum() == len(data)
    sizes = found.residual.weight / effects.weight
    of_sizes = zip(sizes.astype(int), found.residual.variance, effects.variance, strict=True)
    for n, residual, effect in of_sizes:
        inverse = dense_sums.inverse_of([np.ones((n, n))], [fit.lambda_])
        assert residual == pytest.approx(inverse[0, 0], rel=1e-9)
        assert effect == pytest.approx(fit.lambda_ * inverse.sum(), rel=1e-9, abs=1e-12)
