"""The predicted random effects as the table that a study publishes."""

from __future__ import annotations

import pandas as pd

from twolevel.mixed import MixedFit


def effects_table(fit: MixedFit) -> pd.DataFrame:
    """The effects of subjects, and of what is nested in them, with their standard deviations.

    With a random intercept alone a row for each subject: subject, n, deviation, random_effect, se
    (see `MixedFit.random_effects`). Else a row for each effect of each level, as lme4's
    `as.data.frame(ranef(fit))`: grouping, level (those of several factors joined by colons),
    effect, deviation, random_effect, se.
    """
    if fit.random_part.is_intercept:
        return fit.random_effects.reset_index()
    tables = {fit.design.subject: fit.random_effects, **fit.nested_effects}
    parts = []
    for term in fit.random_part.terms:
        grouping = ":".join(term.grouping)
        table = tables[grouping]
        keys = table.index.to_frame(index=False).astype(str)
        levels = keys.iloc[:, 0].str.cat([keys[name] for name in keys.columns[1:]], sep=":")
        for effect in term.effects:
            columns = {
                "deviation": table[f"deviation_{effect}"],
                "random_effect": table[effect],
                "se": table[f"se_{effect}"],
            }
            named = {"grouping": grouping, "level": levels.to_numpy(), "effect": effect}
            parts.append(pd.DataFrame({**named, **{k: v.to_numpy() for k, v in columns.items()}}))
    return pd.concat(parts, ignore_index=True)
