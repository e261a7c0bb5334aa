"""What `load_data` counts while it reads a table."""

from __future__ import annotations

from twolevel.summaries.base import Level, Summary


class LikelyCode(Summary):
    """A number that may stand for a missing value, and where the others of its column lie."""

    column: str
    code: int
    count: int
    low: float
    high: float
    words: str


class Checksum(Summary):
    """A file that was read."""

    name: str
    sha256: str


class LoadingSummary(Summary):
    """loading.json.

    dropped: the missing values by column; facts: how the table was read; coded: how often a code
    stood for a missing value, by column; levels: those of each factor, in their order.
    """

    rows_read: int
    dropped: dict[str, int]
    facts: dict[str, str]
    coded: dict[str, dict[str, int]]
    likely_codes: list[LikelyCode]
    levels: dict[str, list[Level]]
    inputs: list[Checksum]
