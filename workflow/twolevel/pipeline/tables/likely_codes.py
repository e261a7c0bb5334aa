"""Numbers that are likely to stand for missing values, as -99 among scores from 1 to 9."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from twolevel.text.numbers import positional

# 77, 88, 97, 98, 99 and the like with up to six digits, and their negatives; of one digit negative
# ones only, for 7, 8 and 9 are points of scales.
_POSITIVE = [
    int(digits)
    for n in range(2, 7)
    for digits in ("7" * n, "8" * n, "9" * (n - 1) + "7", "9" * (n - 1) + "8", "9" * n)
]
CODES = np.array(sorted({-7, -8, -9, *_POSITIVE, *(-code for code in _POSITIVE)}))
# A code that occurs once is one if it is so many times as far from the other values as these
# are from one another.
_FAR = 10
_FEWEST = 5


@dataclass(frozen=True)
class LikelyCode:
    """A number that `count` values of a column have, where the others lie between low and high."""

    column: str
    code: int
    count: int
    low: float
    high: float

    @property
    def words(self) -> str:
        """How many values it is, and where the others lie."""
        values = "1 value is" if self.count == 1 else f"{self.count:,} values are"
        return (
            f"{values} {self.code}, where all others lie between {positional(self.low)} and "
            f"{positional(self.high)}"
        )

    def plain(self) -> dict[str, Any]:
        """The same for JSON, with its words."""
        return asdict(self) | {"words": self.words}


@dataclass
class Range:
    """The range of a column's values except those in CODES, and how often each of these occurs.

    Ranges of parts of a column are added up by `add`.
    """

    n: int = 0
    low: float = np.inf
    high: float = -np.inf
    codes: Counter[int] = field(default_factory=Counter)

    def add(self, values: pd.Series) -> None:
        """Take note of some of the values, none of them missing."""
        numbers = values.to_numpy()
        as_code = np.isin(numbers, CODES)
        if as_code.any():
            self.codes.update(numbers[as_code].astype(int).tolist())
            numbers = numbers[~as_code]
        if len(numbers):
            self.n += len(numbers)
            self.low = min(self.low, float(numbers.min()))
            self.high = max(self.high, float(numbers.max()))

    def likely(self, column: str) -> list[LikelyCode]:
        """The codes that lie far outside the other values, with nothing near them."""
        n, low, high = self.n, self.low, self.high
        if n < _FEWEST or low == high:
            return []
        outside: dict[int, int] = {}
        # From the nearest outwards: one that is no code is a value like others.
        for code in sorted(self.codes, key=lambda c: max(low - c, c - high)):
            count = self.codes[code]
            gap, spread = max(low - code, code - high), high - low
            # Where all others are 0 or more, a negative number is none of them.
            alone = code < 0 <= low and (count > 1 or gap > spread)
            if alone or (gap > spread and (count > 1 or gap > _FAR * spread)):
                outside[code] = count
            else:
                n, low, high = n + count, min(low, code), max(high, code)
        if sum(outside.values()) >= n:
            return []
        return [LikelyCode(column, c, outside[c], low, high) for c in sorted(outside)]


def likely_codes(ranges: Mapping[str, Range]) -> list[LikelyCode]:
    """The likely codes of all columns."""
    return [found for name, one in ranges.items() for found in one.likely(name)]
