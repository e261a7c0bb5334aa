"""The same model three times: two-stage, mixed model and repeated-measures ANOVA side by side.

They agree to rounding exactly when the design is balanced and MS_subject >= MS_error (Searle,
Casella & McCulloch 1992, sec. 3.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Relative difference up to which two results are the same number, computed twice.
ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class Comparison:
    """One row per quantity: two_stage, mixed, anova (NaN where a method has none), difference.

    `difference` is the largest distance from the mixed model, relative to the larger value.
    `boundary` and `unbalanced` are the reasons for which the methods may differ.
    """

    table: pd.DataFrame
    boundary: bool
    unbalanced: bool

    @property
    def agree(self) -> bool:
        """Whether all quantities agree to rounding."""
        return bool((self.table["difference"].fillna(0) <= ROUNDING).all())

    @property
    def most_apart(self) -> dict:
        """The quantity in which the methods differ most, with what each finds (NaN for none)."""
        at = self.table["difference"].idxmax()
        return {"quantity": at, **self.table.loc[at, ["two_stage", "mixed", "anova"]]}

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {
            "agree": self.agree,
            "boundary": self.boundary,
            "unbalanced": self.unbalanced,
            "largest_difference": float(self.table["difference"].max()),
            "most_apart": None if self.agree else self.most_apart,
            "table": self.table,
        }


def compare_fits(
    level1: Mapping, hierarchical: Mapping, mixed: Mapping, anova: Mapping | None
) -> Comparison:
    """Lay the three methods' numbers side by side.

    Takes the summaries of `fit_subjects`, `fit_hierarchical`, `fit_mixed` (by REML) and
    `partition_errors`; the last is None where the design allows no exact ANOVA.
    """
    rows = {
        "grand_mean": _row(hierarchical, mixed, anova, "grand_mean", "estimate"),
        "grand_mean_se": _row(hierarchical, mixed, anova, "grand_mean", "se"),
        "sigma_between": _row(hierarchical, mixed, anova, "sigma_between"),
        "sigma_within": _row(hierarchical, mixed, anova, "sigma_within"),
    }
    ours = {effect["condition"]: effect["estimate"] for effect in mixed["condition_effects"]}
    for effect in level1["condition_effects"]:
        name = effect["condition"]
        rows[f"alpha[{name}]"] = (effect["estimate"], ours[name], nan)
    partitioned = {row["term"]: row["F"] for row in anova["table"]} if anova else {}
    for row in mixed["anova"]:
        rows[f"F[{row['term']}]"] = (nan, row["F"], partitioned.get(row["term"], nan))

    import pandas as pd  # for which a report, which reads ROUNDING, need not wait

    table = pd.DataFrame.from_dict(rows, orient="index", columns=["two_stage", "mixed", "anova"])
    table = table.rename_axis("quantity").astype(float)
    # An effect that is 0 up to rounding has no relative error: the scale is the largest effect.
    scale = table.abs().max(axis=1)
    effects = table.index.str.startswith("alpha[")
    scale[effects] = scale[effects].max()
    # Nor has an F near 0, of which 1 is the size that chance gives.
    tests = table.index.str.startswith("F[")
    scale[tests] = scale[tests].clip(lower=1)
    gap = table.sub(table["mixed"], axis=0).abs().max(axis=1)
    table["difference"] = (gap / scale).where(gap > 0, 0.0)
    table.loc[table[["two_stage", "anova"]].isna().all(axis=1), "difference"] = nan
    return Comparison(
        table=table,
        boundary=bool(mixed["boundary"] or hierarchical["truncated"]),
        unbalanced=anova is None,
    )


def _row(hierarchical: Mapping, mixed: Mapping, anova: Mapping | None, *keys: str) -> tuple:
    def pick(summary: Any) -> Any:
        for key in keys:
            summary = nan if summary is None or summary is nan else summary[key]
        return nan if summary is None else summary

    return pick(hierarchical), pick(mixed), pick(anova)
