"""What is random: its formula, Lambda from theta, and the table of variances as in lme4."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from twolevel.random.effect_names import INTERCEPT
from twolevel.random.random_part import RandomPart, RandomTerm

SLOPES = RandomPart((RandomTerm("1 + condition", ("subject",), (INTERCEPT, "condition")),))
INDEPENDENT = RandomPart(
    (
        RandomTerm("1", ("subject",), (INTERCEPT,)),
        RandomTerm("0 + condition", ("subject",), ("condition",)),
    )
)
# lme4 1.1-31 on sleepstudy, REML: theta, sigma and as.data.frame(VarCorr(fit)).
LME4 = {
    "y ~ condition + (1 + condition | subject)": (
        SLOPES,
        [0.966732893590541, 0.0151690675460488, 0.230909592018104],
        25.5918157386296,
        [
            ("subject", INTERCEPT, None, 612.089870222393, 24.7404500812413),
            ("subject", "condition", None, 35.0716602393396, 5.92213308186667),
            ("subject", INTERCEPT, "condition", 9.60434122725561, 0.0655513775524519),
            ("Residual", None, None, 654.941032799968, 25.5918157386296),
        ],
    ),
    "y ~ condition + (1 + condition || subject)": (
        INDEPENDENT,
        [0.979896308954831, 0.234230577960151],
        25.5652853388022,
        [
            ("subject", INTERCEPT, None, 627.569071683107, 25.0513287408694),
            ("subject.1", "condition", None, 35.858198639464, 5.98817156062383),
            ("Residual", None, None, 653.583814454376, 25.5652853388022),
        ],
    ),
}


@pytest.mark.parametrize("formula", LME4)
def test_varcorr_is_lme4s(formula):
    part, theta, sigma, rows = LME4[formula]
    expected = pd.DataFrame(rows, columns=["grp", "var1", "var2", "vcov", "sdcor"])
    found = part.varcorr(np.array(theta), sigma)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_as_lme4_writes_it():
    assert str(RandomPart.intercept("id")) == "(1 | id)"
    assert str(RandomPart.intercept("subject id")) == "(1 | `subject id`)"
    nested = RandomTerm("1", ("id", "the time"), (INTERCEPT,))
    assert str(RandomPart((nested,))) == "(1 | id:`the time`)"
    assert str(SLOPES) == "(1 + condition | subject)"
    assert str(INDEPENDENT) == "(1 | subject) + (0 + condition | subject)"


@examples(50)
@given(q=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_lambda_is_a_cholesky_factor(q, seed):
    """theta runs down the columns of the lower triangle, whose diagonal is not negative."""
    generator = np.random.default_rng(seed)
    names = tuple(f"x{k}" for k in range(q))
    part = RandomPart((RandomTerm("1", ("id",), (INTERCEPT,)), RandomTerm("0 + x", ("id",), names)))
    theta = np.abs(generator.normal(size=1 + q * (q + 1) // 2)) + 0.1
    intercept, Lambda = part.factors(theta)
    assert intercept == [[theta[0]]]
    np.testing.assert_array_equal(Lambda.T[np.triu_indices(q)], theta[1:])
    np.testing.assert_array_equal(np.triu(Lambda, 1), np.zeros((q, q)))
    np.testing.assert_allclose(np.linalg.cholesky(Lambda @ Lambda.T), Lambda, rtol=1e-9)

    table = part.varcorr(theta, 2.0)
    vcov = table["vcov"].to_numpy()
    np.testing.assert_allclose(vcov[1 : q + 1], 4 * np.diag(Lambda @ Lambda.T))
    sd = table["sdcor"].to_numpy()
    np.testing.assert_allclose(sd[1 : q + 1] ** 2, vcov[1 : q + 1])
    correlations = table[table["var2"].notna()]
    deviations = dict(zip(names, sd[1 : q + 1], strict=True))
    for row in correlations.itertuples():
        assert row.vcov == pytest.approx(row.sdcor * deviations[row.var1] * deviations[row.var2])
    assert len(correlations) == q * (q - 1) // 2


@examples(30)
@given(theta=st.tuples(*[st.sampled_from([0.0, 1e-6, 0.5, 2.0])] * 3))
def test_boundary(theta):
    """A diagonal of Lambda that is 0 makes Psi singular; an element below it does not."""
    theta = np.array(theta) * [1, -1, 1]
    (Lambda,) = SLOPES.factors(theta)
    assert SLOPES.on_boundary(theta) == (np.linalg.det(Lambda) == 0)
    assert not SLOPES.on_boundary(np.array([1.0, 0.0, 1.0]))
    assert SLOPES.on_boundary(np.array([1.0, 0.5, 0.0]))


def test_a_correlation_with_nothing_is_none():
    table = SLOPES.varcorr(np.array([0.0, 0.0, 1.0]), 1.0)
    assert np.isnan(table["sdcor"][2])
    assert table["vcov"][2] == 0
