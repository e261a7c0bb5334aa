"""Algebra on stacks of matrices, against numpy's on one at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twolevel.numeric.small_matrices import inverse, product, sandwich, sweep, trace, weighted

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


def positive(generator, p, B):
    root = generator.normal(size=(p + 2, p, B))
    return np.einsum("kib,kjb->ijb", root, root)


@given(seeds, sizes, st.integers(1, 4), st.integers(1, 3))
def test_each_matrix_of_a_stack_is_treated_alone(seed, p, B, q):
    generator = np.random.default_rng(seed)
    a, b = positive(generator, p, B), generator.normal(size=(p, p, B))
    L, w = generator.normal(size=(q, p)), generator.normal(size=(3, B))
    M = generator.normal(size=(3, p, p, B))
    for k in range(B):
        one, two = a[..., k], b[..., k]
        np.testing.assert_allclose(product(a, b)[..., k], one @ two, atol=1e-12)
        np.testing.assert_allclose(sandwich(L, a)[..., k], L @ one @ L.T, atol=1e-10)
        np.testing.assert_allclose(trace(a, b)[k], np.trace(one @ two), atol=1e-10)
        np.testing.assert_allclose(weighted(w, M)[..., k], np.tensordot(w[:, k], M[..., k], 1))
        np.testing.assert_allclose(inverse(a)[..., k], np.linalg.inv(one), rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(product(a[..., 0], b[..., 0]), a[..., 0] @ b[..., 0])
    np.testing.assert_array_equal(inverse(a[..., 0]), np.linalg.inv(a[..., 0]))


@given(seeds, sizes, st.integers(1, 4))
def test_a_sweep_solves_and_leaves_the_schur_complement(seed, p, B):
    matrix = positive(np.random.default_rng(seed), p + 1, B)
    swept, pivots = sweep(matrix, p)
    for k in range(B):
        A, b, c = matrix[:p, :p, k], matrix[:p, p, k], matrix[p, p, k]
        solved = np.linalg.solve(A, b)
        np.testing.assert_allclose(-swept[:p, :p, k], np.linalg.inv(A), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(swept[:p, p, k], solved, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(swept[p, p, k], c - b @ solved, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(pivots[:, k].prod(), np.linalg.det(A), rtol=1e-9)


def test_a_row_that_repeats_others_is_left_out_of_a_sweep():
    X = np.array([[1.0, 0, 1, 2], [0, 1, 1, 1], [1, 1, 2, 5], [1, 0, 1, 0]])
    matrix = (X.T @ X)[:, :, None]
    swept, pivots = sweep(matrix, 3, 1e-9)
    assert pivots[2, 0] == 0
    assert (pivots[:2, 0] > 0).all()
    fitted = np.linalg.lstsq(X[:, :2], X[:, 3], rcond=None)[0]
    np.testing.assert_allclose(swept[:3, 3, 0], [*fitted, 0], atol=1e-12)
    assert swept[3, 3, 0] == pytest.approx(np.square(X[:, 3] - X[:, :2] @ fitted).sum())
