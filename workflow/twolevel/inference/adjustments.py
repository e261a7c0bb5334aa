"""Many comparisons at once: p values and intervals adjusted for their number, as emmeans does."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from twolevel.numeric.tails import t_quantile

Adjust = Literal["holm", "tukey", "bonferroni", "none"]


def adjusted(
    table: pd.DataFrame, adjust: Adjust, n_means: int, level: float = 0.95
) -> pd.DataFrame:
    """Adjust p, ci_low and ci_high of all pairwise differences of n_means means.

    "holm" (Holm 1979) takes the p values in order; it has no intervals of its own, so that these
    are Bonferroni's, which hold all at once. "bonferroni" multiplies p by the number of
    differences. "tukey" refers |t| sqrt(2) to the studentized range of n_means means (Tukey 1953;
    Kramer 1956). "none" changes nothing. A difference without a test (NaN) does not count.

    Raises ValueError for another name.
    """
    if adjust not in ("holm", "tukey", "bonferroni", "none"):
        raise ValueError(
            f"adjust: found {adjust!r}, expected 'holm', 'tukey', 'bonferroni' or 'none'"
        )
    tested = table["p"].notna().to_numpy()
    count = int(tested.sum())
    if adjust == "none" or count < 2:
        return table
    t, df = table.loc[tested, "t"].to_numpy(), table.loc[tested, "df"].to_numpy()
    p = table.loc[tested, "p"].to_numpy()
    if adjust == "tukey":
        from twolevel.numeric.studentized_range import StudentizedRange

        studentized = StudentizedRange(n_means)
        p = studentized.sf(np.sqrt(2) * np.abs(t), df)
        quantile = studentized.upper_quantile(1 - level, df) / np.sqrt(2)
    else:
        from statsmodels.stats.multitest import multipletests

        p = multipletests(p, method=adjust)[1]
        quantile = t_quantile(1 - (1 - level) / count, df)
    half = quantile * table.loc[tested, "se"]
    middle = table.loc[tested, "estimate"]
    result = table.copy()
    result.loc[tested, ["p", "ci_low", "ci_high"]] = np.column_stack(
        [p, middle - half, middle + half]
    )
    return result
