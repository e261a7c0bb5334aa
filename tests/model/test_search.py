"""The minimum over lambda, for criteria whose minima are known."""

import numpy as np
import pytest

from twolevel.model.search import GRID, minimise


def polynomials(*coefficients):
    """Criteria that are polynomials of u = log(1 + lambda), and their minima on GRID."""
    each = [np.polynomial.Polynomial(c) for c in coefficients]

    def criterion(lambda_, which):
        u, inner = np.log1p(lambda_), 1 / (1 + lambda_)
        value, first, second = (
            np.array(
                [
                    each[k].deriv(order)(x) if order else each[k](x)
                    for k, x in zip(which, u, strict=True)
                ]
            )
            for order in (0, 1, 2)
        )
        return value, first * inner, (second - first) * inner**2

    every = np.arange(len(each))
    on_grid = np.stack([criterion(np.full(len(each), point), every)[0] for point in GRID])
    return criterion, on_grid


# d(u): one minimum at u = 2; falling up to u = 40, beyond the grid; rising from the boundary.
ONE, ENDLESS, RISING = [4, -4, 1], [0, -80, 1], [0, 1, 1]


def valley(depth):
    """u^2 (u - 3)^2 plus a slope, so that the boundary and a valley near u = 3 compete."""
    return np.polynomial.polynomial.polyadd([0, 0, 9, -6, 1], [0, depth])


def test_each_of_a_batch_finds_its_own_minimum():
    criterion, on_grid = polynomials(ONE, RISING, ENDLESS, valley(0.2), valley(-0.2))
    found = np.log1p(minimise(criterion, on_grid))
    assert found[0] == pytest.approx(2, rel=1e-12)
    assert found[1] == 0
    assert np.isinf(found[2])
    assert found[3] == 0  # the valley near 3 is higher than the boundary, from which all rise
    roots = np.polynomial.Polynomial(valley(-0.2)).deriv().roots()
    assert found[4] == pytest.approx(roots.real.max(), rel=1e-9)


def test_the_boundary_wins_over_a_valley_that_the_grid_finds():
    """On the grid the valley may be lower than its first point, and yet higher than 0 itself."""
    criterion, on_grid = polynomials(valley(0.2))
    on_grid = on_grid + 1.0 * (GRID[:, None] < 1)  # as if the first points were not looked at
    assert minimise(criterion, on_grid)[0] == 0


def test_a_coarser_grid_finds_the_same():
    criterion, on_grid = polynomials(ONE, RISING)
    every_eighth = np.unique([*range(0, len(GRID), 8), len(GRID) - 1])
    coarse = minimise(criterion, on_grid[every_eighth], GRID[every_eighth])
    np.testing.assert_allclose(coarse, minimise(criterion, on_grid), rtol=1e-12)
