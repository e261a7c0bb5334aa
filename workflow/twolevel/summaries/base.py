"""How a stage's summary is written and read: a key that is missing, unknown or ill-typed fails.

The models hold what is in the file and compute nothing. This room imports no statistics, so that a
job which only reads a summary starts quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from twolevel.files.stage_files import plain, write_json
from twolevel.text.errors import TwoLevelError

# A level of a condition or factor, as it stands in the table.
Level = bool | int | float | str
# Whole numbers stay whole, in the file too.
Number = int | float


class Summary(BaseModel):
    """A summary, or a part of one. NaN is None, as JSON has no other word for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Take values as a stage has them, with tables as lists of their rows."""
        return cls.model_validate(plain(values))


S = TypeVar("S", bound=Summary)


def write_summary(path: str | Path, summary: Summary) -> None:
    """Write a summary as JSON, its keys in the order of its model."""
    write_json(path, summary.model_dump(exclude_unset=True))


def read_summary(path: str | Path, kind: type[S]) -> S:
    """Read a summary that `write_summary` wrote.

    Raises TwoLevelError for a file that is not of this kind, with the first key that is wrong.
    """
    try:
        return kind.model_validate_json(Path(path).read_bytes())
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        place = ".".join(map(str, wrong[0]["loc"])) or "the whole file"
        others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise TwoLevelError(
            f"{path}: {place}: {wrong[0]['msg']}{others}; expected what this version of the "
            f"workflow writes ({kind.__name__}): delete the file and run snakemake again"
        ) from None
