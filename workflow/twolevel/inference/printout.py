"""A fit as text, as statisticians expect it when they print one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twolevel.text.methods import ESTIMATION

if TYPE_CHECKING:
    from twolevel.mixed import MixedFit


class Summary(dict):
    """What a fit's summary holds, as plain values and tables, which prints as text."""

    def __init__(self, values: dict, text: str) -> None:
        """Hold values, and the text that they print as."""
        super().__init__(values)
        self._text = text

    def __repr__(self) -> str:
        """The text."""
        return self._text


def model_text(fit: MixedFit) -> str:
    """The model, its criterion, the variances and the coefficients."""
    lines = [
        "Linear mixed model with a random intercept, fitted by "
        f"{ESTIMATION[fit.method].name} ({fit.method})",
        f"Formula:  {fit.design.formula}",
        f"Subjects: {len(fit.design.all_subjects):,} ({fit.design.subject}), "
        f"observations: {fit.nobs:,}",
        "",
        _criterion(fit),
        "",
        "Random effects:",
        _indented(_variances(fit)),
        *(
            ["The variance between subjects is estimated as exactly 0 (a boundary fit)."]
            if fit.boundary
            else []
        ),
        "",
        f"Fixed effects (df: {fit.standard_df}):",
        _indented(_coefficients(fit.coef_table())),
    ]
    return "\n".join(lines)


def summary(fit: MixedFit, level: float) -> Summary:
    """All but what belongs to single rows and subjects; the text adds tests of terms and R^2."""
    values = {
        "formula": fit.design.formula,
        "n_subjects": len(fit.design.all_subjects),
        "nobs": fit.nobs,
        **fit.variance_components(),
        "r2": fit.r2()["r2"],
        "grand_mean": fit.means(level=level).iloc[0],
        "coefficients": fit.coef_table(level=level),
        "cov_params": fit.cov_params,
        "anova": fit.anova(),
    }
    r2 = values["r2"]
    lines = [
        model_text(fit),
        "",
        f"Tests of terms (Type III, df: {fit.standard_df}):",
        _indented(_with_p(values["anova"])),
        "",
        f"ICC {fit.icc:.3f}, design effect {fit.design_effect:.3f}, "
        f"R² marginal {r2['marginal']:.3f}, conditional {r2['conditional']:.3f}",
    ]
    return Summary(values, "\n".join(lines))


def _criterion(fit: MixedFit) -> str:
    return (
        f"{ESTIMATION[fit.method].criterion}: {-2 * fit.llf:.4f}, "
        f"log-likelihood: {fit.llf:.4f}, AIC: {fit.aic:.4f}, BIC: {fit.bic:.4f}"
    )


def _variances(fit: MixedFit) -> str:
    table = fit.varcorr.set_axis(["group", "name", "to", "variance", "sd"], axis=1).drop(
        columns="to"
    )
    table.iloc[-1, 0] = "residual"
    return table.fillna({"name": ""}).to_string(index=False, float_format="{:.6g}".format)


def _coefficients(table: pd.DataFrame) -> str:
    return _with_p(table.drop(columns=["ci_low", "ci_high"]))


def _with_p(table: pd.DataFrame) -> str:
    p = [f"{value:.4f}" if not value < 1e-4 else "< 0.0001" for value in table["p"]]
    return table.assign(p=p).rename_axis(None).to_string(float_format="{:.6g}".format)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
