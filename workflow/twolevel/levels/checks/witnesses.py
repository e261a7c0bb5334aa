"""Other programs' fits of the same model, compared with ours: never the source of a number.

statsmodels' MixedLM maximises the same likelihood with the same constants, so that the higher
log-likelihood is the better fit. Its AnovaRM knows complete designs of factors within subjects and
no further terms, and gives each term an error of its own. Both are called with the data that we
fitted. Programs that drop subjects with an empty cell, as pingouin does, are not called: what is
left is put to our own ANOVA.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, get_args

import numpy as np
import pandas as pd

from twolevel.design.formula import parse
from twolevel.design.terms import made_of
from twolevel.levels.checks.mixed_lm import intercept_sd, random_arguments
from twolevel.mixed import MixedFit
from twolevel.random.bars import read_bars
from twolevel.strata.anova import NotPartitioned, partition_errors
from twolevel.strata.condition_covariance import cell_means
from twolevel.text.errors import InputError
from twolevel.text.methods import Method

# MixedLM's time grows with the subjects, and with the rows times the coefficients: beyond these it
# may take long. 360 rows with 120 coefficients take half a second, 3,000 with 300 over a minute.
MOST_SUBJECTS = 500
MOST_ROWS = 5_000
MOST_IN_X = 200_000
# AnovaRM decomposes a matrix of as many rows as columns: its time grows with the cube of the cells,
# its memory with the square. 1,500 take 1 s, 3,000 take 5 s, 30,000 would take more than 7 GB.
MOST_CELLS = 3_000
# Rows beyond which the ANOVA of complete subjects takes seconds.
MOST_DROPPED = 1_000_000
SAME = 1e-6  # F values relatively this close are the same number, and so are log-likelihoods


@dataclass(frozen=True, eq=False)
class Witness:
    """What another program finds of the model, beside what we do (NaN for nothing).

    status is "agrees", "lower" or "higher" (its likelihood, against ours), "differs" (its F),
    "taken for complete" (it did not see that cells are empty), "drops" (it looks only at what is
    left without the subjects that have an empty cell), "refused", "not asked" (it would take long)
    or "other models" (it has none like ours).

    difference is its log-likelihood less ours; converged, whether it reports that; F is its F of
    the first factor and our_F the ANOVA's, or the mixed model's where there is no ANOVA; averaged,
    whether it took the means of cells; tests, those of all terms; left, the subjects and
    observations it keeps; said, its own warnings or its refusal.
    """

    witness: str
    method: str
    status: str
    sigma_between: float = np.nan
    sigma_within: float = np.nan
    llf: float = np.nan
    our_llf: float = np.nan
    difference: float = np.nan
    converged: bool | None = None
    F: float = np.nan
    our_F: float = np.nan
    averaged: bool | None = None
    tests: list[dict] | None = None
    left: dict[str, int] | None = None
    said: str = ""


def call_witnesses(
    formula: str, data: pd.DataFrame, subject: str, fit: MixedFit, condition: str | None
) -> list[Witness]:
    """Ask MixedLM (REML and ML) and AnovaRM for the model of `fit`, a fit of the same table.

    Where subjects have empty cells, the ANOVA of the others is added.
    """
    found = [_mixed_lm(fit, method) for method in get_args(Method)]
    found.append(_anova_rm(formula, data, subject, fit, condition))
    if condition is not None and (dropping := _dropping(formula, data, subject, fit, condition)):
        found.append(dropping)
    return found


def as_table(witnesses: list[Witness]) -> pd.DataFrame:
    """The witnesses as a flat table, a row for each."""
    nested = ["converged", "averaged", "tests", "left"]
    return pd.DataFrame(map(vars, witnesses)).drop(columns=nested)


def _mixed_lm(fit: MixedFit, method: Method) -> Witness:
    witness = partial(Witness, "statsmodels MixedLM", method)
    n, N, p = len(fit.design.all_subjects), fit.nobs, len(fit.params)
    many = n > MOST_SUBJECTS or N > MOST_ROWS or N * p > MOST_IN_X
    if many or fit.design.whole is not None:
        return witness("not asked")
    ours = fit if fit.method == method else fit.by(method)

    random = random_arguments(fit.random_columns, fit.design.codes)
    if random is None:
        return witness("other models", our_llf=ours.llf)

    def ask() -> Any:
        from statsmodels.regression.mixed_linear_model import MixedLM

        model = MixedLM(fit.design.response, fit.design.X, groups=fit.design.codes, **random)
        return model.fit(reml=method == "REML")

    found, said = _listen(ask)
    if found is None or not np.isfinite(found.llf):
        return witness("refused", our_llf=ours.llf, said=said)
    difference = float(found.llf) - ours.llf
    if abs(difference) <= SAME + 1e-9 * abs(ours.llf):
        status = "agrees"
    else:
        status = "higher" if difference > 0 else "lower"
    return witness(
        status,
        sigma_between=intercept_sd(fit.random_columns, found.cov_re),
        sigma_within=float(np.sqrt(found.scale)),
        llf=float(found.llf),
        our_llf=ours.llf,
        difference=difference,
        converged=bool(found.converged),
        said=said,
    )


def _anova_rm(
    formula: str, data: pd.DataFrame, subject: str, fit: MixedFit, condition: str | None
) -> Witness:
    witness = partial(Witness, "statsmodels AnovaRM", "ANOVA")
    design, within = fit.design, list(fit.design.data)
    known = all(design.is_factor(name) and design.varies_within(name) for name in within)
    if condition is None or not known:
        return witness("other models")
    levels = [design.data[name].cat.codes.to_numpy() for name in within]
    sizes = [len(design.levels(name)) for name in within]
    if len(design.subjects) * prod(sizes) > MOST_CELLS or design.whole is not None:
        return witness("not asked")
    cell = np.ravel_multi_index((design.codes, *levels), (len(design.subjects), *sizes))
    filled = len(np.unique(cell))
    averaged = fit.nobs > filled and (
        filled == len(design.subjects) * prod(sizes) or len(within) > 1
    )
    # Under names of ours: AnovaRM builds formulas from the columns' names.
    names = [f"within{k}" for k in range(len(within))]
    table = pd.DataFrame(
        {
            "subject": design.codes,
            "response": design.response,
            **dict(zip(names, levels, strict=True)),
        }
    ).astype({name: str for name in names})

    def ask() -> Any:
        from statsmodels.stats.anova import AnovaRM

        function = "mean" if averaged else None
        columns = ("response", "subject", names)
        return AnovaRM(table, *columns, aggregate_func=function).fit().anova_table

    found, said = _listen(ask)
    if found is None:
        return witness("refused", said=said)
    try:
        ours = partition_errors(formula, data, subject).table["F"]
    except NotPartitioned:
        # AnovaRM counts the rows of each level, not whether every subject has one there.
        ours = None
    tests = _compared(found, dict(zip(names, within, strict=True)), fit, ours)
    answer = partial(witness, F=tests[0]["F"], our_F=tests[0]["our_F"], tests=tests, said=said)
    if ours is None:
        return answer("taken for complete")
    gaps = [abs(t["F"] - t["our_F"]) > SAME * max(abs(t["our_F"]), SAME) for t in tests]
    return answer("differs" if any(gaps) else "agrees", averaged=averaged)


def _compared(
    found: pd.DataFrame, names: dict[str, str], fit: MixedFit, ours: pd.Series | None
) -> list[dict]:
    """AnovaRM's tests, each against its own error, beside the ANOVA's or else the mixed model's."""
    asked = fit.anova()["F"] if ours is None else ours
    of_variables = {frozenset(variables): term for term, variables in made_of(fit.design).items()}
    tests = []
    for label, row in found.iterrows():
        variables = [names[name] for name in str(label).split(":")]
        term = of_variables.get(frozenset(variables))
        tests.append(
            {
                "variables": variables,
                "F": float(row["F Value"]),
                "df_num": float(row["Num DF"]),
                "df_den": float(row["Den DF"]),
                "p": float(row["Pr > F"]),
                "our_F": np.nan if term is None else float(asked[term]),
            }
        )
    return tests


def _dropping(
    formula: str, data: pd.DataFrame, subject: str, fit: MixedFit, condition: str
) -> Witness | None:
    """The ANOVA of the subjects without an empty cell, which is all that some programs look at."""
    term = fit.design.term_of(condition)
    large = fit.nobs > MOST_DROPPED or fit.design.whole is not None
    if term is None or large or not fit.design.is_factor(condition):
        return None
    complete = cell_means(fit.design, [condition]).notna().all(axis=1).to_numpy()
    if complete.all():
        return None
    kept = data[complete[fit.design.codes]]
    names, F = parse(read_bars(formula).fixed), np.nan
    with suppress(InputError):  # where what is left allows no ANOVA, it has no F
        means = kept.groupby([subject, *names.variables], observed=True, sort=False)
        means = means[names.response].mean().reset_index()
        F = float(partition_errors(read_bars(formula).fixed, means, subject).table.loc[term, "F"])
    return Witness(
        witness="pingouin's subjects, our ANOVA",
        method="complete subjects",
        status="drops",
        F=F,
        our_F=float(fit.anova().loc[term, "F"]),
        left={"n_subjects": int(complete.sum()), "n_observations": len(kept)},
    )


def _listen(ask: Callable[[], Any]) -> tuple[Any, str]:
    """A witness's answer, or None where it raises, and its warnings or its refusal."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = ask()
        except Exception as refusal:  # whatever another program raises is its testimony
            return None, " ".join(f"{type(refusal).__name__}: {refusal}".split())
    messages = dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught)
    return found, "; ".join(messages)
