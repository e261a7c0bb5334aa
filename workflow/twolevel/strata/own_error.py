"""Pairwise differences of subjects' own scores: tested by their own error, and standardised.

A difference between levels within subjects is tested by each subject's own difference of the two
means, a difference between groups by the subjects' means: pooled within groups, and with their
degrees of freedom. No sphericity is assumed, and no variance is borrowed from other pairs (emmeans
of afex's fits with `model = "multivariate"`; Maxwell & Delaney 2004, ch. 11 and 14).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.inference.adjustments import STANDARD, adjusted
from twolevel.numeric.tails import t_quantile, t_two_sided
from twolevel.strata.effect_sizes import df_of_mean_sd, standardised
from twolevel.strata.error_strata import NotPartitioned
from twolevel.strata.subject_scores import subject_scores
from twolevel.text.confidence import LEVEL

SIZES = ["d_z", "d_z_low", "d_z_high", "d_av", "d_av_low", "d_av_high"]


def own_error_contrasts(
    design: DesignMatrix,
    variable: str,
    adjust: str = STANDARD,
    by: str | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """All pairwise differences of a factor's marginal means, each with its own error.

    Of a design in which every subject is in the same cells; several rows of a cell are averaged.
    Columns are those of `MixedFit.contrasts` (estimate, se, df, t, p, ci_low, ci_high), adjusted as
    there, also with `by`.

    Raises NotPartitioned where subjects are in different cells or leave no degree of freedom.
    """
    scores = subject_scores(design, variable, by)
    if scores is None:
        raise NotPartitioned(
            "pairs have an error of their own where factors are compared and every subject, in a "
            "table held in memory, is in the same cells; compare these with the model's pooled "
            "error (contrast_error: pooled)"
        )
    if scores.df < 1:
        raise NotPartitioned(
            f"{len(scores.residuals)} subjects leave no degree of freedom beside what differs "
            "between them; pairs have no error of their own: compare them with contrast_error: "
            "pooled"
        )
    table = pd.DataFrame(
        [(pair.estimate, pair.se) for pair in scores.differences()],
        index=scores.pairs,
        columns=["estimate", "se"],
    )
    table["df"] = float(scores.df)
    table["t"] = table["estimate"] / table["se"]
    table["p"] = t_two_sided(table["t"].to_numpy(), scores.df)
    half = t_quantile(level, table["df"].to_numpy()) * table["se"]
    table["ci_low"], table["ci_high"] = table["estimate"] - half, table["estimate"] + half
    n_means = scores.levels.get_level_values(-1).nunique()
    return adjusted(table, adjust, n_means, level, within=by is not None)


def standardised_differences(
    design: DesignMatrix, variable: str, by: str | None = None, level: float = LEVEL
) -> pd.DataFrame | None:
    """The same differences in standard deviations, each with an interval: d_z and d_av.

    d_z divides by the standard deviation of subjects' differences, d_av by the mean of those of
    both levels (Lakens 2013, eq. 7 and 10), both of subjects who are alike in what differs between
    them. Columns are these and their ends (d_z_low, d_z_high, d_av_low, d_av_high), which are each
    pair's own: no adjustment for their number. Those of d_z are exact; see `effect_sizes`.

    None for levels between subjects, and where pairs have no error of their own.
    """
    scores = subject_scores(design, variable, by)
    if scores is None or not scores.within or scores.df < 1:
        return None
    rows = []
    for pair in scores.differences():
        df_av = df_of_mean_sd(pair.sds, pair.sd, scores.df)
        d_z = standardised(pair.estimate, pair.se, pair.sd, scores.df, level)
        d_av = standardised(pair.estimate, pair.se, float(np.mean(pair.sds)), df_av, level)
        rows.append([*d_z, *d_av])
    return pd.DataFrame(rows, index=scores.pairs, columns=SIZES)
