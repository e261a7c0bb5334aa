"""The same model three times: two-stage, mixed model and repeated-measures ANOVA side by side.

Mixed model and ANOVA agree to rounding where every subject is in the same cells equally often, the
model has a variance for each error stratum, and none is estimated as 0 (Searle, Casella & McCulloch
1992, sec. 3.8); the two-stage method, where there is one stratum within subjects.
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
_SAME_DF = 1e-6  # of degrees of freedom, in which every error of a variance counts several times
_TEST = ("F", "df_den", "p")


@dataclass(frozen=True, eq=False)
class Comparison:
    """One row per quantity: two_stage, mixed, anova (NaN where a method has none), difference.

    `difference` is the largest distance from the mixed model, relative to the larger value.
    `tests` has a row per term: the ANOVA's stratum, F, df_den and p by the mixed model (F_mixed and
    so on) and by the ANOVA (NaN where it has none), and whether they agree. `boundary` (a variance
    estimated as 0), `unbalanced` (no exact ANOVA), `pooled` (strata for which the model has no
    variance of its own) and `unequal` (cells with different numbers of rows) are the reasons for
    which the methods may differ.
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    boundary: bool
    unbalanced: bool
    pooled: list[str]
    unequal: bool

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
            "pooled": self.pooled,
            "unequal": self.unequal,
            "largest_difference": float(self.table["difference"].max()),
            "most_apart": None if self.agree else self.most_apart,
            "table": self.table,
            "tests": self.tests,
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
    strata = {row["stratum"]: row for row in anova["strata"]} if anova else {}
    own = [row for row in mixed["varcorr"] if row["grp"] in list(strata)[1:]]
    for row in own:
        estimate = max(strata[row["grp"]]["variance"], 0.0) ** 0.5
        rows[f"sigma[{row['grp']}]"] = (nan, row["sdcor"], estimate)
    ours = {effect["condition"]: effect["estimate"] for effect in mixed["condition_effects"]}
    for effect in level1["condition_effects"]:
        name = effect["condition"]
        rows[f"alpha[{name}]"] = (effect["estimate"], ours[name], nan)
    partitioned = {row["term"]: row for row in anova["table"]} if anova else {}
    nothing = {"stratum": None, "F": nan, "df_den": nan, "p": nan}
    tests = {}
    for row in mixed["anova"]:
        other = partitioned.get(row["term"], nothing)
        rows[f"F[{row['term']}]"] = (nan, row["F"], other["F"])
        both = {"mixed": row, "anova": other}
        numbers = {f"{key}_{name}": of[key] for name, of in both.items() for key in _TEST}
        tests[row["term"]] = {"stratum": other["stratum"], "df_num": row["df_num"], **numbers}

    import pandas as pd  # for which a report, which reads ROUNDING, need not wait

    table = pd.DataFrame.from_dict(rows, orient="index", columns=["two_stage", "mixed", "anova"])
    table = table.rename_axis("quantity").astype(float)
    # An effect that is 0 up to rounding has no relative error: the scale is the largest effect.
    scale = table.abs().max(axis=1)
    effects = table.index.str.startswith("alpha[")
    scale[effects] = scale[effects].max()
    # Nor has an F near 0, of which 1 is the size that chance gives.
    of_terms = table.index.str.startswith("F[")
    scale[of_terms] = scale[of_terms].clip(lower=1)
    gap = table.sub(table["mixed"], axis=0).abs().max(axis=1)
    table["difference"] = (gap / scale).where(gap > 0, 0.0)
    table.loc[table[["two_stage", "anova"]].isna().all(axis=1), "difference"] = nan
    columns = [
        "stratum",
        "df_num",
        *(f"{key}_{name}" for name in ("mixed", "anova") for key in _TEST),
    ]
    by_term = pd.DataFrame.from_dict(tests, orient="index", columns=columns).rename_axis("term")
    df = by_term[["df_den_mixed", "df_den_anova"]].astype(float)
    same_df = (df["df_den_mixed"] / df["df_den_anova"] - 1).abs() <= _SAME_DF
    by_term["agree"] = (table.loc[of_terms, "difference"] <= ROUNDING).to_numpy() & same_df
    averaged = anova["averaged"] if anova else None
    return Comparison(
        table=table,
        tests=by_term,
        boundary=bool(mixed["boundary"] or hierarchical["truncated"]),
        unbalanced=anova is None,
        pooled=_pooled(list(strata), mixed["varcorr"]),
        unequal=bool(averaged and averaged["fewest"] < averaged["most"]),
    )


def _pooled(strata: list[str], varcorr: list[Mapping]) -> list[str]:
    """The strata, of those with an error beside that of single rows, that a model has no part for.

    A model with effects of factors or slopes covers strata by other names; none is called pooled.
    """
    from twolevel.random.effect_names import INTERCEPT

    effects = varcorr[:-1]  # without the residual
    if any(row["var1"] != INTERCEPT for row in effects):
        return []
    known = {row["grp"] for row in effects}
    return [stratum for stratum in strata[1:-1] if stratum not in known]


def _row(hierarchical: Mapping, mixed: Mapping, anova: Mapping | None, *keys: str) -> tuple:
    def pick(summary: Any) -> Any:
        for key in keys:
            summary = nan if summary is None or summary is nan else summary[key]
        return nan if summary is None else summary

    return pick(hierarchical), pick(mixed), pick(anova)
