"""Values that stand for missing ones, as -99: those that a study names, by column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twolevel.pipeline.config.values import as_text, described, text_keys
from twolevel.text.errors import InputError, did_you_mean, listed, quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from twolevel.pipeline.tables.wide import Cells

# The config's `missing_values:` once it is checked: for all columns, or by column.
MissingValues = Sequence[int | float | str] | Mapping[str, Sequence[int | float | str]]

# How often each code was found, by column.
Coded = dict[str, dict[str, int]]

# Labels in SPSS and Stata of values that stand for missing ones. Answers that are levels of a
# scale as well, such as "does not apply", are not among them.
_LABELS = re.compile(
    r"\W*(-?\d+\W+)?(no (answer|response|data)|not (answered|available|applicable|asked)"
    r"|(system |user )?missing( values?| data)?|refused( to answer)?|refusal|declined( to answer)?"
    r"|(don['’]?t|do not) know|dk|n\.?/?a\.?|inapplicable"
    r"|keine (angaben?|antwort)|k\. ?a\.?|wei(ß|ss) nicht|verweigert|fehlt|fehlend(er wert)?)\W*",
    re.IGNORECASE,
)


def checked_missing_values(value: Any) -> MissingValues:
    """What the config says, as it is kept. Raises InputError."""
    if isinstance(value, Mapping) and value:
        return {name: _checked(codes, f"{name}: ") for name, codes in text_keys(value).items()}
    return _checked(value, "")


def _checked(codes: Any, place: str) -> list[int | float | str]:
    if not isinstance(codes, list | tuple):
        raise InputError(
            f"{place}found {described(codes)}, expected a list of numbers or texts, as [-99], or "
            "such lists by column, as {score: [-99, 999], age: [0]}"
        )
    texts = [as_text(code) for code in codes]
    if twice := [text for k, text in enumerate(texts) if text in texts[:k]]:
        raise InputError(f"{place}{quoted(twice[0])} stands twice in the list; remove one")
    return list(codes)


def codes_of(
    missing_values: MissingValues,
    columns: Sequence[str],
    subject: str,
    response: str,
    cells: Cells | None,
    place: str,
) -> dict[str, list[str]]:
    """The codes of each of the table's columns that a study reads.

    One list is for all of them but the subject's, which may be called 99. In a wide table the name
    of the response stands for the columns that hold it. Raises InputError.
    """
    if not isinstance(missing_values, Mapping):
        codes = [as_text(code) for code in missing_values]
        return {name: codes for name in columns if codes and name != subject}
    found: dict[str, list[str]] = {}
    for name, some in missing_values.items():
        known = [*columns, response] if cells else columns
        if name not in known:
            raise InputError(
                f"{place}: missing_values: names {quoted(name)}, which is no column that the study "
                f"uses{did_you_mean(name, known)}; these are {listed(map(quoted, known), 30)}: "
                "name one of them, or take it out there"
            )
        for column in cells.levels if cells and name == response else [name]:
            found[column] = [*found.get(column, []), *map(as_text, some)]
    return found


def refuse_absent(
    codes: Mapping[str, Sequence[str]], missing_values: MissingValues, coded: Coded, place: str
) -> None:
    """Refuse codes of a column that it does not have, and codes of all columns that none has.

    Columns of a wide table that are named together by their response are one.
    """
    together: dict[tuple[str, ...], list[str]] = {}
    for name in codes:
        alone = isinstance(missing_values, Mapping) and name in missing_values
        together.setdefault((name,) if alone else (), []).append(name)
    for names in together.values():
        found = {code for name in names for code in coded.get(name, ())}
        wanted = dict.fromkeys(code for name in names for code in codes[name])
        if absent := [code for code in wanted if code not in found]:
            raise InputError(
                f"{place}: missing_values: lists {quoted(absent[0])}, and there is none in "
                f"{listed(map(quoted, names))}; fix it, or take it out there"
            )


def number(text: str) -> float | None:
    """The number that a text is, if it is one."""
    try:
        return float(text)
    except ValueError:
        return None


def without_codes(table: pa.Table, codes: Mapping[str, Sequence[str]], coded: Coded) -> pa.Table:
    """The table with missing values in place of these codes, which are counted in `coded`.

    Numbers are compared as numbers, also where they are labels, text by its letters without blanks
    around it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for k, name in enumerate(table.column_names):
        values = table[name]
        for code in codes.get(name, ()):
            if pa.types.is_dictionary(values.type):
                values, count = _without_label(values.unify_dictionaries(), code)
            else:
                sought = code if pa.types.is_string(values.type) else number(code)
                if sought is None:
                    continue
                plain = pc.utf8_trim_whitespace(values) if sought is code else values
                hit = pc.fill_null(pc.equal(plain, sought), False)
                count = pc.sum(hit).as_py() or 0
                values = pc.if_else(hit, None, values) if count else values
            count_code(coded, name, code, count)
        if name in codes:
            table = table.set_column(k, name, values)
    return table


def count_code(coded: Coded, column: str, code: str, count: int) -> None:
    """Add to how often a code was found in a column."""
    if count:
        found = coded.setdefault(column, {})
        found[code] = found.get(code, 0) + count


def _without_label(values: pa.ChunkedArray, code: str) -> tuple[pa.ChunkedArray, int]:
    """A factor without a level, others in their order, and how many rows had it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not values.num_chunks:
        return values, 0
    labels = values.chunk(0).dictionary.to_pylist()
    sought = number(code)
    kept = [
        not (label.strip() == code or (sought is not None and number(label) == sought))
        for label in labels
    ]
    if all(kept):
        return values, 0
    place = pa.array(np.cumsum(kept) - 1, pa.int32(), mask=~np.array(kept))
    dictionary = pa.array(
        [label for label, keep in zip(labels, kept, strict=True) if keep], pa.string()
    )
    chunks = [
        pa.DictionaryArray.from_arrays(pc.take(place, chunk.indices), dictionary)
        for chunk in values.chunks
    ]
    found = pa.chunked_array(chunks)
    return found, found.null_count - values.null_count


def labelled_missing(labels: Mapping[float, str]) -> list[float]:
    """The values whose labels say that there is none, as "no answer"."""
    return [value for value, label in labels.items() if _LABELS.fullmatch(str(label).strip())]
