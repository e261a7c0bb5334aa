"""SPSS and Stata: numbers that may have labels, which then are the levels of a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = {".sav": "SPSS", ".zsav": "SPSS", ".dta": "Stata"}


@dataclass(eq=False)
class Labelled:
    """An SPSS or Stata file.

    A column all of whose values have labels is a factor, in the order of its codes; one with labels
    for some values only stays numbers. Values that SPSS calls missing are missing.
    """

    path: Path
    place: str
    reading: Mapping[str, str]

    @property
    def _format(self) -> str:
        return ENDINGS[self.path.suffix.lower()]

    @property
    def facts(self) -> dict[str, str]:
        """Which program's file it is."""
        return {"format": self._format}

    def _read(self, **options: Any) -> tuple[Any, Any]:
        try:
            import pyreadstat
        except ImportError:
            raise InputError(
                f"{self.place}: reading {self._format} needs the package pyreadstat; install it by "
                "pip install 'twolevel[formats]', or save the table as CSV"
            ) from None
        read = pyreadstat.read_dta if self._format == "Stata" else pyreadstat.read_sav
        try:
            return read(str(self.path), encoding=self.reading.get("encoding"), **options)
        except (pyreadstat.ReadstatError, UnicodeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{self.place}: cannot be read as {self._format} ({error}); save it anew, or as CSV"
            ) from None

    @cached_property
    def columns(self) -> list[str]:
        """The names of the variables."""
        return list(self._read(metadataonly=True)[1].column_names)

    def read(self, columns: Sequence[str], numeric: Sequence[str] = ()) -> pa.Table:
        """Read columns as numbers or factors; those in `numeric` without their labels."""
        import pyarrow as pa

        data, meta = self._read(usecols=list(dict.fromkeys(columns)))
        labels = meta.variable_value_labels
        return pa.table(
            {name: _plain(data[name], {} if name in numeric else labels.get(name)) for name in data}
        )


def _plain(values: Any, labels: dict[float, str] | None) -> pa.Array:
    """Numbers, or a factor of the labels or of text."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if pd.api.types.is_numeric_dtype(values):
        if labels and values.dropna().isin(list(labels)).all():
            order = sorted(labels)
            names = [str(labels[code]) for code in order]
            # Two codes may have one label.
            names = [
                name if names.count(name) == 1 else f"{name} ({code:g})"
                for code, name in zip(order, names, strict=True)
            ]
            factor = pd.Categorical(values, categories=order).rename_categories(names)
            return pa.array(factor.remove_unused_categories())
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        whole = np.isnan(numbers) | (numbers == np.round(numbers))
        if whole.all() and np.nanmax(np.abs(numbers), initial=0) < 2**53:
            return pa.array(pd.Series(numbers).astype("Int64"))
        return pa.array(numbers, from_pandas=True)
    text = values.astype("string").str.rstrip()
    return pa.array(text.mask(text == ""), pa.string()).dictionary_encode()
