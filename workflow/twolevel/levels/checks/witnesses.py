"""Other programs' fits of the same model beside ours: witnesses, never the source of a number.

statsmodels' MixedLM maximises the same likelihood with the same constants, so that the higher
log-likelihood is the better fit. Its AnovaRM knows complete designs of factors within subjects and
no further terms, and gives each term an error of its own. Both are called with the data that we
fitted. Programs that drop subjects with an empty cell, as pingouin does, are not called: what is
left is put to our own ANOVA.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import prod
from typing import Any, get_args

import numpy as np
import pandas as pd

from twolevel.design.formula import parse
from twolevel.design.terms import made_of
from twolevel.mixed import MixedFit, fit_design
from twolevel.model.likelihood import Method
from twolevel.strata.anova import NotPartitioned, partition_errors
from twolevel.strata.condition_covariance import cell_means
from twolevel.text.errors import InputError
from twolevel.text.numbers import positional

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

COLUMNS = [
    *("witness", "method", "status", "sigma_between", "sigma_within", "llf", "our_llf"),
    *("difference", "F", "our_F", "said", "sentence"),
]


def call_witnesses(
    formula: str, data: pd.DataFrame, subject: str, fit: MixedFit, condition: str | None
) -> pd.DataFrame:
    """Ask MixedLM (REML and ML) and AnovaRM for the model of `fit`, a fit of the same table.

    One row per question: witness, method; status; sigma_between, sigma_within, llf, our_llf and
    their difference (the witness's less ours); F of the first factor and our_F, the ANOVA's; said,
    the witness's own warnings or refusal; sentence, all this in plain words. status is "agrees",
    "lower" or "higher" (the witness's likelihood, against ours), "differs" (its F), "averaged" (it
    took means of cells), "own errors" (it gave each of several factors one), "drops" (what it
    leaves of the subjects), "refused", or "not asked".
    """
    rows = [_mixed_lm(fit, method) for method in get_args(Method)]
    rows.append(_anova_rm(formula, data, subject, fit, condition))
    if condition is not None and (row := _dropping(formula, data, subject, fit, condition)):
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _mixed_lm(fit: MixedFit, method: str) -> dict:
    row = {"witness": "statsmodels MixedLM", "method": method}
    n, N, p = len(fit.design.all_subjects), fit.nobs, len(fit.params)
    many = n > MOST_SUBJECTS or N > MOST_ROWS or N * p > MOST_IN_X
    if many or fit.design.whole is not None:
        words = f"MixedLM was not asked: with {n:,} subjects, {N:,} rows and {p:,} coefficients it "
        words += "may take long."
        return row | {"status": "not asked", "said": "", "sentence": words}
    ours = fit if fit.method == method else fit_design(fit.design, method)
    row["our_llf"] = ours.llf

    def ask() -> Any:
        from statsmodels.regression.mixed_linear_model import MixedLM

        model = MixedLM(fit.design.response, fit.design.X, groups=fit.design.codes)
        return model.fit(reml=method == "REML")

    found, said = _listen(ask)
    if found is None or not np.isfinite(found.llf):
        words = "MixedLM finds no fit of these data; ours does not depend on it."
        return row | {"status": "refused", "said": said, "sentence": words}
    difference = float(found.llf) - ours.llf
    row |= {
        "sigma_between": float(np.sqrt(found.cov_re[0, 0])),
        "sigma_within": float(np.sqrt(found.scale)),
        "llf": float(found.llf),
        "difference": difference,
        "said": said,
    }
    if abs(difference) <= SAME + 1e-9 * abs(ours.llf):
        words = "MixedLM finds the same optimum: the log-likelihoods agree to rounding."
        return row | {"status": "agrees", "sentence": words}
    gap = positional(abs(difference), 2)
    if difference > 0:
        words = f"MixedLM's log-likelihood is {gap} higher than ours: ours is not the optimum."
        return row | {"status": "higher", "sentence": f"{words} Please report this."}
    words = f"MixedLM stops {gap} below our log-likelihood, short of the optimum"
    if found.converged:
        words += ", and reports convergence"
    words += "; near a boundary it is known to. Nothing is wrong with the data."
    return row | {"status": "lower", "sentence": words}


def _anova_rm(
    formula: str, data: pd.DataFrame, subject: str, fit: MixedFit, condition: str | None
) -> dict:
    row = {"witness": "statsmodels AnovaRM", "method": "ANOVA", "said": ""}
    design, within = fit.design, list(fit.design.data)
    known = all(design.is_factor(name) and design.varies_within(name) for name in within)
    if condition is None or not known:
        words = "AnovaRM was not asked: it knows factors within subjects only, and no other terms."
        return row | {"status": "not asked", "sentence": words}
    levels = [design.data[name].cat.codes.to_numpy() for name in within]
    sizes = [len(design.levels(name)) for name in within]
    if len(design.subjects) * prod(sizes) > MOST_CELLS or design.whole is not None:
        words = f"AnovaRM was not asked: {fit.nobs:,} rows need too much time and memory there."
        return row | {"status": "not asked", "sentence": words}
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
    row["said"] = said
    if found is None:
        of = "every level" if len(within) == 1 else "every combination of levels"
        words = f"AnovaRM refuses: it needs every subject under {of}, once."
        return row | {"status": "refused", "sentence": words}
    if len(within) > 1:
        return row | _own_errors(found, dict(zip(names, within, strict=True)), fit, averaged)
    row["F"] = float(found["F Value"].iloc[0])
    try:
        row["our_F"] = float(partition_errors(formula, data, subject).table["F"].iloc[0])
        complete = True
    except NotPartitioned:
        row["our_F"] = float(fit.anova()["F"].iloc[0])
        complete = False
    theirs, ours = positional(row["F"], 4), positional(row["our_F"], 4)
    if not complete:
        # AnovaRM counts the rows of each level, not whether every subject has one there.
        words = f"AnovaRM takes these data for complete, which they are not: its F, {theirs}, "
        words += f"has no meaning here. The mixed model's is {ours}."
        return row | {"status": "differs", "sentence": words}
    if averaged:
        words = f"AnovaRM takes the mean of every cell first; its F is then {theirs}, where the "
        words += f"ANOVA of all observations has {ours}."
        return row | {"status": "averaged", "sentence": words}
    if abs(row["F"] - row["our_F"]) <= SAME * max(abs(row["our_F"]), SAME):
        words = "AnovaRM has the same F as the ANOVA with partitioned errors."
        return row | {"status": "agrees", "sentence": words}
    words = f"AnovaRM's F is {theirs}, that of the ANOVA here {ours}."
    return row | {"status": "differs", "sentence": words}


def _own_errors(
    found: pd.DataFrame,
    names: dict[str, str],
    fit: MixedFit,
    averaged: bool,
) -> dict:
    """AnovaRM's tests of several factors within subjects, each against its own error."""
    asked = fit.anova()
    of_variables = {frozenset(variables): term for term, variables in made_of(fit.design).items()}
    parts = []
    for label, row in found.iterrows():
        variables = [names[name] for name in str(label).split(":")]
        term = of_variables.get(frozenset(variables))
        theirs = f"F({row['Num DF']:g}, {row['Den DF']:g}) = {positional(row['F Value'], 4)}"
        theirs += f", p {_p(row['Pr > F'])}"
        name = " × ".join(variables)
        beside = "" if term is None else f" (here {positional(asked.loc[term, 'F'], 4)})"
        parts.append(f"{theirs} for {name}{beside}")
    first = of_variables.get(frozenset([next(iter(names.values()))]))
    words = "AnovaRM gives each factor within subjects and each interaction an error of its own"
    words += ", after taking the mean of every cell: " if averaged else ": "
    words += f"{'; '.join(parts)}. The model of this page has one error for all of them."
    return {
        "status": "own errors",
        "F": float(found["F Value"].iloc[0]),
        "our_F": None if first is None else float(asked.loc[first, "F"]),
        "sentence": words,
    }


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"= {value:.4f}"


def _dropping(
    formula: str, data: pd.DataFrame, subject: str, fit: MixedFit, condition: str
) -> dict | None:
    """The ANOVA of the subjects without an empty cell, which is all that some programs look at."""
    term = fit.design.term_of(condition)
    large = fit.nobs > MOST_DROPPED or fit.design.whole is not None
    if term is None or large or not fit.design.is_factor(condition):
        return None
    complete = cell_means(fit.design, condition).notna().all(axis=1).to_numpy()
    if complete.all():
        return None
    kept = data[complete[fit.design.codes]]
    n, N = len(complete), fit.nobs
    row = {"witness": "pingouin's subjects, our ANOVA", "method": "complete subjects"}
    row |= {"status": "drops", "said": ""}
    words = "Programs such as pingouin, with its rm_anova and mixed_anova, drop every subject that "
    words += f"has an empty cell, here {n - complete.sum():,} of {n:,} subjects with "
    words += f"{N - len(kept):,} of {N:,} observations."
    row["our_F"] = float(fit.anova().loc[term, "F"])
    names = parse(formula)
    try:
        means = kept.groupby([subject, *names.variables], observed=True, sort=False)
        means = means[names.response].mean().reset_index()
        row["F"] = float(partition_errors(formula, means, subject).table.loc[term, "F"])
    except InputError:
        return row | {"sentence": f"{words} What is left allows no ANOVA."}
    words += f" In what is left, the F of {condition} is {positional(row['F'], 4)} by our ANOVA"
    if len(fit.design.terms) > 2:  # it does not adjust the condition for groups of unequal size
        words += " (pingouin's own may differ where groups differ in size)"
    words += f", and {positional(row['our_F'], 4)} in the mixed model of all observations."
    return row | {"sentence": words}


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
