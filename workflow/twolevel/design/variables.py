"""Values of a formula's variables as arrays: what a design is computed from, row by row.

pandas takes longer to make, and to look into, a table of a few rows than numpy to compute with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

import numpy as np
import pandas as pd

Column: TypeAlias = np.ndarray | pd.Categorical


@dataclass(frozen=True, eq=False)
class Variables:
    """Columns of m rows by name: numbers as arrays (m,), factors as pandas' Categoricals."""

    columns: Mapping[str, Column]
    rows: int

    @classmethod
    def of(cls, table: pd.DataFrame) -> Variables:
        """The columns of a table (m rows) of numbers and factors."""
        columns = {
            name: values.array if is_factor(values.array) else values.to_numpy()
            for name, values in table.items()
        }
        return cls(columns, len(table))

    @property
    def factors(self) -> dict[str, pd.Categorical]:
        """Those that are factors."""
        return {name: values for name, values in self.columns.items() if is_factor(values)}

    def of_rows(self, keep: np.ndarray) -> Variables:
        """The values in some of the rows only, keep (m,)."""
        columns = {name: values[keep] for name, values in self.columns.items()}
        return Variables(columns, int(keep.sum()))

    def table(self, index: pd.Index | None = None) -> pd.DataFrame:
        """The same as a table, whose rows are numbered unless an index (m,) is given."""
        return pd.DataFrame(dict(self.columns), index=range(self.rows) if index is None else index)


def is_factor(values: object) -> TypeGuard[pd.Categorical]:
    """Whether values are those of a factor, and not numbers."""
    return isinstance(values, pd.Categorical)


def as_float(values: Column) -> Column:
    """Integers as floats, which do not wrap; anything else as it is."""
    return values.astype(float) if values.dtype.kind in "iu" else values
