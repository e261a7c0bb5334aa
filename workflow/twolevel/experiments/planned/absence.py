"""Which rows of a design are not observed: cells at random, and all after a subject has left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Absence:
    """How rows come to be absent.

    cell (N,) numbers the cells, each of which is missing with probability `missing`; gone (N,) is
    the share of subjects that have left by the time of a row, which rises in time; codes (N,) are
    the rows' subjects.
    """

    missing: float
    cell: np.ndarray
    gone: np.ndarray
    codes: np.ndarray

    @property
    def any(self) -> bool:
        """Whether a row can be absent."""
        return self.missing > 0 or bool(self.gone.any())

    def observed(self, size: int, generator: np.random.Generator) -> np.ndarray:
        """Which rows (size, N) are there: a subject who has left at one time is away later."""
        stay = generator.random((size, int(self.codes.max()) + 1))
        seen = generator.random((size, int(self.cell.max()) + 1))
        return (stay[:, self.codes] >= self.gone) & (seen[:, self.cell] >= self.missing)
