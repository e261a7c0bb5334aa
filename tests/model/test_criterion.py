"""The criterion at a fraction of its cost against the whole of it."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from twolevel.model.criterion import deviance_of_sums, profile_of_sums

SIZES = {"seed": st.integers(0, 2**32 - 1), "p": st.integers(1, 6), "offset": st.floats(-9, 9)}


def sums(seed: int, p: int, offset: float, noise: float) -> np.ndarray:
    """Three matrices A (3, q, q) of p columns and a response that they explain up to noise."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(3, 20, p))
    y = X.sum(axis=-1) + offset * X[..., 0] + noise * generator.normal(size=(3, 20))
    Z = np.concatenate([X, y[..., None]], axis=-1)
    return np.swapaxes(Z, -1, -2) @ Z


@pytest.mark.parametrize("method", ["REML", "ML"])
@given(**SIZES)
def test_deviance_and_residual_sum_of_squares(method, seed, p, offset):
    A, log_det, f = sums(seed, p, offset, 1.0), np.arange(3.0), np.full(3, 20.0)
    whole = profile_of_sums(np.ones(3), (A, 0 * A, 0 * A), (log_det,) * 3, f, method)
    deviance, rss = deviance_of_sums(A, log_det, f, method)
    np.testing.assert_allclose(deviance, whole.deviance, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(rss, whole.rss, rtol=1e-10)


@given(**SIZES)
def test_where_nothing_is_left_it_is_rounding_and_finite(seed, p, offset):
    A = sums(seed, p, offset, 0.0)
    assume((A[:, p, p] > 0).all())  # y of nothing but 0 has no deviance
    # As a difference of sums may have it, which no factor has then.
    A[:, p, p] -= 1e-14 * A[:, p, p]
    deviance, rss = deviance_of_sums(A, np.zeros(3), np.full(3, 20.0), "REML")
    assert np.isfinite(deviance).all()
    assert (rss > 0).all()
    assert (rss < 1e-12 * A[:, p, p]).all()
