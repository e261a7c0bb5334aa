"""The repeated-measures ANOVA with partitioned errors: a stratum for each effect within subjects.

Terms that differ between subjects are tested against the subjects within them, terms of an effect
within subjects (a, b, a:b) against how subjects differ in that effect: R's
`aov(... + Error(id / (a * b)))`, and afex. Several rows of a cell are averaged first, as there.

For effect w, let C_w be orthonormal contrasts of a subject's cells. The scores y_i C_w of all
subjects are regressed on what differs between them, with every factor coded to sum to zero; the sum
over the contrasts of a hypothesis' sums of squares (Type III) stands against that of the residuals
(Maxwell & Delaney 2004, ch. 12; car's `Anova`, univariate). No term needs a fit of its own, for the
design's cross-products fall into one block for each effect.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix, design_matrix
from twolevel.inference.means import mean_rows
from twolevel.numeric.tails import f_upper
from twolevel.random.bars import read_bars
from twolevel.strata.crossing import Averaged, Crossing, average_cells, average_shards, crossing
from twolevel.strata.effect_sizes import (
    generalised_eta2,
    generalised_eta2_interval,
    partial_eta2,
    partial_eta2_interval,
)
from twolevel.strata.error_strata import (
    WITHIN,
    NotPartitioned,
    Stratum,
    strata_of,
    stratum_of,
    variances,
)
from twolevel.strata.sphericity import sphericity
from twolevel.text.confidence import LEVEL
from twolevel.text.errors import InputError, quoted

_COLUMNS = ["stratum", "ss", "ss_error", "F", "df_num", "df_den", "p"]
_COLUMNS += ["partial_eta2", "partial_eta2_low", "partial_eta2_high"]
_COLUMNS += ["generalised_eta2", "generalised_eta2_low", "generalised_eta2_high"]


@dataclass(frozen=True, eq=False)
class PartitionedErrors:
    """The ANOVA table and its error strata.

    table is indexed by term: stratum, ss, ss_error, F, df_num, df_den, p, partial_eta2 and
    generalised_eta2, each with its interval (partial_eta2_low, partial_eta2_high and so on; see
    `effect_sizes`).

    strata is indexed by stratum, `id`, then `id:a`, `id:b`, `id:a:b` and so on: ss, df, ms of the
    errors, and the variance that the stratum adds to a row (negative where its mean square is
    smaller than chance makes it). A last one, `within`, holds the rows within cells, or all within
    subjects where these are not all in the same cells. Sums of squares are on the scale of rows.

    sphericity is indexed by the terms within subjects (see `sphericity`). averaged says what was
    averaged, None where every cell has one row. ss_subject and df_subject are those of the subjects
    before terms between them are taken out. grand_mean and grand_mean_se are in the response's
    unit; per_subject is the number of rows of each subject, the harmonic mean where these differ.
    """

    table: pd.DataFrame
    strata: pd.DataFrame
    ss_subject: float
    df_subject: int
    per_subject: float
    grand_mean: float
    grand_mean_se: float
    sphericity: pd.DataFrame
    averaged: Averaged | None

    @property
    def sigma_within(self) -> float:
        """The root of the variance of the last stratum, that of single rows."""
        return float(np.sqrt(self.strata["variance"].iloc[-1]))

    @property
    def sigma_between(self) -> float:
        """The root of the variance that the first stratum adds, or 0 where it is negative."""
        return float(np.sqrt(max(self.strata["variance"].iloc[0], 0.0)))

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
            "sphericity": self.sphericity,
            "averaged": None if self.averaged is None else asdict(self.averaged),
        }


def partition_errors(
    formula: str, data: Any, subject: str | None = None, level: float = LEVEL
) -> PartitionedErrors:
    """Partition the sums of squares of a design in which every subject is in the same cells.

    Cells are the combinations of what changes within subjects; groups of subjects may differ in
    size, and cells in their numbers of rows, of which means are taken. Bars of the formula have no
    part in it, but may name the subject. level is that of intervals.

    Raises NotPartitioned where subjects are in different cells, or in some more often than in
    others: the strata are then not orthogonal, and no exact F exists.
    """
    mixed = read_bars(formula)
    subject = subject or mixed.subject
    if subject is None:
        raise InputError(
            f"formula {quoted(formula)}: it is not said which column names the subjects; give it "
            "as subject"
        )
    design, cells, centre, averaged = _cells(mixed.fixed, data, subject)
    if design.encoding.intercept is None:
        raise NotPartitioned(
            "the formula has no intercept, so its terms are not deviations from a grand mean; an "
            "exact ANOVA needs one"
        )
    moments, coordinates = design.working_moments()
    strata = strata_of(design, moments, cells)
    size, unit = int(moments.counts[0]), coordinates.unit
    p = len(design.names)

    table = _table(design, strata, level)
    errors = pd.DataFrame(
        {"ss": [s.ss for s in strata.values()], "df": [s.df for s in strata.values()]},
        index=pd.Index(list(strata), name="stratum"),
    )
    grand = mean_rows(design)[1][0]
    at = grand @ coordinates.T  # rows are x T in working coordinates
    estimate, variance = centre + float(grand @ coordinates.shift), 0.0
    for stratum in strata.values():
        own = at[stratum.columns]
        estimate += unit * float(own @ stratum.coefficients)
        variance += float(own @ stratum.inverse @ own) * stratum.ms
    means = moments.means[:, :p] @ (coordinates.first / unit) + moments.means[:, p]

    per_cell = averaged.per_cell if averaged else 1
    scale = unit**2 * per_cell
    table[["ss", "ss_error"]] *= scale
    errors["ss"] *= scale
    if averaged:
        errors.loc[WITHIN] = [averaged.ss, averaged.df]
        errors = errors.astype({"df": int})
    errors["ms"] = errors["ss"] / errors["df"]
    errors["variance"] = variances(errors["ms"], cells, subject, size * per_cell)
    return PartitionedErrors(
        table=table,
        strata=errors,
        ss_subject=size * float(np.sum((means - means.mean()) ** 2)) * scale,
        df_subject=len(means) - 1,
        per_subject=size * per_cell,
        grand_mean=estimate,
        grand_mean_se=unit * float(np.sqrt(variance)),
        sphericity=sphericity(design, cells, table),
        averaged=averaged,
    )


def _cells(
    formula: str, data: Any, subject: str
) -> tuple[DesignMatrix, Crossing | None, float, Averaged | None]:
    """The design of the cells' means, the cells, what was taken off the means, and what averaged.

    Without cells that all subjects share, and where each has one row, it is that of the rows.
    """
    design = design_matrix(formula, data, subject, coding="sum")
    if design.whole is None:
        cells = crossing(design)
        if cells is None or (cells.counts == 1).all():
            return design, cells, 0.0, None
        design, centre, averaged = average_cells(design, cells)
        return design, crossing(design), centre, averaged
    sizes = {k: len(design.levels(k)) for k in design.data if k in design.whole.varying}
    n, C, counts = len(design.all_subjects), prod(sizes.values()), design.whole.moments.counts
    if not sizes or counts.min() < C:
        return design, None, 0.0, None
    if len(sizes) == 1 and counts.max() == C:  # of one variable, the moments know all
        return design, Crossing(sizes, np.empty(0, dtype=np.intp), n), 0.0, None
    found, centre, averaged = average_shards(formula, data, subject)
    cells = crossing(found)
    if cells is None:
        return design, None, 0.0, None
    return found, cells, centre, averaged if averaged.df else None


def _table(design: DesignMatrix, strata: dict[str, Stratum], level: float) -> pd.DataFrame:
    """The ANOVA table, its sums of squares in units of the working response."""
    _, coordinates = design.working_moments()
    formula_rows = design.encoding.formula_rows
    # All that subjects differ in, whichever stratum it is in; not the scatter of rows in which
    # nothing varies within subjects, of which afex takes the means.
    errors = [each for each in strata.values() if each.name != WITHIN or len(each.columns)]
    ss_errors = sum(stratum.ss for stratum in errors)
    rows = {}
    for term, columns in design.tested_terms.items():
        L = formula_rows[list(columns)]
        at = L @ coordinates.T
        stratum = stratum_of(term, at, strata)
        ss = stratum.squares(at[:, stratum.columns], L @ coordinates.shift / coordinates.unit)
        df_num, df_den = len(columns), stratum.df
        F = ss / df_num / stratum.ms if stratum.ms > 0 else np.inf
        partial = partial_eta2_interval(F, df_num, df_den, level)
        generalised = generalised_eta2_interval(ss, df_num, stratum, errors, level)
        rows[term] = {
            "stratum": stratum.name,
            "ss": ss,
            "ss_error": stratum.ss,
            "F": F,
            "df_num": df_num,
            "df_den": df_den,
            "p": float(f_upper(F, df_num, df_den)),
            "partial_eta2": partial_eta2(ss, stratum.ss),
            "partial_eta2_low": partial[0],
            "partial_eta2_high": partial[1],
            "generalised_eta2": generalised_eta2(ss, ss_errors),
            "generalised_eta2_low": generalised[0],
            "generalised_eta2_high": generalised[1],
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS).rename_axis("term")
