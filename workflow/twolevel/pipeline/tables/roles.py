"""What each column is to the model, what the project calls it, and when there can be no model."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from twolevel.pipeline.tables.stored import POSITION
from twolevel.pipeline.tables.survey import MAX_NUMERIC_CONDITIONS, Survey
from twolevel.pipeline.tables.table_files import columns_needed
from twolevel.random.bars import read_bars
from twolevel.text.errors import InputError, quoted

MAX_LEVELS = 1000
# The response differs by as many steps of its last digit at least, or rounding is what is analysed.
FEWEST_STEPS = 1000


def refuse_unfit(
    survey: Survey, labels: Mapping[str, pd.Index], formula: str, subject: str, where: str
) -> None:
    """Refuse observations to which no model can be fitted; `labels` are those of each factor."""
    names, subjects = read_bars(formula).names, labels[subject]
    column = f"{where}: column {quoted(subject)}"
    if len(subjects) == 1:
        raise InputError(
            f"{column}: found one subject only ({quoted(subjects[0])}), expected at least "
            "two; name the right column in subject: or add subjects"
        )
    if len(subjects) == survey.complete:
        raise InputError(
            f"{column}: every subject has one row only, so that sigma_between and sigma_within "
            "cannot be told apart; name the right column in subject: or add repeated measurements "
            "(if the conditions are columns of their own, name them in wide:)"
        )
    for name in names.variables:
        if name in labels and len(labels[name]) > MAX_LEVELS:
            raise InputError(
                f"{where}: column {quoted(name)}: found {len(labels[name]):,} different labels, "
                f"expected at most {MAX_LEVELS:,} levels of a factor; name the right column in the "
                "formula"
            )
    single = {name: found[0] for name, found in labels.items() if len(found) == 1}
    for name, numbers in survey.columns.items():
        if name not in labels and numbers.lowest == numbers.highest:
            single[name] = numbers.lowest
    for name in (names.response, *names.variables):
        if name not in single:
            continue
        found = f"{where}: column {quoted(name)}: every row holds {quoted(single[name])}"
        if name == names.response:
            raise InputError(f"{found}, expected a response that varies; name the right column")
        raise InputError(
            f"{found}, expected at least two levels; leave it out of the formula"
            f"{_without(formula, single.keys() & set(names.variables))}"
        )
    response = survey.columns[names.response]
    low, high = response.lowest, response.highest
    step = np.spacing(max(abs(low), abs(high)))
    if high - low < FEWEST_STEPS * step:
        raise InputError(
            f"{where}: column {quoted(names.response)}: lies between {low:.17g} and {high:.17g}, "
            f"where numbers differ by {step:.2g} at least, so that their last digits are lost; "
            "subtract a constant from all of them in the table"
        )


def condition_of(
    survey: Survey, labels: Mapping[str, pd.Index], varying: Collection[str], formula: str
) -> str | None:
    """The condition, where the study names none.

    It is the first variable that is a factor and varies within subjects, else the first number with
    few values that does; None where no variable is either.
    """
    within = [name for name in read_bars(formula).names.variables if name in varying]
    factors = [name for name in within if name in labels]
    few = [
        name
        for name in within
        if name not in labels and len(survey.columns[name].distinct) <= MAX_NUMERIC_CONDITIONS
    ]
    return next(iter([*factors, *few]), None)


def stored_names(formula: str, subject: str, condition: str | None) -> dict[str, str]:
    """The project's name for each column, with the user's."""
    columns = {"subject": subject, "response": read_bars(formula).names.response}
    if condition is not None:
        columns = {"subject": subject, "condition": condition, "response": columns["response"]}
    used = columns_needed(formula, subject)
    for name in used:
        if name not in columns.values():
            stored = name
            while (
                stored in ("subject", "condition", "response", POSITION)
                or stored in columns
                or (stored != name and stored in used)
            ):
                stored += "_"
            columns[stored] = name
    return columns


def _without(formula: str, gone: Collection[str]) -> str:
    """A formula without some variables, in words; nothing where it has more than names, + and *."""
    left, right = formula.split("~")
    products = [[name.strip() for name in part.split("*")] for part in right.split("+")]
    if not all(re.fullmatch(r"[^\W\d]\w*|`[^`]*`", n) for part in products for n in part):
        return " and keep its other terms"
    kept = [[name for name in part if name.strip("`") not in gone] for part in products]
    terms = " + ".join(dict.fromkeys(" * ".join(part) for part in kept if part))
    return f", which is then {left.strip()} ~ {terms or 1}"
