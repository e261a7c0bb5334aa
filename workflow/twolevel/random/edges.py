"""Where a random part is at the edge of what it can be: variances of 0, correlations of 1 or -1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

# From 1 or -1, what rounding leaves of the distance of a correlation that is either.
_ROUNDING = 1e-6


class VarianceRow(Protocol):
    """A row of `RandomPart.varcorr`, wherever it is kept."""

    @property
    def var2(self) -> str | None:
        """The second of two effects, None of a standard deviation."""

    @property
    def sdcor(self) -> float | None:
        """The standard deviation or correlation; neither where a variance is 0."""


Row = TypeVar("Row", bound=VarianceRow)


def edges(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of standard deviations that are 0, and of correlations that are 1 or -1.

    With three effects or more their covariance may be singular without either.
    """
    zero, perfect = [], []
    for row in rows:
        if row.var2 is None and row.sdcor == 0:
            zero.append(row)
        elif row.var2 is not None and row.sdcor is not None and abs(row.sdcor) > 1 - _ROUNDING:
            perfect.append(row)
    return zero, perfect
