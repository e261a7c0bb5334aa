"""A user's columns as the model takes them: subjects, a response, numbers and factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.variables import Column, is_factor
from twolevel.numeric.standardised import as_numbers
from twolevel.text.errors import InputError, did_you_mean, listed

# Levels up to which a factor's are kept in their order, and of how many factors.
_MOST_LEVELS, _MOST_KEPT = 256, 64


def columns_of(
    data: Any, columns: Sequence[str], place: str
) -> tuple[dict[str, pd.Series], pd.Index]:
    """The named columns of a table, and the index of its rows.

    The table is a DataFrame of any library that narwhals reads, or a mapping.

    Raises InputError for anything else, and for columns that are missing or occur twice.
    """
    if isinstance(data, Mapping):
        try:
            data = pd.DataFrame(dict(data))
        except ValueError as error:
            raise InputError(
                f"{place}: the table is a mapping whose columns make no table: {error}; give every "
                "column one value for each row"
            ) from None
    elif not isinstance(data, pd.DataFrame):
        import narwhals.stable.v1 as nw

        native = nw.from_native(data, pass_through=True)
        if isinstance(native, nw.LazyFrame):
            native = native.collect()
        if not isinstance(native, nw.DataFrame):
            raise InputError(
                f"{place}: found a {type(data).__name__} for the table, expected a DataFrame (of "
                "pandas, polars, pyarrow or the like) or a dict of columns"
            )
        wanted = [name for name in dict.fromkeys(columns) if name in native.columns]
        data = native.select(wanted).to_pandas() if len(wanted) == len(set(columns)) else data
    names, picked = list(data.columns), {}
    for name in dict.fromkeys(columns):
        found = names.count(name)
        if not found:
            raise InputError(
                f"{place}: column '{name}' is not in the table"
                f"{did_you_mean(name, map(str, data.columns))}, whose columns are "
                f"{listed(data.columns, 30)}; correct the name"
            )
        if found > 1:
            raise InputError(
                f"{place}: {found} columns of the table are called '{name}'; rename or drop "
                "all but one"
            )
        picked[name] = data[name]
    if len(data) == 0:
        raise InputError(f"{place}: the table has no rows; expected observations")
    return picked, data.index


def subjects_of(values: pd.Series, name: str) -> tuple[np.ndarray, pd.Index]:
    """Each row's subject (N,), as a position among the subjects in order of first appearance."""
    codes, subjects = values.array.factorize()
    _refuse_holes(name, codes < 0)
    return codes, pd.Index(subjects, dtype=values.dtype, name="subject")


def response_of(values: pd.Series, name: str) -> np.ndarray:
    """The response (N,) as numbers."""
    values = _unboxed(values)
    if not _is_number(values):
        raise InputError(
            f"column '{name}': the response holds {values.dtype} values, expected "
            "numbers; convert the column"
        )
    return _finite(values.to_numpy(dtype=float), name)


def factor_or_number(values: pd.Series, name: str, as_factor: bool) -> Column:
    """A variable without missing values (N,), as numbers or as a factor of the levels that occur.

    It is a copy, as a table may change while its fit is in use. Numbers of any type are numbers.
    Dates are refused, as they have no unit; what is true or false is a factor with the levels
    "False" and "True".
    """
    values = _unboxed(values)
    if _is_time(values):
        raise InputError(
            f"column '{name}': found dates or times ({values.dtype}), which have no unit; expected "
            "numbers or a factor; make it a number, as days since the first by (x - x.min()) / "
            "pandas.Timedelta('1D'), or text"
        )
    if _is_number(values) and not as_factor:
        return _finite(as_numbers(values.to_numpy()), name)
    if values.dtype.kind == "c":
        raise InputError(f"column '{name}': complex numbers; expected real ones")
    factor = _categorical(values)
    _refuse_holes(name, factor.codes < 0)
    counts = np.bincount(factor.codes, minlength=len(factor.categories))
    if not counts.all():  # an unused level would be a column of zeros
        factor = factor.remove_unused_categories()
    if factor.categories.inferred_type == "boolean":
        factor = factor.rename_categories(list(map(str, factor.categories)))
    return factor


def _categorical(values: pd.Series) -> pd.Categorical:
    """Values as a factor, whose levels are in their order where they have one."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.array.copy()
    codes, levels = values.array.factorize()
    few = len(levels) <= _MOST_LEVELS
    try:
        rank, dtype = (
            _ordered(_Levels.of(levels, values.dtype)) if few else _in_order(levels, values.dtype)
        )
    except TypeError:  # of numbers and texts mixed, pandas knows an order
        return pd.Categorical(values)
    return pd.Categorical.from_codes(rank[codes], dtype=dtype)


@dataclass(frozen=True)
class _Levels:
    """Levels as they occur, told apart by what they look like too: 1 equals 1.0 and True."""

    dtype: Any
    texts: tuple[tuple[Any, str], ...]
    found: Any = field(compare=False)

    @classmethod
    def of(cls, levels: Any, dtype: Any) -> _Levels:
        return cls(dtype, tuple((level, repr(level)) for level in levels), levels)


@lru_cache(_MOST_KEPT)
def _ordered(levels: _Levels) -> tuple[np.ndarray, pd.CategoricalDtype]:
    # pandas takes longer to check the levels of a small study than the study takes to fit.
    return _in_order(levels.found, levels.dtype)


def _in_order(found: Any, dtype: Any) -> tuple[np.ndarray, pd.CategoricalDtype]:
    """The rank of each level among all, that of a missing one (-1) last, and the factor's type."""
    levels = pd.Index(found, dtype=dtype)
    order = levels.argsort()
    rank = np.empty(len(levels) + 1, dtype=np.intp)
    rank[order], rank[-1] = np.arange(len(levels)), -1
    return rank, pd.CategoricalDtype(levels[order])


def _finite(numbers: np.ndarray, name: str) -> np.ndarray:
    """Numbers (N,), none of which is missing or infinite."""
    if not np.isfinite(numbers).all():
        _refuse_holes(name, np.isnan(numbers))
        raise InputError(f"column '{name}': infinite values; expected finite numbers")
    return numbers


def like(values: pd.Series, known: Column, name: str) -> Column:
    """New values of a variable that a fit knows, of the same kind and with the same levels."""
    found = factor_or_number(values, name, is_factor(known) and not is_factor(values.array))
    if not is_factor(known):
        if is_factor(found):
            raise InputError(f"column '{name}': found {values.dtype} values, expected numbers")
        return found
    assert is_factor(found)
    levels = known.categories
    unknown = [level for level in found.categories if level not in levels]
    if unknown:
        raise InputError(
            f"column '{name}': found the level '{unknown[0]}', which the fit has not seen; "
            f"expected one of {listed(levels, 30)}"
        )
    return found.astype(known.dtype)


def _unboxed(values: pd.Series) -> pd.Series:
    """Numbers, and what is true or false, of pandas' and of Python's own types as numpy's."""
    if values.dtype == object:
        inferred = pd.api.types.infer_dtype(values, skipna=True)
        if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
            return values.astype(float)
        return values.astype(bool) if inferred == "boolean" and values.notna().all() else values
    if isinstance(values.dtype, pd.api.extensions.ExtensionDtype) and values.dtype.kind in "biuf":
        plain = np.dtype(f"{values.dtype.kind}{values.dtype.itemsize}")
        return values.astype(float if values.isna().any() else plain)
    return values


def _is_time(values: pd.Series) -> bool:
    if values.dtype == object:
        inferred = pd.api.types.infer_dtype(values, skipna=True)
        return inferred in ("datetime64", "datetime", "date", "timedelta64", "timedelta", "time")
    return values.dtype.kind in "Mm" or isinstance(values.dtype, pd.PeriodDtype)


def _is_number(values: pd.Series) -> bool:
    return values.dtype.kind in "iuf"


def _refuse_holes(name: str, holes: np.ndarray) -> None:
    count = int(np.count_nonzero(holes))
    if count:
        raise InputError(
            f"column '{name}': {count} missing values, the first in row "
            f"{int(np.argmax(holes)) + 1}; drop these rows first, knowingly"
        )
