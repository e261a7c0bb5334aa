"""Kenward-Roger and Satterthwaite where V depends on more variances than a random intercept's."""

from dataclasses import dataclass, replace

import dense_sums
import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import formulas, unbalanced

import twolevel as tl
from twolevel.inference.kenward_roger import kenward_roger
from twolevel.inference.satterthwaite import satterthwaite


@dataclass
class Strata:
    """Balanced rows of (1 | id) + (1 | id:a): n subjects, J levels of a, r rows in each cell."""

    n: int
    J: int
    r: int
    seed: int

    def __post_init__(self):
        subject, level, _ = np.indices((self.n, self.J, self.r)).reshape(3, -1)
        generator = np.random.default_rng(self.seed)
        self.X = np.column_stack([np.ones(len(subject)), np.eye(self.J)[level][:, 1:]])
        cell = subject * self.J + level
        self.parts = [dense_sums.blocks(subject), dense_sums.blocks(cell)]
        noise = [generator.normal(size=k) for k in (self.n, self.n * self.J, len(subject))]
        self.y = 3 * noise[0][subject] + 2 * noise[1][cell] + noise[2]
        self.effects = np.eye(self.J)[1:]

    def estimates(self):
        """psi (2,) and sigma_w^2 by the mean squares of the strata, REML's where positive."""
        y = self.y.reshape(self.n, self.J, self.r)
        cells, own, levels = y.mean(axis=2), y.mean(axis=(1, 2)), y.mean(axis=(0, 2))
        apart = cells - own[:, None] - levels + y.mean()
        within = ((y - cells[:, :, None]) ** 2).sum() / (self.n * self.J * (self.r - 1))
        middle = self.r * (apart**2).sum() / ((self.n - 1) * (self.J - 1))
        top = self.J * self.r * own.var(ddof=1)
        psi = [(top - middle) / (self.J * self.r), (middle - within) / self.r]
        return np.array(psi) / within, within

    def unscaled_cov(self, psi):
        """(X' M^-1 X)^-1."""
        return np.linalg.inv(self.X.T @ dense_sums.inverse_of(self.parts, psi) @ self.X)


strata = st.builds(
    Strata, st.integers(4, 7), st.integers(2, 4), st.integers(2, 3), st.integers(0, 2**32 - 1)
)


@examples(30)
@given(table=strata, psi=st.tuples(*[st.floats(0.1, 10)] * 2), sigma2=st.floats(0.1, 10))
def test_kenward_roger_has_the_df_of_the_stratum(table, psi, sigma2):
    """In a balanced design, at whatever variances; and adjusts nothing."""
    sums = dense_sums.variance_sums(table.X, table.parts, psi)
    found = kenward_roger(table.unscaled_cov(psi), sigma2, sums)
    assert found.cov_variances.shape == (3, 3)
    np.testing.assert_allclose(found.covariance, found.phi, rtol=1e-7)
    df, scale = found.approximate(table.effects)
    assert df == pytest.approx((table.n - 1) * (table.J - 1), rel=1e-6)
    assert scale == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(found.approximate_each(table.effects), df, rtol=1e-6)


@dataclass
class At:
    """A solution."""

    rss: float
    unscaled_cov: np.ndarray


@examples(30)
@given(table=strata)
def test_satterthwaite_has_the_df_of_the_stratum(table):
    """In a balanced design, at the estimates; whatever the parameters are, and if one is held."""
    psi, sigma2 = table.estimates()
    if psi.min() <= 0.01:
        return
    f = len(table.y) - table.J
    best = At(f * sigma2, table.unscaled_cov(psi))
    bends = dense_sums.derivatives(table.X, table.y, table.parts, psi, "REML")
    found = satterthwaite(best, f, bends)
    np.testing.assert_allclose(
        found.approximate_each(table.effects), (table.n - 1) * (table.J - 1), rtol=1e-5
    )
    roots = 2 * np.sqrt(psi)  # d psi / d theta
    by_theta = replace(
        bends,
        curvature=bends.curvature * np.outer(roots, roots),
        rss_slopes=bends.rss_slopes * roots,
        xx_slopes=bends.xx_slopes * roots[:, None, None],
    )
    np.testing.assert_allclose(
        satterthwaite(best, f, by_theta).approximate(table.effects),
        found.approximate(table.effects),
        rtol=1e-9,
    )


@examples(30)
@given(data=unbalanced, formula=formulas)
def test_a_variance_that_is_held_is_as_good_as_none(data, formula):
    """Held, a second variance changes no df, though the fit may depend on it."""
    fit = tl.fit_mixed(formula, data, "id")
    best, f = fit.estimates.best, fit.estimates.likelihood.degrees_of_freedom
    one = fit.estimates.likelihood.derivatives(best)
    two = replace(
        one,
        curvature=np.full((2, 2), 3.0) + np.diag([one.curvature[0, 0] - 3.0, 1.0]),
        rss_slopes=np.append(one.rss_slopes, 7.0),
        xx_slopes=np.concatenate([one.xx_slopes, one.xx_slopes + 1.0]),
        held=np.append(one.held, True),
    )
    L = np.eye(len(fit.params))
    np.testing.assert_allclose(
        satterthwaite(best, f, two).approximate_each(L),
        satterthwaite(best, f, one).approximate_each(L),
        rtol=1e-8,
    )
