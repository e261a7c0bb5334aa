"""A fit as text, as statisticians expect it when they print one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twolevel.random.edges import edges
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
        f"Linear mixed model, fitted by {ESTIMATION[fit.method].name} ({fit.method})",
        f"Formula:  {fit.design.formula} + {fit.random}",
        f"Subjects: {len(fit.design.all_subjects):,} ({fit.design.subject}), "
        f"observations: {fit.nobs:,}",
        "",
        _criterion(fit),
        "",
        "Random effects:",
        _indented(_variances(fit)),
        *([_boundary(fit)] if fit.boundary else []),
        "",
        f"Fixed effects (df: {fit.standard_df}):",
        _indented(_coefficients(fit.coef_table())),
    ]
    return "\n".join(lines)


def summary(fit: MixedFit, level: float) -> Summary:
    """All but what belongs to single rows and subjects; the text adds tests of terms and R^2."""
    values = {
        "formula": fit.design.formula,
        "random": fit.random,
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
    """As lme4 prints them: beside each effect its correlations with those above it in its term."""
    table = fit.varcorr
    effects = table[table["var2"].isna()].drop(columns="var2")
    effects = effects.set_axis(["group", "name", "variance", "sd"], axis=1)
    effects["group"] = effects["group"].where(~effects["group"].duplicated(), "")
    effects.iloc[-1, 0] = "residual"
    correlations = table.dropna(subset=["var2"])
    if len(correlations):
        with_others: dict[tuple[str, str], list[str]] = {}
        for row in correlations.itertuples():
            with_others.setdefault((row.grp, row.var2), []).append(f"{row.sdcor:.3f}")
        keys = zip(table["grp"][effects.index], effects["name"], strict=True)
        effects["corr"] = [" ".join(with_others.get(key, [])) for key in keys]
    return effects.fillna({"name": ""}).to_string(index=False, float_format="{:.6g}".format)


def _boundary(fit: MixedFit) -> str:
    """Which variances are 0, and which correlations 1 or -1."""
    rows = fit.varcorr.astype(object).where(fit.varcorr.notna(), None)
    zero, perfect = edges(rows.itertuples())
    said = [f"variance of {row.var1} ({row.grp}) = 0" for row in zero]
    said += [f"correlation of {r.var1} and {r.var2} ({r.grp}) = {r.sdcor:.0f}" for r in perfect]
    which = "; ".join(said) or "effects of a term determine each other"
    return f"A boundary fit: {which}."


def _coefficients(table: pd.DataFrame) -> str:
    return _with_p(table.drop(columns=["ci_low", "ci_high"]))


def _with_p(table: pd.DataFrame) -> str:
    p = [f"{value:.4f}" if not value < 1e-4 else "< 0.0001" for value in table["p"]]
    return table.assign(p=p).rename_axis(None).to_string(float_format="{:.6g}".format)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
