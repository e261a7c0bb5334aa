"""Text as Markdown: what comes from tables stays text, and numbers read as numbers."""

from __future__ import annotations

import html
import json
import math
import re
import string
import unicodedata
from collections.abc import Iterable

from twolevel.text.apa import p_cell, p_relation, share
from twolevel.text.numbers import rounded, significant

_PUNCTUATION = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation})
_ATTRIBUTE = str.maketrans({mark: f"\\{mark}" for mark in '\\"&{'})
# Characters that turn the direction of all that follows, so that a page reads other than it is.
_DIRECTIONS = str.maketrans(
    {
        mark: f"\\u{ord(mark):04x}"
        for mark in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    }
)


class Markdown(str):
    """Text that is Markdown already."""


def escape(value: object) -> Markdown:
    """Any text as Markdown that shows it literally, on one line."""
    # Quarto takes a caption from its first word in braces on for attributes; before such a word
    # stands a word joiner.
    text = re.sub(r"(?<!\S)\{", "\u2060{", _one_line(value))
    return Markdown(text.translate(_PUNCTUATION))


def plain(text: Markdown) -> str:
    """What escaped text shows, where it is no page that shows it."""
    return re.sub(r"\\([^\w\s])", r"\1", text).replace("\u2060", "")


def _one_line(value: object) -> str:
    """Text with single blanks for its white space and for characters that no page can hold."""
    bare = (" " if unicodedata.category(mark) in ("Cc", "Cs") else mark for mark in str(value))
    return " ".join(in_one_direction("".join(bare)).split())


def in_one_direction(text: str) -> str:
    """Text with the characters that turn its direction shown by their numbers, as `\\u202e`."""
    return text.translate(_DIRECTIONS)


def num(value: float | None, digits: int = 4) -> Markdown:
    """A number as `significant` writes it; to four digits, as tables do, unless told otherwise."""
    return Markdown(significant(value, digits))


def plus_minus(value: float | None, half: float) -> Markdown:
    """A number and the half-width of its interval, to two digits of the latter.

    A narrow column breaks the line before the sign, never behind it.
    """
    if value is None or math.isnan(value):
        return Markdown("–")
    if math.isnan(half):
        return num(value)
    if half == 0:
        return Markdown(f"{num(value)} ±\u00a00")
    decimals = 1 - math.floor(math.log10(half))
    if not 0 <= decimals <= 6:
        return Markdown(f"{num(value)} ±\u00a0{num(half, 2)}")
    # Adding 0 makes no zero negative.
    return Markdown(
        f"{round(value, decimals) + 0.0:.{decimals}f} ±\u00a0{half:.{decimals}f}".replace("-", "−")
    )


def tex(value: float | None, digits: int = 4) -> Markdown:
    """A number for use inside mathematics, as `num` writes it in text."""
    if value is None or math.isnan(value):
        return Markdown(r"\text{–}")
    if math.isinf(value):
        return Markdown(r"\infty" if value > 0 else r"-\infty")
    mantissa, exponent = rounded(value, digits)
    # In braces, so that a minus behind a comma is a sign and not an operator.
    number = f"{{{mantissa}}}" if value < 0 else mantissa
    return Markdown(number if exponent is None else rf"{number} \times 10^{{{exponent}}}")


def p_value(value: float | None) -> Markdown:
    """A p value with its relation, as papers have it: `= .023` or `< .001`."""
    return figures(p_relation(value))


def p_in_table(value: float | None) -> Markdown:
    """A p value as a table has it: `.023` or `< .001`."""
    return figures(p_cell(value))


def simulated_p(value: float, draws: int) -> Markdown:
    """A p value that is a share of simulated draws; below one draw it is not known."""
    if value == 0 and draws < 1000:
        return Markdown(r"\< " + share(1 / draws, 3))
    return p_value(value)


def figures(text: str) -> Markdown:
    """Numbers that are written already, whose signs for less and more are no tags."""
    return Markdown(re.sub("([<>])", r"\\\1", text))


def counted(number: int, noun: str) -> Markdown:
    """A number of things in words: 1 subject, 2,000 subjects."""
    return Markdown(f"{number:,} {escape(noun)}{'' if number == 1 else 's'}")


def begins(words: str) -> str:
    """Words as they begin a line, with a capital; names among them stay as they are."""
    return words[:1].upper() + words[1:]


def attribute(value: object) -> Markdown:
    """Text for the inside of a double-quoted attribute, on one line."""
    return Markdown(_inert(value).translate(_ATTRIBUTE))


def code(value: object) -> Markdown:
    """Text as inline code, between enough backticks."""
    text = _inert(value)
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")


def code_block(text: str, language: str) -> Markdown:
    """Lines as a block of code, between enough backticks; it holds no shortcode."""
    fence = "```"
    while fence in text:
        fence += "`"
    inert = without_shortcodes(in_one_direction(text))
    return Markdown(f'{fence}{{.{language} shortcodes="false"}}\n{inert}\n{fence}')


def in_html(value: object) -> Markdown:
    """Text inside raw HTML, in an element or a quoted attribute, on one line."""
    return Markdown(html.escape(_inert(value)))


def quoted(value: object) -> Markdown:
    """Text as a YAML string that Pandoc reads as literal Markdown."""
    return Markdown(json.dumps(str(escape(_inert(value))), ensure_ascii=False))


def data_block(value: object) -> Markdown:
    """A value as JSON for a script element of data: ASCII on one line, which nothing in it ends."""
    return Markdown(json.dumps(value).replace("<", r"\u003c"))


def _inert(value: object) -> str:
    """Text on one line that holds no shortcode."""
    return without_shortcodes(_one_line(value))


def without_shortcodes(text: str) -> str:
    """Text with a word joiner within the ends of what Quarto takes for a shortcode.

    It runs those in titles, attributes and code, escaped or not.
    """
    return text.replace("{{<", "{\u2060{<").replace(">}}", ">}\u2060}")


def words(values: list) -> Markdown:
    """A list in words: a, b and c."""
    items = [value if isinstance(value, Markdown) else escape(value) for value in values]
    head, tail = items[:-1], items[-1:]
    return Markdown(" and ".join(filter(None, [", ".join(head), *tail])))


def numbers_of(pairs: Iterable[tuple[Markdown, object]]) -> Markdown:
    """Numbers with what each is of in brackets, as a list in words: 1.2 (a), 2 (b) and 3 (c)."""
    return words([Markdown(f"{number} ({escape(name)})") for number, name in pairs])


def bracketed(values: Iterable[object]) -> Markdown:
    """Each value in brackets of its own: (a, b), (a, c)."""
    return Markdown(", ".join(f"({escape(value)})" for value in values))
