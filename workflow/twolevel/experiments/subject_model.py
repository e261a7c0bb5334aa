"""The mixed model of complete data, in which every subject has the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.experiments.scenario import Scenario
from twolevel.model.effects.effect_sums import EffectSums, orthogonalised, pairs
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.numeric.standardised import power_of_two
from twolevel.random.effect_names import INTERCEPT
from twolevel.random.random_columns import RandomColumns, TermColumns
from twolevel.random.random_part import RandomTerm


@dataclass(frozen=True, eq=False)
class SubjectModel:
    """A model of the K rows that every subject has.

    X (K, p) are the fixed columns, the first of them 1. rows (1 + e, p) make of the coefficients
    the grand mean and the effects, tested (q, e) of the effects what is 0 where conditions do not
    differ. intercept (Q,) and own (Q,) make of a term's effects those whose variances are asked
    for: of the first term the intercepts, and of the last the subjects' own slopes or effects.
    """

    X: np.ndarray
    rows: np.ndarray
    tested: np.ndarray
    random: RandomColumns
    intercept: np.ndarray
    own: np.ndarray | None

    @classmethod
    def of(cls, scenario: Scenario, alone: bool = False) -> SubjectModel:
        """The model that a scenario's data are drawn from, or with a random intercept `alone`."""
        names = scenario.population.names
        J, R = len(scenario.cells), scenario.replicates
        one, cell = np.ones((J * R, 1)), np.repeat(np.arange(J), R)
        first = TermColumns(RandomTerm("1", ("subject",), (INTERCEPT,)), one, np.eye(1))
        if scenario.slope is not None:
            values = np.array(scenario.population.values)
            scale = power_of_two(values - values.mean())
            x = ((values - values.mean()) / scale)[cell]
            X, rows = np.column_stack([one, x]), np.diag([1.0, 1 / scale])
            if alone or not scenario.random:
                return cls(X, rows, np.eye(1), RandomColumns((first,)), np.ones(1), None)
            term = RandomTerm(f"1 + {names[0]}", ("subject",), (INTERCEPT, names[0]))
            line = TermColumns(term, X, np.eye(2))
            intercept = np.array([1.0, -values.mean() / scale])
            own = np.array([0.0, 1 / scale])
            return cls(X, rows, np.eye(1), RandomColumns((line,)), intercept, own)
        X = np.column_stack([one, np.equal.outer(cell, np.arange(1, J))])
        means = X[::R]
        rows = np.vstack([means.mean(axis=0), means - means.mean(axis=0)])
        tested = np.column_stack([-np.ones(J - 1), np.eye(J - 1)])
        if alone:
            return cls(X, rows, tested, RandomColumns((first,)), np.ones(1), None)
        term = RandomTerm("1", ("subject", names[0]), (INTERCEPT,))
        nested = TermColumns(term, one, np.eye(1), cell)
        return cls(X, rows, tested, RandomColumns((first, nested)), np.ones(1), np.ones(1))

    @cached_property
    def layout(self) -> RelativeCovariance:
        """How the random columns share variances."""
        return RelativeCovariance.of(self.random)

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal directions (r, K) of the random columns."""
        return self._orthogonal[0]

    @cached_property
    def R(self) -> np.ndarray:
        """The triangle (r, Q, 1)."""
        return self._orthogonal[1]

    @cached_property
    def _orthogonal(self) -> tuple[np.ndarray, np.ndarray]:
        basis, R = orthogonalised(self.random.expanded(), np.array([len(self.X)]))
        used = R[0].any(axis=1)
        return basis[used], np.moveaxis(R[:, used], 0, -1)

    def sums(self, y: np.ndarray) -> EffectSums:
        """The sums of data sets y (K, B, n): see `effect_sums.EffectSums`."""
        n = y.shape[2]
        rows, columns = pairs(len(self.basis))
        off = (rows != columns).astype(float)
        X, projected = self.basis @ self.X, np.tensordot(self.basis, y, axes=1)
        total = projected.sum(axis=2)  # (r, B)
        xx = X[rows, :, None] * X[columns, None]
        xy = X[rows, :, None] * total[columns, None]
        turned = np.swapaxes(xx, 1, 2), X[columns, :, None] * total[rows, None]
        xx, xy = (a + off[:, None, None] * b for a, b in zip((xx, xy), turned, strict=True))
        yy = np.einsum("abn,abn->ab", projected[rows], projected[columns])
        rest_x = self.X - self.basis.T @ X
        rest_y = y - np.tensordot(self.basis.T, projected, axes=1)
        return EffectSums(
            self.R,
            np.array([n]),
            n * len(self.X),
            within_xx=n * rest_x.T @ rest_x,
            within_xy=rest_x.T @ rest_y.sum(axis=2),
            within_yy=np.einsum("kbn,kbn->b", rest_y, rest_y),
            outer_xx=n * xx[:, None],
            outer_xy=xy[:, None],
            outer_yy=((1 + off)[:, None] * yy)[:, None],
        )
