"""A table for a paper: rounded for people, and one object for the page and for its CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from twolevel.text.markdown import Markdown, escape


@dataclass(frozen=True)
class PaperTable:
    """Rows of texts under headings, each of which is one of letters and, in Markdown, another.

    name is that of the full table, whose file has more digits. note is what a reader has to know,
    and says why there are no rows where there are none.
    """

    name: str
    caption: Markdown
    headings: tuple[Heading, ...]
    rows: Sequence[Sequence[str]]
    note: Markdown

    @property
    def markdown_rows(self) -> list[list[Markdown]]:
        """The rows as Markdown that shows them literally."""
        return [[escape(cell) for cell in row] for row in self.rows]

    @property
    def csv(self) -> str:
        """The same as the text of a CSV file, whose headings are plain and minus signs hyphens."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([heading.plain for heading in self.headings])
        writer.writerows([cell.replace("−", "-") for cell in row] for row in self.rows)
        return text.getvalue()


@dataclass(frozen=True)
class Heading:
    """A column's heading, plain and as Markdown; is_text says that no numbers stand below."""

    plain: str
    shown: Markdown
    is_text: bool = False


def names(*plain: str) -> tuple[Heading, ...]:
    """Headings of columns that hold names."""
    return tuple(Heading(name, escape(name), is_text=True) for name in plain)


def numbers(*plain: str) -> tuple[Heading, ...]:
    """Headings of columns that hold numbers, statistics' letters in italics."""
    return tuple(Heading(name, _STATISTICS.get(name) or escape(name)) for name in plain)


_STATISTICS = {
    **{letter: Markdown(f"*{letter}*") for letter in ("n", "M", "SD", "SE", "F", "t", "p", "df")},
    "df1": Markdown("*df*~1~"),
    "df2": Markdown("*df*~2~"),
    "ges": Markdown("*η*²~G~"),
    "pes": Markdown("*η*²~p~"),
    "epsilon": Markdown("*ε*~GG~"),
    "p (GG)": Markdown("*p*~GG~"),
    "d_z": Markdown("*d*~z~"),
    "d_av": Markdown("*d*~av~"),
}
