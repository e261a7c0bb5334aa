"""Many comparisons at once: p values and intervals adjusted for their number, as emmeans does.

An adjustment is an entry of ADJUSTMENTS, from which the library, the config and the report take its
name, what it does and how it is called. Nothing is imported before it is used: the config reads the
names before any job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twolevel.text.confidence import LEVEL
from twolevel.text.errors import one_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Differences:
    """The t tests (k, ...) of k differences among n_means means; batches run along further axes."""

    t: np.ndarray
    df: np.ndarray
    p: np.ndarray
    n_means: int


@dataclass(frozen=True)
class Adjustment:
    """One method: adjusted p values (k, ...), the quantile (k,) of its intervals, and its words.

    quantile is given the tests and alpha, one less the level. prefix stands before "adjusted p";
    words say in a caption what was adjusted. pairs says that it is for all pairwise differences.
    """

    p_values: Callable[[Differences], np.ndarray]
    quantile: Callable[[Differences, float], np.ndarray]
    prefix: str
    words: str
    pairs: bool = False

    def criterion(self, alpha: float) -> str:
        """By what a difference counts as one: Holm-adjusted p < .05."""
        limit = f"{alpha:g}".removeprefix("0")
        return (
            f"{self.prefix}-adjusted p < {limit}" if self.prefix else f"p < {limit}, not adjusted"
        )


def _holm(tests: Differences) -> np.ndarray:
    """Holm (1979): the p values in order, times how many are not smaller; never decreasing."""
    import numpy as np

    count = len(tests.p)
    order = np.argsort(tests.p, axis=0)
    times = np.arange(count, 0, -1).reshape(-1, *[1] * (tests.p.ndim - 1))
    rising = np.maximum.accumulate(np.take_along_axis(tests.p, order, axis=0) * times, axis=0)
    result = np.empty_like(tests.p)
    np.put_along_axis(result, order, np.minimum(rising, 1), axis=0)
    return result


def _bonferroni(tests: Differences) -> np.ndarray:
    import numpy as np

    return np.minimum(tests.p * len(tests.p), 1)


def _bonferroni_quantile(tests: Differences, alpha: float) -> np.ndarray:
    from twolevel.numeric.tails import t_quantile

    return t_quantile(1 - alpha / len(tests.p), tests.df)


def _tukey(tests: Differences) -> np.ndarray:
    """|t| sqrt(2) referred to the studentized range of the means (Tukey 1953; Kramer 1956)."""
    import numpy as np

    from twolevel.numeric.studentized_range import StudentizedRange

    ranges = np.sqrt(2) * np.abs(tests.t).ravel()
    found = StudentizedRange(tests.n_means).sf(ranges, np.ravel(tests.df))
    return found.reshape(tests.t.shape)


def _tukey_quantile(tests: Differences, alpha: float) -> np.ndarray:
    import numpy as np

    from twolevel.numeric.studentized_range import StudentizedRange

    return StudentizedRange(tests.n_means).upper_quantile(alpha, tests.df) / np.sqrt(2)


def _unadjusted_quantile(tests: Differences, alpha: float) -> np.ndarray:
    from twolevel.numeric.tails import t_quantile

    return t_quantile(1 - alpha, tests.df)


ADJUSTMENTS = {
    # Holm's method has no intervals of its own; Bonferroni's hold all at once.
    "holm": Adjustment(
        _holm,
        _bonferroni_quantile,
        "Holm",
        "p values adjusted by Holm's method, intervals by Bonferroni's",
    ),
    "tukey": Adjustment(
        _tukey,
        _tukey_quantile,
        "Tukey",
        "p values and intervals adjusted by Tukey's method",
        pairs=True,
    ),
    "bonferroni": Adjustment(
        _bonferroni,
        _bonferroni_quantile,
        "Bonferroni",
        "p values and intervals adjusted by Bonferroni's method",
    ),
    "none": Adjustment(
        lambda tests: tests.p, _unadjusted_quantile, "", "p values and intervals not adjusted"
    ),
}
STANDARD = "holm"


def adjusted(
    table: pd.DataFrame,
    adjust: str,
    n_means: int,
    level: float = LEVEL,
    pairs: bool = True,
    within: bool = False,
) -> pd.DataFrame:
    """Adjust p, ci_low and ci_high of all contrasts in a table, of n_means means.

    adjust is a name of ADJUSTMENTS; pairs says that the contrasts are all pairwise differences;
    `within`, that those of each value of the first index level are adjusted by themselves. A
    contrast without a test (NaN) does not count.

    Raises ValueError for another name, and for an adjustment that these contrasts do not have.
    """
    if adjust not in ADJUSTMENTS:
        raise ValueError(f"adjust: found {adjust!r}, expected {one_of(ADJUSTMENTS)}")
    method = ADJUSTMENTS[adjust]
    if method.pairs and not pairs:
        others = ", ".join(repr(n) for n, other in ADJUSTMENTS.items() if not other.pairs)
        raise ValueError(
            f"adjust: {adjust!r} is for all pairwise differences; for other contrasts say one "
            f"of {others}"
        )
    import pandas as pd

    if not within:
        return _together(table, method, n_means, level)
    groups = table.groupby(level=0, sort=False)
    return pd.concat([_together(part, method, n_means, level) for _, part in groups])


def _together(table: pd.DataFrame, method: Adjustment, n_means: int, level: float) -> pd.DataFrame:
    """One family of contrasts, adjusted."""
    import numpy as np

    tested = table["p"].notna().to_numpy()
    if tested.sum() < 2:
        return table
    t, df, p = (table.loc[tested, name].to_numpy() for name in ("t", "df", "p"))
    tests = Differences(t, df, p, n_means)
    half = method.quantile(tests, 1 - level) * table.loc[tested, "se"]
    middle = table.loc[tested, "estimate"]
    result = table.copy()
    result.loc[tested, ["p", "ci_low", "ci_high"]] = np.column_stack(
        [method.p_values(tests), middle - half, middle + half]
    )
    return result
