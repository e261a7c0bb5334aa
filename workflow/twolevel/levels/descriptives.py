"""What a paper says of the data before any model: n, mean and SD in each cell, and variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix

# Cells up to which those of all factors are described; beyond, the condition's alone.
MOST_CELLS = 1_000


@dataclass(frozen=True, eq=False)
class DescribedVariable:
    """A variable of the formula: a factor with its levels, or a number (levels is None).

    within says that it varies within subjects. mean, sd, low and high of a number are those of
    subjects where it does not, else of rows; None of a factor, and sd of a single value.
    """

    name: str
    within: bool
    levels: list | None
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class Descriptives:
    """The formula's variables, and the response in each cell of those named in `by`.

    cells has a row for each combination of levels that occurs, each level of each factor alone and
    all rows together, with the levels (None for all) under the names in `by`: n_subjects, n_rows,
    and mean and sd of the subjects' means in the cell, in the response's unit (sd is NaN of one).
    """

    variables: list[DescribedVariable]
    by: list[str]
    cells: list[dict]

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return vars(self)

    def table(self) -> pd.DataFrame:
        """The cells, with a column for each factor."""
        own = {"n_subjects", "n_rows", "mean", "sd"}
        names = [f"factor {name}" if name in own else name for name in self.by]
        rows = []
        for cell in self.cells:
            levels = ["" if level is None else str(level) for level in cell["levels"]]
            rows.append(dict(zip(names, levels, strict=True)) | cell)
        return pd.DataFrame(rows).drop(columns="levels")


def descriptives(design: DesignMatrix, condition: str | None) -> Descriptives:
    """Describe the variables and cells of a design (N rows; of shards, those of their sample).

    Cells are those of all factors, those between subjects first, and of the condition, which may be
    a number.
    """
    variables = [_variable(design, name) for name in design.data]
    kept = [each for each in variables if each.levels is not None or each.name == condition]
    by = [each.name for each in sorted(kept, key=lambda each: each.within)]
    if len(by) > 1 and len(design.data[by].drop_duplicates()) > MOST_CELLS:
        by = [name for name in by if name == condition]
    margins = [[name] for name in by] if len(by) > 1 else []
    parts = [[*by], *margins, *([[]] if by else [])]
    return Descriptives(variables, by, [row for part in parts for row in _cells(design, by, part)])


def _variable(design: DesignMatrix, name: str) -> DescribedVariable:
    within = design.varies_within(name)
    if design.is_factor(name):
        return DescribedVariable(name, within, design.levels(name))
    values = design.data[name].to_numpy(float)
    values = values if within else values[design.first_rows]
    sd = float(values.std(ddof=1)) if len(values) > 1 else None
    return DescribedVariable(
        name, within, None, float(values.mean()), sd, float(values.min()), float(values.max())
    )


def _cells(design: DesignMatrix, by: Sequence[str], part: Sequence[str]) -> list[dict]:
    """The rows of the cells of some of the variables, the others being all."""
    levels = [design.levels(name) for name in part]
    codes = np.zeros(len(design.response), dtype=np.int64)
    for name, own in zip(part, levels, strict=True):
        codes = codes * len(own) + pd.Categorical(design.data[name], categories=own).codes
    found, codes = np.unique(codes, return_inverse=True)
    places = np.unravel_index(found, [len(own) for own in levels]) if part else []
    C, n = len(found), len(design.subjects)
    cell_of = design.codes * C + codes
    counts = np.bincount(cell_of, minlength=n * C).reshape(n, C)
    # From a value amid the others, so that an offset costs no digits.
    origin = design.response.mean()
    sums = np.bincount(cell_of, design.response - origin, minlength=n * C).reshape(n, C)
    rows = []
    for k in range(C):
        seen = counts[:, k] > 0
        means = sums[seen, k] / counts[seen, k]
        named = {
            name: values[place[k]] for name, values, place in zip(part, levels, places, strict=True)
        }
        rows.append(
            {
                "levels": [named.get(name) for name in by],
                "n_subjects": int(seen.sum()),
                "n_rows": int(counts[:, k].sum()),
                "mean": float(origin + means.mean()),
                "sd": float(means.std(ddof=1)) if seen.sum() > 1 else np.nan,
            }
        )
    return rows
