"""SPSS and Stata: numbers that may have labels, which then are the levels of a factor."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.pipeline.tables.missing_values import Coded, count_code, labelled_missing, number
from twolevel.text.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

# A file is read within this time, and one more second for so many bytes.
MIN_SECONDS = 20
SLOWEST = 2**20
# The same in bytes of memory: a damaged file may claim to hold any number of rows.
MIN_MEMORY, EXPANSION = 2**32, 200

ENDINGS = {".sav": "SPSS", ".zsav": "SPSS", ".dta": "Stata"}


@dataclass(eq=False)
class Labelled:
    """An SPSS or Stata file.

    A column all of whose values have labels is a factor, in the order of its codes; one with labels
    for some values only stays numbers. Values that SPSS calls missing are missing, and so are those
    in `codes`, which labels would hide, and those with a label such as "no answer": both are
    counted in `coded`.
    """

    path: Path
    place: str
    reading: Mapping[str, str]
    codes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    coded: Coded = field(default_factory=dict)

    @property
    def _format(self) -> str:
        return ENDINGS[self.path.suffix.lower()]

    @property
    def facts(self) -> dict[str, str]:
        """Which program's file it is."""
        return {"format": self._format}

    def _read(self, **options: Any) -> tuple[Any, list[str], dict[str, dict[float, str]]]:
        """The rows, the names of all columns and the labels of values."""
        if find_spec("pyreadstat") is None:
            raise InputError(
                f"{self.place}: reading {self._format} needs the package pyreadstat; install it by "
                "pip install pyreadstat, or save the table as CSV"
            )
        [read] = _read_apart([self], **options)
        if isinstance(read, str):
            raise InputError(
                f"{self.place}: cannot be read as {self._format} ({read}); save it anew, or as CSV"
            )
        return read

    @cached_property
    def columns(self) -> list[str]:
        """The names of the variables."""
        return self._read(metadataonly=True)[1]

    def read(self, columns: Sequence[str], numeric: Sequence[str] = ()) -> pa.Table:
        """Read columns as numbers or factors; those in `numeric` without their labels."""
        import pandas as pd
        import pyarrow as pa

        data, _, found = self._read(usecols=list(dict.fromkeys(columns)))
        table = {}
        for name in data:
            values, labels = data[name], dict(found.get(name, {}))
            if pd.api.types.is_numeric_dtype(values):
                codes = {number(code): code for code in self.codes.get(name, ())}
                for missing in labelled_missing(labels):
                    codes.setdefault(missing, f'{missing:g} ("{labels.pop(missing)}")')
                for value, code in codes.items():
                    count_code(self.coded, name, code, int((values == value).sum()))
                values = values.mask(values.isin([value for value in codes if value is not None]))
            table[name] = _plain(values, {} if name in numeric else labels)
        return pa.table(table)


def look_into(files: Sequence[Labelled]) -> None:
    """Find the columns of many files in one process, which takes long to start.

    A file that cannot be read, and all after it, are left to themselves.
    """
    if len(files) > 1 and find_spec("pyreadstat") is not None:
        for file, read in zip(files, _read_apart(files, metadataonly=True), strict=False):
            if not isinstance(read, str):
                file.columns = read[1]


def _read_apart(files: Sequence[Labelled], **options: Any) -> list[Any]:
    """What is in each of the files, or why it cannot be read; nothing after one that crashes.

    A damaged file can crash the library that reads it, or keep it busy for ever, so that runs in a
    process of its own.
    """
    options["encoding"] = files[0].reading.get("encoding")
    sizes = [file.path.stat().st_size for file in files]
    memory = MIN_MEMORY + EXPANSION * max(sizes)
    asked = [[file._format, str(file.path)] for file in files]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__],
            input=json.dumps([asked, options, memory]).encode(),
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "OPENBLAS_NUM_THREADS": "1",  # each would take memory
            },
            capture_output=True,
            timeout=MIN_SECONDS + sum(sizes) / SLOWEST,
        )
        out, failed = done.stdout, "its reader crashes"
    except subprocess.TimeoutExpired as error:
        out, failed = error.stdout or b"", "its reader does not come to an end"
    found: list[Any] = []
    stream = io.BytesIO(out)
    try:
        while len(found) < len(files):
            found.append(pickle.load(stream))
    except (EOFError, pickle.UnpicklingError):
        found.append(failed)
    return found


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


def _main() -> None:
    """In a process of its own: write what is in files, or why they cannot be read, to stdout."""
    files, options, memory = json.load(sys.stdin)
    # What the library itself prints goes elsewhere.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    import pyreadstat

    with out:
        for kind, path in files:
            read = pyreadstat.read_dta if kind == "Stata" else pyreadstat.read_sav
            try:
                data, meta = read(path, **options)
                names = [name or "" for name in meta.column_names]
                found: Any = (data, names, meta.variable_value_labels)
            # Of damaged files, it raises whatever its parts do.
            except Exception as error:
                found = " ".join(str(error).split())[:200] or type(error).__name__
            pickle.dump(found, out, protocol=pickle.HIGHEST_PROTOCOL)
            out.flush()


if __name__ == "__main__":
    _main()
