"""The spectral form is the likelihood, for any data of the design."""

import numpy as np
from examples import examples
from hypothesis import given
from random_designs import balanced, formulas, unbalanced

import twolevel as tl
from twolevel.model.criterion import maximise, profile
from twolevel.model.spectrum import spectrum


def reduce(moments, form):
    """The data's own pseudo-responses (1, D) and left-over sums of squares (1, l)."""
    parts = {0.0: moments.within}
    parts |= {float(n): n * M for n, M in zip(moments.sizes, moments.between, strict=True)}
    pseudo, left = np.zeros(len(form.rows.sizes)), []
    for n, Z in parts.items():
        rows = np.flatnonzero(form.rows.sizes == n)
        R = form.rows.X[rows]
        t = np.linalg.lstsq(R.T, Z[:-1, -1], rcond=None)[0] if len(rows) else np.zeros(0)
        pseudo[rows] = t
        if n in form.rows.left_sizes:
            left.append(Z[-1, -1] - t @ t)
    return pseudo[None], np.array(left)[None]


@examples(60)
@given(data=balanced | unbalanced, formula=formulas)
def test_deviance_and_estimate(data, formula):
    moments = tl.fit_mixed(formula, data, "id").estimates.likelihood.moments
    form = spectrum(moments)
    s = form.sums_of_squares(*reduce(moments, form))
    p = moments.n_coefficients
    constant = {"REML": np.linalg.slogdet(moments.total[:p, :p])[1], "ML": 0.0}
    for method in ("REML", "ML"):
        for lambda_ in (0.0, 0.01, 1.0, 30.0, 1e4):
            ours = form.deviance(s, np.array([lambda_]), method)[0] + constant[method]
            expected = profile(moments, lambda_, method)
            np.testing.assert_allclose(ours, expected.deviance, rtol=1e-9, atol=1e-7)
            np.testing.assert_allclose(form.rss(s, np.array([lambda_])), expected.rss, rtol=1e-8)
        best = maximise(moments, method)
        found = form.estimate(s, method)[0]
        np.testing.assert_allclose(found, best.lambda_, rtol=1e-5, atol=1e-8)


@examples(40)
@given(data=balanced | unbalanced, formula=formulas)
def test_eigenvalues(data, formula):
    """They are those of Z' P Z, P the projection off X, and 0 for the rest of N - p."""
    fit = tl.fit_mixed(formula, data, "id")
    X = fit.design.X
    Z = np.eye(len(fit.design.subjects))[fit.design.codes]
    P = np.eye(len(X)) - X @ np.linalg.pinv(X)
    dense = np.linalg.eigvalsh(Z.T @ P @ Z)
    dense = dense[dense > 1e-8]
    form = spectrum(fit.estimates.likelihood.moments)
    assert form.df.sum() == len(X) - X.shape[1]
    assert (form.df > 0).all()
    ours = np.repeat(form.mu, form.df.astype(int))
    np.testing.assert_allclose(ours[ours > 0], dense, rtol=1e-7)
