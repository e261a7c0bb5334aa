"""What is random in a fit, as its summary holds it: the terms, and all their variances."""

from __future__ import annotations

import pandas as pd

from twolevel.mixed import MixedFit


def random_terms(fit: MixedFit) -> list[dict]:
    """The bar terms: formula, within (what groups besides the subject), and effects."""
    subject = fit.design.subject
    return [
        {
            "formula": term.formula,
            "within": list(term.within(subject)),
            "effects": list(term.effects),
        }
        for term in fit.random_part.terms
    ]


def variance_rows(fit: MixedFit) -> pd.DataFrame:
    """`MixedFit.varcorr` with the parameter of each row: parameter, grp, var1, var2, vcov, sdcor.

    `MixedFit.variances` has the standard deviations first and then the correlations, each in the
    order of these rows.
    """
    table = fit.varcorr
    is_correlation = table["var2"].notna()
    order = [*table.index[~is_correlation], *table.index[is_correlation]]
    table.insert(0, "parameter", pd.Series(fit.variances.index[: len(table)], index=order))
    return table
