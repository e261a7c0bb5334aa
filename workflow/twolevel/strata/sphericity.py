"""Sphericity of the conditions' covariance: Mauchly's test, Greenhouse-Geisser, Huynh-Feldt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.numeric.standardised import power_of_two
from twolevel.numeric.tails import chi_square_upper, f_upper
from twolevel.strata.condition_covariance import cell_means, residual_covariance


@dataclass(frozen=True, eq=False)
class Sphericity:
    """Mauchly's W with its p value (None where it is not defined), the two epsilons, corrections.

    corrected is indexed by the terms it applies to: F, p_gg and p_hf, and df_num_gg and df_den_gg,
    the degrees of freedom that belong to p_gg.
    """

    variable: str
    mauchly_w: float | None
    mauchly_p: float | None
    gg_epsilon: float
    hf_epsilon: float
    corrected: pd.DataFrame


def sphericity(design: DesignMatrix, table: pd.DataFrame) -> Sphericity | None:
    """Test and correct the within-subject F tests of `table` (see `anova.PartitionedErrors`).

    Defined for one within-subject factor; None otherwise. Formulas as in car's Anova (Mauchly
    1940 with the second-order approximation of Anderson 1958, sec. 10.7; Greenhouse & Geisser
    1959; Huynh & Feldt 1976), with the covariance pooled within groups. Corrected p values use
    an epsilon of at most 1. Where cells hold several observations, they are those of the tests on
    the cells' means, as afex gives them: within a cell there is nothing to correct.
    """
    within = [name for name in design.data if design.varies_within(name)]
    if len(within) != 1 or design.is_numeric(within[0]):
        return None
    (variable,) = within
    cells = cell_means(design, variable)
    observed = residual_covariance(design, cells)
    if observed is None:
        return None
    k, df = cells.shape[1] - 1, observed.df
    contrasts = np.linalg.qr(np.eye(k + 1)[:, :k] - 1 / (k + 1))[0]  # (J, J-1), orthonormal
    unit = power_of_two(np.sqrt(np.diag(observed.matrix)))
    S = contrasts.T @ (observed.matrix.to_numpy() / unit / unit) @ contrasts  # (J-1, J-1)
    trace = np.trace(S)
    if trace == 0:
        return None
    gg = float(trace**2 / (k * np.sum(S * S)))
    denominator = k * (df - k * gg)
    # Above 1 the estimate means 1; a denominator of 0 or less sends it past every bound.
    hf = ((df + 1) * k * gg - 2) / denominator if denominator > 0 else 1.0
    w, p = (None, None) if k < 2 or df < k else _mauchly(S * df, df)
    terms = table[table["stratum"] == "within"]
    per_cell = design.nobs / cells.size
    if per_cell > 1:
        error = per_cell * trace / k  # on the scale of single observations
        ss = terms["ss"] / unit / unit
        terms = terms.assign(F=ss / terms["df_num"] / error, df_den=df * k)
    corrected = terms[["F"]].copy()
    for label, epsilon in (("gg", min(gg, 1)), ("hf", min(hf, 1))):
        dfs = [epsilon * terms["df_num"], epsilon * terms["df_den"]]
        if label == "gg":
            corrected["df_num_gg"], corrected["df_den_gg"] = dfs
        corrected[f"p_{label}"] = [
            float(f_upper(*row)) for row in zip(terms["F"], *dfs, strict=True)
        ]
    return Sphericity(
        variable=variable,
        mauchly_w=w,
        mauchly_p=p,
        gg_epsilon=gg,
        hf_epsilon=float(hf),
        corrected=corrected.rename_axis("term"),
    )


def _mauchly(ssp: np.ndarray, df: int) -> tuple[float, float]:
    k = len(ssp)
    w = float(np.linalg.det(ssp) / (np.trace(ssp) / k) ** k)
    if w <= 0:  # the differences lie in fewer dimensions than there are, up to rounding
        return 0.0, 0.0
    rho = 1 - (2 * k**2 + k + 2) / (6 * k * df)
    # R's mauchly.test, and with it car and afex, has 3 J where Anderson's cubic has 3 k. The
    # published p values are R's, so its term is kept; it moves p in the third digit at most.
    cubic = 2 * k**3 + 6 * k**2 + 3 * (k + 1) + 2
    second = (k + 2) * (k - 1) * (k - 2) * cubic / (288 * (df * k * rho) ** 2)
    z = -df * rho * np.log(w)
    f = k * (k + 1) / 2 - 1
    first = chi_square_upper(z, f)
    return w, first + second * (chi_square_upper(z, f + 4) - first)
