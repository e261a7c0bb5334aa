"""Sphericity of each effect within subjects: Mauchly's test, Greenhouse-Geisser, Huynh-Feldt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.numeric.standardised import power_of_two
from twolevel.numeric.tails import chi_square_upper, f_upper
from twolevel.strata.condition_covariance import cell_means, residual_covariance
from twolevel.strata.crossing import Crossing
from twolevel.strata.error_strata import name_of

_COLUMNS = ["stratum", "effect", "contrasts", "mauchly_w", "mauchly_p", "gg_epsilon", "hf_epsilon"]
_COLUMNS += ["F", "df_num_gg", "df_den_gg", "p_gg", "df_num_hf", "df_den_hf", "p_hf"]


def sphericity(design: DesignMatrix, cells: Crossing | None, table: pd.DataFrame) -> pd.DataFrame:
    """Test and correct the within-subject F tests of `table` (see `anova.PartitionedErrors`).

    By term: stratum, effect (the variables within subjects) and the number of its contrasts,
    mauchly_w and mauchly_p (NaN where the test is not defined, as for one contrast), gg_epsilon,
    hf_epsilon, F, and by both corrections df_num, df_den and p (ending in _gg and _hf). Terms of an
    effect have one covariance, and so one test and one epsilon, in common.

    Formulas as in car's Anova (Mauchly 1940 with the second-order approximation of Anderson 1958,
    sec. 10.7; Greenhouse & Geisser 1959; Huynh & Feldt 1976), on the covariance of the cells
    pooled within groups. Corrections use an epsilon of at most 1. Only factors have sphericity:
    effects of numbers are left out.
    """
    factors = [w for w in cells.effects if all(map(design.is_factor, w))] if cells else []
    terms = {w: table[table["stratum"] == name_of(design.subject, w)] for w in factors}
    found: dict[str, dict] = {}
    if cells and any(map(len, terms.values())):
        observed = residual_covariance(design, cell_means(design, list(cells.sizes)))
        for w, own in terms.items():
            if observed is None or own.empty:
                continue
            C = cells.contrasts(w)
            unit = power_of_two(np.sqrt(np.diag(observed.matrix)))
            S = C.T @ (observed.matrix.to_numpy() / unit / unit) @ C
            if np.trace(S) > 0:
                shared = {"effect": w, **_of_effect(S, observed.df, cells.n_cells)}
                found |= {term: _corrected(row, shared) for term, row in own.iterrows()}
    return pd.DataFrame.from_dict(found, orient="index", columns=_COLUMNS).rename_axis("term")


def _of_effect(S: np.ndarray, df: int, n_cells: int) -> dict[str, float | int]:
    """Mauchly's test and both epsilons, from the covariance S (k, k) of orthonormal contrasts."""
    k = len(S)
    gg = float(np.trace(S) ** 2 / (k * np.sum(S * S)))
    denominator = k * (df - k * gg)
    # Above 1 the estimate means 1; a denominator of 0 or less sends it past every bound.
    hf = ((df + 1) * k * gg - 2) / denominator if denominator > 0 else 1.0
    w, p = (np.nan, np.nan) if k < 2 or df < k else _mauchly(S * df, df, n_cells)
    return {
        "contrasts": k,
        "mauchly_w": w,
        "mauchly_p": p,
        "gg_epsilon": gg,
        "hf_epsilon": float(hf),
    }


def _corrected(row: pd.Series, shared: dict[str, Any]) -> dict:
    """A term's test with both corrections."""
    result = {"stratum": row["stratum"], **shared, "F": row["F"]}
    for label in ("gg", "hf"):
        epsilon = min(shared[f"{label}_epsilon"], 1.0)
        df_num, df_den = epsilon * row["df_num"], epsilon * row["df_den"]
        result |= {f"df_num_{label}": df_num, f"df_den_{label}": df_den}
        result[f"p_{label}"] = float(f_upper(row["F"], df_num, df_den))
    return result


def _mauchly(ssp: np.ndarray, df: int, n_cells: int) -> tuple[float, float]:
    k = len(ssp)
    w = float(np.linalg.det(ssp) / (np.trace(ssp) / k) ** k)
    if w <= 0:  # the differences lie in fewer dimensions than there are, up to rounding
        return 0.0, 0.0
    rho = 1 - (2 * k**2 + k + 2) / (6 * k * df)
    # car, after R's mauchly.test, has 3 times the number of cells where Anderson's cubic has 3 k.
    # The published p values are R's, so its term is kept; it moves p in the third digit at most.
    cubic = 2 * k**3 + 6 * k**2 + 3 * n_cells + 2
    second = (k + 2) * (k - 1) * (k - 2) * cubic / (288 * (df * k * rho) ** 2)
    z = -df * rho * np.log(w)
    f = k * (k + 1) / 2 - 1
    first = chi_square_upper(z, f)
    return w, first + second * (chi_square_upper(z, f + 4) - first)
