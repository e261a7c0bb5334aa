"""What is random in a model: the effects that levels of a grouping factor have of their own.

A term such as (1 + day | id) gives each level a vector of effects with the covariance matrix
sigma_w^2 Lambda Lambda', Lambda lower triangular. theta are the entries of its triangle, column by
column, term by term, as in lme4 (Bates, Maechler, Bolker & Walker 2015, sec. 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from twolevel.random.bars import Bar
from twolevel.random.effect_names import INTERCEPT, RESIDUAL

_Row = tuple[str | None, str | None, float, float]


@dataclass(frozen=True)
class RandomTerm(Bar):
    """Correlated effects of each level of a grouping factor: a bar term of lme4's formulas.

    formula is what stands left of the bar, and effects (q,) are the names of its columns; grouping
    are the columns of the table whose combinations are the levels.
    """

    effects: tuple[str, ...]

    @property
    def triangle(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns (k,) of the term's own theta in Lambda."""
        columns, rows = np.triu_indices(len(self.effects))
        return rows, columns

    def factor(self, theta: np.ndarray) -> np.ndarray:
        """Lambda (q, q) from the term's own theta (k,)."""
        Lambda = np.zeros((len(self.effects),) * 2)
        Lambda[self.triangle] = theta
        return Lambda

    def variances(self, root: np.ndarray) -> list[_Row]:
        """Rows var1, var2, vcov, sdcor of the effects' covariance matrix root root' (q, q)."""
        covariance = root @ root.T
        sd = np.sqrt(np.diag(covariance))
        rows: list[_Row] = [
            (name, None, covariance[k, k], sd[k]) for k, name in enumerate(self.effects)
        ]
        for i, j in combinations(range(len(sd)), 2):
            correlation = covariance[i, j] / (sd[i] * sd[j]) if sd[i] * sd[j] > 0 else np.nan
            rows.append((self.effects[i], self.effects[j], covariance[i, j], correlation))
        return rows


@dataclass(frozen=True)
class RandomPart:
    """The random terms of a model; effects of different terms are independent."""

    terms: tuple[RandomTerm, ...]

    @classmethod
    def intercept(cls, grouping: str) -> RandomPart:
        """(1 | grouping): every level's own shift of all its observations."""
        return cls((RandomTerm("1", (grouping,), (INTERCEPT,)),))

    @property
    def is_intercept(self) -> bool:
        """Whether it is (1 | subject): the one shift of all that is a subject's."""
        return len(self.terms) == 1 and self == RandomPart.intercept(self.terms[0].grouping[0])

    def __str__(self) -> str:
        """The random part of a formula, as lme4 writes it."""
        return " + ".join(map(str, self.terms))

    @property
    def lower(self) -> np.ndarray:
        """The least value (k,) that each of theta can take: 0 on the diagonals of Lambda."""
        on_diagonal = [rows == columns for rows, columns in (t.triangle for t in self.terms)]
        return np.where(np.concatenate(on_diagonal), 0.0, -np.inf)

    def on_boundary(self, theta: np.ndarray) -> bool:
        """Whether a variance is 0, or effects determine each other, at theta (k,)."""
        return bool((theta <= self.lower).any())

    def factors(self, theta: np.ndarray) -> list[np.ndarray]:
        """Lambda (q, q) of every term, from theta (k,)."""
        ends = np.cumsum([len(term.triangle[0]) for term in self.terms])
        parts = np.split(theta, ends[:-1])
        return [term.factor(own) for term, own in zip(self.terms, parts, strict=True)]

    def varcorr(self, theta: np.ndarray, sigma_within: float) -> pd.DataFrame:
        """All variances and covariances: grp, var1, var2, vcov, sdcor.

        As lme4's as.data.frame(VarCorr(fit)): of each term the variances, then the covariances
        (sdcor: standard deviations, then correlations; NaN where a variance is 0); the residual
        last. A grouping factor that comes again is numbered, as id.1.
        """
        rows: list[tuple[str, *_Row]] = []
        seen: list[str] = []
        for term, Lambda in zip(self.terms, self.factors(theta), strict=True):
            group = ":".join(term.grouping)
            again = seen.count(group)
            seen.append(group)
            label = f"{group}.{again}" if again else group
            rows += [(label, *row) for row in term.variances(sigma_within * Lambda)]
        rows.append((RESIDUAL, None, None, sigma_within**2, sigma_within))
        return pd.DataFrame(rows, columns=["grp", "var1", "var2", "vcov", "sdcor"])
