"""From text to numbers: a column becomes numbers when all of it is numbers, else a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twolevel.pipeline.tables.formats.delimited import MISSING
from twolevel.text.errors import InputError, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_COMMA = r"^[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?$"
_POINT = r"^[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}[,.]\d{3}$"


def typed(
    table: pa.Table, text: Sequence[str], decimal: str | None, place: str, comma: bool = False
) -> tuple[dict[str, pa.ChunkedArray], str | None]:
    """Columns of text as numbers or factors, and the decimal sign if there is one.

    Those in `text` stay text. Without a given `decimal` it is the comma where some column is made
    of numbers only if the comma is one. Raises InputError where the same text could be two numbers,
    or columns disagree. `comma` says that commas for decimals, and so points for thousands, are to
    be expected.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns, trimmed, found = {}, {}, {}
    for name in table.column_names:
        labels = table[name]
        stripped = pc.utf8_trim_whitespace(labels)
        missing = pc.is_in(stripped, value_set=pa.array(MISSING))
        columns[name] = pc.if_else(missing, None, labels)
        if name not in text:
            trimmed[name] = pc.if_else(missing, None, stripped)
            if decimal != ",":
                found[name] = _numbers(trimmed[name])
    signs = _signs(trimmed, found, decimal, place, comma)
    for name, labels in trimmed.items():
        numbers = found.get(name)
        if numbers is None and signs == ",":
            numbers = _with_comma(labels)
        if numbers is not None:
            columns[name] = numbers
    factors = {
        name: values.dictionary_encode() if pa.types.is_string(values.type) else values
        for name, values in columns.items()
    }
    return factors, signs


def _signs(
    trimmed: Mapping[str, pa.ChunkedArray],
    numbers: Mapping[str, pa.ChunkedArray | None],
    decimal: str | None,
    place: str,
    comma: bool,
) -> str | None:
    """The decimal sign of the numbers in all columns."""
    if decimal is not None:
        return decimal
    points = {
        name: values
        for name, values in trimmed.items()
        if numbers[name] is not None and _first(values, _POINT) is not None
    }
    commas = {}
    for name, values in trimmed.items():
        if numbers[name] is None and _first(values[:1000], _COMMA) is not None:
            as_numbers = _with_comma(values)
            if as_numbers is not None:
                commas[name] = values
    if not commas:
        if comma:
            _refuse_thousands(points, _POINT, ".", place)
        return "." if points else None
    name, values = next(iter(commas.items()))
    at = _first(values, _COMMA)
    if points:
        other, theirs = next(iter(points.items()))
        raise InputError(
            f"{place}: column {quoted(name)} holds {quoted(values[at])} and column "
            f"{quoted(other)} {quoted(theirs[_first(theirs, _POINT)])}, so that decimals would be "
            "written in two ways; write all with a point, or say which it is by read: "
            "{decimal: ...}"
        )
    _refuse_thousands(commas, _COMMA, ",", place)
    return ","


def _refuse_thousands(
    columns: Mapping[str, pa.ChunkedArray], pattern: str, sign: str, place: str
) -> None:
    """Refuse numbers whose sign for decimals, throughout, could as well be one for thousands."""
    import pyarrow.compute as pc

    for values in columns.values():
        without = pc.invert(pc.match_substring(values, sign))
        like = pc.match_substring_regex(values, _THOUSANDS)
        if not pc.all(pc.or_kleene(without, like)).as_py():
            return
    for name, values in columns.items():
        at = _first(values, pattern)
        assert at is not None  # these columns were chosen by the pattern
        raise InputError(
            f"{place}: row {at + 1}, column {quoted(name)}: found {quoted(values[at])}, which may "
            "be a number with decimals or one with a mark for thousands; say read: "
            f'{{decimal: "{sign}"}} for the first, or take these marks out'
        )


def _first(values: pa.ChunkedArray, pattern: str) -> int | None:
    import pyarrow.compute as pc

    at = pc.index(pc.match_substring_regex(values, pattern), True).as_py()
    return None if at < 0 else at


def _with_comma(labels: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Numbers whose decimal sign is a comma; None where a text is none, or has a point."""
    import pyarrow.compute as pc

    if _first(labels, r"\.") is not None:
        return None
    return _numbers(pc.replace_substring(labels, ",", "."))


def _numbers(labels: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Text as integers, else as floats, else None.

    Whole numbers longer than integers are None: as floats, different labels would be the same.
    """
    import pyarrow as pa

    floats = _cast(labels, pa.float64())
    integers = None if floats is None else _cast(labels, pa.int64())
    if integers is not None:
        return integers
    return None if floats is None or _first(labels, r"[^\d+-]") is None else floats


def _cast(labels: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        # A cast that fails goes on to the end, and slowly: fail early where most columns do.
        pc.cast(labels[:1000], kind)
        return pc.cast(labels, kind)
    except pa.ArrowInvalid:
        return None
