"""Numbers centred and scaled, so that neither the origin nor the unit of a column costs digits.

A column of Unix seconds, of money or of picograms means the same model in other coordinates.
Inside, every number is u = (x - centre) / scale, at most about 1 in size; the formula's own
coefficients come out at the end (see `encoding`). Scales are powers of two, which divide exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Standardised:
    """How values x become u = ((x - origin) - rest) / scale.

    origin is one of the values, of which others are subtracted exactly; origin + rest is their mean
    to more digits than one number holds. mean is the mean of u: 0, unless the origin was kept.
    """

    origin: float | int
    rest: float
    scale: float
    mean: float

    @classmethod
    def of(cls, values: np.ndarray) -> Standardised:
        """Centre and scale values (N,), of which one at least is not 0 or all are."""
        origin = values[0].item()
        apart = _subtract(values, origin)
        rest = float(apart.mean())
        return cls(origin, rest, power_of_two(apart - rest), 0.0)

    @classmethod
    def scaled(cls, values: np.ndarray) -> Standardised:
        """Scale values (N,) and keep their origin."""
        scale = power_of_two(values.astype(float))
        return cls(0.0, 0.0, scale, float((values / scale).mean()))

    @property
    def centre_in_scales(self) -> float:
        """(origin + rest) / scale, by which u and x / scale differ."""
        return (self.origin + self.rest) / self.scale

    def of_values(self, values: np.ndarray) -> np.ndarray:
        """u (N,) of values (N,)."""
        return (_subtract(values, self.origin) - self.rest) / self.scale


def power_of_two(values: np.ndarray) -> float:
    """A power of two as large as the largest of some numbers, or 1 where all are 0."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return 1.0
    return float(np.ldexp(1.0, int(np.clip(np.frexp(largest)[1], -1021, 1023))))


def _subtract(values: np.ndarray, origin: float | int) -> np.ndarray:
    """values - origin as numbers; whole numbers of any size lose nothing."""
    if values.dtype.kind == "i" and isinstance(origin, int):
        return (values - origin).astype(float)
    return values.astype(float) - float(origin)


def as_numbers(values: np.ndarray) -> np.ndarray:
    """Any numbers as float64, or as int64 where they are whole and their differences fit too."""
    whole = values.dtype.kind in "iu" and len(values) > 0
    if whole and int(values.min()) > -(2**62) and int(values.max()) < 2**62:
        return values.astype(np.int64)
    return values.astype(float)
