"""Each subject's numbers, which a page shows of the one that its reader chooses in a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import in_singular, is_intercept, variances
from twolevel.text.literal import plain
from twolevel.text.numbers import significant

# Of more than this nobody looks for one, and pages would swell.
MOST_SUBJECTS = 200

Row = Mapping[str, str]


def each_subject(
    found: Results, subjects: Sequence[Row], effects: Sequence[Row], influence: Sequence[Row]
) -> dict[str, Any]:
    """Columns in words, and a row of each subject: its name as figures bear it, then its numbers.

    From the rows of the tables subjects.csv, random_effects.csv and influence.csv.
    """
    unit = f" ({found.unit})" if found.unit else ""
    kind = _of_intercepts if is_intercept(found.mixed) else _of_own_effects
    columns, values_of = kind(found, effects, unit)
    # Of a table in parts, only the subjects of its sample are left out one by one.
    distances = {row["subject"]: row["cooks_distance"] for row in influence}
    return {
        "columns": ["observations", f"own mean{unit}", *columns, "Cook’s distance"],
        "rows": [
            [
                plain(row["subject"]),
                row["n"],
                significant(_number(row["subject_mean"]), 4),
                *(significant(value, 4) for value in values_of(row)),
                significant(_number(distances.get(row["subject"], ""))),
            ]
            for row in subjects
        ],
    }


_Kind = tuple[list[str], Callable[[Row], list[float | None]]]


def _of_intercepts(found: Results, effects: Sequence[Row], unit: str) -> _Kind:
    """With a random intercept alone: the deviation d_i, the prediction S_i and what it makes of
    the mean, mu_i - (d_i - S_i)."""
    of = {row["subject"]: row for row in effects}

    def values(row: Row) -> list[float | None]:
        own = of[row["subject"]]
        deviation, predicted = float(own["deviation"]), float(own["random_effect"])
        return [float(row["subject_mean"]) - deviation + predicted, deviation, predicted]

    return [f"shrunken mean{unit}", f"own deviation{unit}", f"predicted, BLUP{unit}"], values


def _of_own_effects(found: Results, effects: Sequence[Row], _: str) -> _Kind:
    """With more: of each effect of the subjects themselves, its deviation and its prediction."""
    own = [each for each in variances(found.mixed)[:-1] if not each.is_correlation]
    own = [each for each in own if not each.own[0].within]
    group = found.design.columns["subject"]
    of = {(row["effect"], row["level"]): row for row in effects if row["grouping"] == group}

    def values(row: Row) -> list[float | None]:
        rows = [of[str(each.row.var1), row["subject"]] for each in own]
        return [_number(row[key]) for row in rows for key in ("deviation", "random_effect")]

    names = [in_singular(each.called(str)) for each in own]
    columns = [f"{what} of {name}" for name in names for what in ("own deviation", "BLUP")]
    return columns, values


def _number(text: str) -> float | None:
    return float(text) if text else None
