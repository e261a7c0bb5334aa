"""Kenward-Roger and Satterthwaite where V depends on more variances than a random intercept's."""

import re
from dataclasses import dataclass, replace

import dense_sums
import numpy as np
import pytest
import random_part_references
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import formulas, unbalanced
from random_part_references import NAMES

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


@pytest.mark.parametrize(
    ("df", "key"), [("kenward-roger", "kr"), ("satterthwaite", "satterthwaite")]
)
@pytest.mark.parametrize("name", NAMES)
def test_tests_are_those_of_r(name, df, key):
    """Of lmerTest and pbkrtest, at variances that lme4 found to within 1e-6."""
    reference = random_part_references.load(name)
    fit = tl.fit_mixed(reference.formula, reference.data)
    tests = fit.anova(df)
    terms = {frozenset(term.split(":")): term for term in tests.index}
    for row in reference.values[f"{key}_anova3"]:
        ours = tests.loc[terms[frozenset(row["row"].split(":"))], ["F", "df_num", "df_den"]]
        expected = [row["F value"], row["NumDF"], row["DenDF"]]
        np.testing.assert_allclose(ours, expected, rtol=2e-6)
    coefficients = fit.coef_table(df).rename(
        index=lambda name: re.sub(
            r"\[T\.([^]]+)\]", r"\1", name.replace("Intercept", "(Intercept)")
        )
    )
    rows = reference.values[f"{key}_coef"]
    assert len(rows) == len(coefficients)
    for row in rows:
        ours = coefficients.loc[row["row"], ["estimate", "se", "df", "t"]]
        expected = [row[column] for column in ("Estimate", "Std. Error", "df", "t value")]
        np.testing.assert_allclose(ours, expected, rtol=2e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "fixed", "subject"),
    [
        ("bodyweight__slope", "weight ~ time * diet", "rat"),
        ("chickweight__slope", "weight ~ time * diet", "chick"),
        ("sleepstudy__slope", "y ~ condition", "subject"),
        ("selfesteem2__strata", "score ~ treatment * time", "id"),
        ("obk__strata", "value ~ treatment * phase * hour", "id"),
    ],
)
def test_without_bars_they_are_those_of_what_the_data_support(name, fixed, subject):
    reference = random_part_references.load(name)
    fit = tl.fit_mixed(fixed, reference.data, subject)
    assert reference.formula == f"{fixed} + {fit.random}"
    rows = {frozenset(row["row"].split(":")): row for row in reference.values["kr_anova3"]}
    for term, found in fit.anova().iterrows():
        row = rows[frozenset(term.split(":"))]
        expected = [row["F value"], row["DenDF"]]
        np.testing.assert_allclose(found[["F", "df_den"]], expected, rtol=2e-6)
