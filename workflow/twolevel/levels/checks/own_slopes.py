"""Do subjects differ in their slopes? Where the condition is a number and its effect a line.

The random-intercept model gives all subjects one slope, and takes what their own slopes differ by
for error. A line through every subject's own observations tells the two apart:

    y_ik = mu_i + (beta + B_i) x_ik + eta_ik,   B_i ~ N(0, sigma_slope^2),

by the analysis of covariance, `anova(lm(y ~ subject + x), lm(y ~ subject * x))`, and Henderson's
method III: E(MS_slopes) = sigma_w^2 + k sigma_slope^2 (Searle, Casella & McCulloch 1992, sec. 5.5).
Where all slopes are equally precise, tests on the slopes themselves are exact whatever
sigma_slope is: they hold the subjects' differences as error (Crowder & Hand 1990, ch. 2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from twolevel.design.identifiability import residual_sum
from twolevel.design.moments import ALIAS_TOLERANCE, independent_columns
from twolevel.inference.means import slope_rows
from twolevel.mixed import MixedFit, fit_design
from twolevel.numeric.standardised import Standardised
from twolevel.numeric.tails import f_upper, t_quantile
from twolevel.random.random_part import RandomPart
from twolevel.text.confidence import LEVEL


@dataclass(frozen=True, eq=False)
class OwnSlopes:
    """The variance of subjects' own slopes, its exact test, and tests that allow for it.

    variance estimates sigma_slope^2 and may be negative; F = ms_slopes / ms_lines has df_num and
    df_den degrees of freedom where sigma_slope = 0. ms_lines is the mean square around the
    subjects' own lines, k the sum of squares of x in a subject where these are equal. n_slopes
    subjects have a slope. tests are the F tests of the terms with the condition on these slopes,
    mean is their mean (estimate, se, df, ci_low, ci_high), as the mixed model's `slopes` defines
    it; both are None where slopes are not equally precise, or further variables change within
    subjects.
    """

    variance: float
    ms_slopes: float
    ms_lines: float
    k: float
    F: float
    df_num: int
    df_den: int
    p: float
    n_slopes: int
    tests: pd.DataFrame | None
    mean: dict[str, float] | None

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {**vars(self), "sigma": float(np.sqrt(max(self.variance, 0.0)))}


def own_slopes(fit: MixedFit, condition: str | None, level: float = LEVEL) -> OwnSlopes | None:
    """Look for slopes of subjects' own in a fit whose formula has `condition` (N rows).

    The mean slope has an interval of this level.

    None where the model has more of subjects' own than an intercept, and where the design cannot
    tell: a condition that is no number or whose effect is no line in
    every subject, or no degrees of freedom left. Of a table in shards, their sample is looked at.
    """
    if condition is None or slope_rows(fit.design, condition) is None:
        return None
    if fit.random_part != RandomPart.intercept(fit.design.subject):
        return None
    if fit.design.whole is not None:
        fit = fit_design(replace(fit.design, whole=None), fit.random_columns, fit.method)
    design, rows, N, n = fit.design, fit.design.subject_rows, fit.nobs, len(fit.design.subjects)

    def centred(values: np.ndarray) -> np.ndarray:
        return values - (rows.sums(values) / rows.counts)[rows.codes]

    values = design.data[condition].to_numpy()
    standard, unit = Standardised.of(values), fit.estimates.unit
    x = centred(standard.of_values(values))
    # The residuals differ from the response by what the fixed effects and the means explain.
    X = design.cells.spread(design.cells.X)
    Z = np.column_stack([*(centred(column) for column in X.T), centred(fit.resid / unit)])
    squares = rows.sums(x * x)
    steep = squares > 1e-20 * squares.max()
    products = np.column_stack([rows.sums(x * column) for column in Z.T])[steep]  # (s, p + 1)
    squares = squares[steep]
    # Cross-products around the subjects' means, and around their own lines.
    means = Z.T @ Z
    lines = means - products.T @ (products / squares[:, None])

    scale = np.diag(means)[:-1] + 1e-13 * (X**2).sum(axis=0)
    shared = independent_columns(means[:-1, :-1], scale)
    further = independent_columns(lines[:-1, :-1], scale)
    bent = np.diag(lines)[:-1] > ALIAS_TOLERANCE * scale
    ss_shared, inverse, change = residual_sum(means, shared)
    ss_lines = residual_sum(lines, further)[0]
    df_den = N - n - len(squares) - len(further)
    df_num = N - n - len(shared) - df_den
    if bent[design.columns_of(condition)].any() or min(df_num, df_den) < 1:
        return None
    if not ss_lines > 1e-20 * ss_shared:
        return None
    explained = products[:, shared]
    k = float(squares.sum() - np.sum((explained.T @ explained) * inverse)) / df_num
    ms_slopes, ms_lines = (ss_shared - ss_lines) / df_num, ss_lines / df_den
    F = ms_slopes / ms_lines

    tests, mean = None, None
    if len(further) == 0 and np.ptp(squares) <= 1e-9 * squares.max():
        params = fit.estimates.params[shared] + unit * change  # by the slopes' own means
        tests = _tests(fit, shared, params / unit, ms_slopes * inverse, df_num)
        slopes = slope_rows(design, condition)
        assert slopes is not None  # the condition is a line here
        row = slopes[1][0, shared]
        estimate, se = float(row @ params), unit * float(np.sqrt(ms_slopes * row @ inverse @ row))
        half = float(t_quantile(level, np.array(df_num))) * se
        mean = {"estimate": estimate, "se": se, "df": df_num}
        mean |= {"ci_low": estimate - half, "ci_high": estimate + half}
    return OwnSlopes(
        variance=(unit / standard.scale) ** 2 * (ms_slopes - ms_lines) / k,
        ms_slopes=unit**2 * ms_slopes,
        ms_lines=unit**2 * ms_lines,
        k=standard.scale**2 * k,
        F=F,
        df_num=df_num,
        df_den=df_den,
        p=float(f_upper(F, df_num, df_den)),
        n_slopes=len(squares),
        tests=tests,
        mean=mean,
    )


def _tests(
    fit: MixedFit, columns: np.ndarray, params: np.ndarray, cov: np.ndarray, df: int
) -> pd.DataFrame:
    """F tests of the terms that concern nothing but these columns, on the slopes."""
    found = {}
    elsewhere = np.setdiff1d(np.arange(len(fit.params)), columns)
    for term, L in fit.hypotheses.items():
        if np.abs(L[:, elsewhere]).max(initial=0) <= 1e-9 * np.abs(L).max():
            rows = L[:, columns]
            estimate, q = rows @ params, len(rows)
            F = float(estimate @ np.linalg.solve(rows @ cov @ rows.T, estimate)) / q
            found[term] = {"F": F, "df_num": q, "df_den": df, "p": float(f_upper(F, q, df))}
    return pd.DataFrame.from_dict(
        found, orient="index", columns=["F", "df_num", "df_den", "p"]
    ).rename_axis("term")
