"""Words in figures: the user's own names as literal text, cut to the room they have."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from twolevel.text.literal import plain

SIZE = 10.0  # points; the size of ordinary text
SMALL = 9.0  # points; the smallest text in any figure


def width(text: str, size: float = SIZE) -> float:
    """Return the width in points of `text` at `size` points, not less than a browser will need."""
    if not text:
        return 0.0
    measured = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)[0]
    # The measuring font lacks East Asian and emoji glyphs, which take a full em in a browser.
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return max(measured, size * wide)


def shorten(value: object, room: float, size: float = SIZE) -> str:
    """Return `value` as text at most `room` points wide, its middle replaced by an ellipsis.

    Names of one table often differ only at their end, so the end is kept too.
    """
    text = plain(str(value)[:1000])
    if width(text, size) <= room:
        return text

    def cut(kept: int) -> str:
        tail = kept // 3
        return f"{text[: kept - tail]}…{text[len(text) - tail :]}"

    fits, too_wide = 0, len(text)
    while too_wide - fits > 1:
        middle = (fits + too_wide) // 2
        if width(cut(middle), size) <= room:
            fits = middle
        else:
            too_wide = middle
    return cut(fits)


def in_lines(text: str, room: float, size: float = SIZE) -> str:
    """Return `text` at most `room` points wide: in two lines where one has not the room for it.

    What then is still too wide is shortened.
    """
    if width(text, size) <= room:
        return text
    words = text.split(" ")
    for count in range(len(words) - 1, 0, -1):
        first = " ".join(words[:count])
        if width(first, size) <= room:
            return f"{first}\n{shorten(' '.join(words[count:]), room, size)}"
    return shorten(text, room, size)


@dataclass(frozen=True)
class Labels:
    """The user's names for the columns, and the unit of the response where there is one.

    `condition` is empty where the data have none.
    """

    response: str
    condition: str
    subject: str
    unit: str | None = None

    @classmethod
    def of(cls, columns: Mapping[str, str], unit: str | None) -> "Labels":
        """Take the names from `columns`, which maps the project's columns to the user's."""
        return cls(columns["response"], columns.get("condition", ""), columns["subject"], unit)

    def in_unit(self, quantity: str, room: float, per: str | None = None) -> str:
        """Return `quantity` with the response's unit in brackets, at most `room` points wide.

        That of a slope is the unit per unit of the number `per`.
        """
        if not self.unit:
            return shorten(quantity, room)
        unit = f" ({shorten(f'{self.unit}/{per}' if per else self.unit, room / 3)})"
        return shorten(quantity, room - width(unit)) + unit

    def response_axis(self, room: float) -> str:
        """Return the response's axis text, for example "score (points)"."""
        return self.in_unit(self.response, room)
