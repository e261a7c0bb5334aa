"""The repeated-measures ANOVA: sums of squares partitioned into a between and a within stratum.

Between subjects, terms that differ between subjects are tested against the subjects within them;
within subjects, all other terms against what is left (R's `aov(... + Error(subject))`). Type III
sums of squares with sum-to-zero coding, as afex and car.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix, design_matrix
from twolevel.design.moments import SubjectMoments
from twolevel.inference.means import mean_rows
from twolevel.numeric.tails import f_upper
from twolevel.strata.sphericity import Sphericity, sphericity
from twolevel.text.errors import InputError


class NotPartitioned(InputError):
    """The design does not allow exact partitioning of the errors; the message says why."""


@dataclass(frozen=True, eq=False)
class PartitionedErrors:
    """The ANOVA table and its error strata.

    table is indexed by term: stratum, ss, F, df_num, df_den, p, partial_eta2, which is
    ss / (ss + ss of the error) (Cohen 1973); strata by `between` and `within`: ss, df, ms of the
    errors. ss_subject and df_subject are those of the subjects before
    between-subjects terms are taken out. sphericity is None where no factor varies within
    subjects, or more than one does. grand_mean and grand_mean_se are in the response's unit;
    per_subject is the number of observations of each subject.
    """

    table: pd.DataFrame
    strata: pd.DataFrame
    ss_subject: float
    df_subject: int
    per_subject: int
    grand_mean: float
    grand_mean_se: float
    sphericity: Sphericity | None

    @property
    def sigma_within(self) -> float:
        """The root of the within-subjects mean square."""
        return float(np.sqrt(self.strata.loc["within", "ms"]))

    @property
    def sigma_between(self) -> float:
        """The root of (MS_between - MS_within) / per_subject, or 0 where that is negative."""
        difference = self.strata.loc["between", "ms"] - self.strata.loc["within", "ms"]
        return float(np.sqrt(max(difference, 0.0) / self.per_subject))

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {
            "table": self.table,
            "strata": self.strata,
            "ss_subject": self.ss_subject,
            "df_subject": self.df_subject,
            "per_subject": self.per_subject,
            "grand_mean": {"estimate": self.grand_mean, "se": self.grand_mean_se},
            "sigma_between": self.sigma_between,
            "sigma_within": self.sigma_within,
            "sphericity": None if self.sphericity is None else vars(self.sphericity),
        }


def partition_errors(formula: str, data: pd.DataFrame, subject: str) -> PartitionedErrors:
    """Partition the sums of squares of a balanced design (groups may differ in size).

    Raises NotPartitioned when subjects differ in their numbers of observations or in the
    conditions they were seen under: the strata are then not orthogonal, and no exact F exists.
    """
    design = design_matrix(formula, data, subject, coding="sum")
    if design.encoding.intercept is None:
        raise NotPartitioned(
            "the formula has no intercept, so its terms are not deviations from a grand mean; an "
            "exact ANOVA needs one"
        )
    n, N, p = len(design.all_subjects), design.nobs, len(design.names)
    moments, coordinates = design.working_moments()
    if np.ptp(moments.counts) > 0:
        raise NotPartitioned(
            f"subjects have between {moments.counts.min()} and {moments.counts.max()} observations"
            "; an exact ANOVA needs the same number for each"
        )
    _refuse_unequal(design, moments)
    varying = np.diag(moments.within)[:p] > 0
    within, between = np.flatnonzero(varying), np.flatnonzero(~varying)
    size, unit = int(moments.counts[0]), coordinates.unit

    X = moments.means[:, between]
    total = moments.means[:, p]
    left, hat = _solve(X.T @ X, X.T @ total)
    residual = total - X @ left
    ss_between = size * float(residual @ residual)
    df_between = n - len(between)

    W = moments.within
    gamma, cov = _solve(W[np.ix_(within, within)], W[within, p])
    ss_within = float(W[p, p] - gamma @ W[within, p])
    df_within = N - n - len(within)
    if df_between < 1 or df_within < 1:
        raise NotPartitioned(
            f"{df_between} degrees of freedom are left between subjects and {df_within} within; an "
            "exact ANOVA needs at least 1 in each"
        )

    strata = pd.DataFrame(
        {"ss": [ss_between, ss_within], "df": [df_between, df_within]},
        index=pd.Index(["between", "within"], name="stratum"),
    )
    strata["ms"] = strata["ss"] / strata["df"]
    coefficients = np.zeros(p)
    coefficients[within], coefficients[between] = gamma, left
    formula_rows = design.encoding.formula_rows

    def of(name: str, columns: Iterable[int]) -> float:
        """The sum of squares of the hypothesis that these columns' coefficients are 0."""
        members, inverse, factor = (within, cov, 1) if name == "within" else (between, hat, size)
        L = formula_rows[list(columns)]
        rows = (L @ coordinates.T)[:, members]
        b = rows @ coefficients[members] + L @ coordinates.shift / unit
        return factor * float(b @ np.linalg.solve(rows @ inverse @ rows.T, b))

    rows = {}
    for term, columns in design.tested_terms.items():
        name = _stratum(term, formula_rows[list(columns)] @ coordinates.T, varying)
        ss, df_num, (_, df_den, ms) = of(name, columns), len(columns), strata.loc[name]
        F = ss / df_num / ms if ms > 0 else np.inf
        rows[term] = {
            "stratum": name,
            "ss": ss,
            "F": F,
            "df_num": df_num,
            "df_den": int(df_den),
            "p": float(f_upper(F, df_num, df_den)),
            "partial_eta2": ss / both if (both := ss + strata.loc[name, "ss"]) > 0 else np.nan,
        }
    table = pd.DataFrame.from_dict(
        rows,
        orient="index",
        columns=["stratum", "ss", "F", "df_num", "df_den", "p", "partial_eta2"],
    ).rename_axis("term")
    grand = mean_rows(design)[1][0]
    at = grand @ coordinates.T  # rows are x T in working coordinates
    variance = float(at[between] @ hat @ at[between]) * strata.loc["between", "ms"] / size
    variance += float(at[within] @ cov @ at[within]) * strata.loc["within", "ms"]
    estimate = float(grand @ coordinates.shift) + unit * float(at @ coefficients)
    means = moments.means[:, :p] @ (coordinates.first / unit) + total
    square = unit**2
    table["ss"] *= square
    strata[["ss", "ms"]] *= square
    return PartitionedErrors(
        table=table,
        strata=strata,
        ss_subject=size * float(np.sum((means - means.mean()) ** 2)) * square,
        df_subject=n - 1,
        per_subject=size,
        grand_mean=estimate,
        grand_mean_se=unit * float(np.sqrt(variance)),
        sphericity=sphericity(design, table),
    )


def _solve(gram: np.ndarray, moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares coefficients and the inverse of the Gram matrix."""
    inverse = np.linalg.inv(gram) if len(gram) else np.empty((0, 0))
    return inverse @ moment, inverse


def _refuse_unequal(design: DesignMatrix, moments: SubjectMoments) -> None:
    """Refuse designs whose strata are not orthogonal.

    They are only if every column within subjects has the same mean in every subject.
    """
    p = len(design.names)
    squares = np.diag(moments.within)[:p]
    spread = np.ptp(moments.means[:, :p], axis=0)
    mixed = (squares > 0) & (spread > 1e-10 * np.sqrt(squares / design.nobs))
    if mixed.any():
        at = int(np.argmax(mixed))
        term = next(term for term, columns in design.terms.items() if at in columns)
        raise NotPartitioned(
            f"{term} varies within subjects but averages differently from one subject to the next; "
            "an exact ANOVA needs every subject under the same conditions equally often"
        )


def _stratum(term: str, rows: np.ndarray, varying: np.ndarray) -> str:
    """The stratum that the rows (q, p) of a term's hypothesis lie in; varying (p,) says which."""
    small = 1e-10 * np.abs(rows).max()
    if not (np.abs(rows[:, varying]) > small).any():
        return "between"
    if not (np.abs(rows[:, ~varying]) > small).any():
        return "within"
    raise NotPartitioned(
        f"{term} compares subjects and, at the same time, conditions within them; an exact ANOVA "
        "needs every term to do one or the other"
    )
