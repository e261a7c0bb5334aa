"""Names, texts and formulas as R reads them.

Formulas of this project are R's but for some functions: C() is a factor, whose coding in R is that
of all factors; center() and its like are scale(); settings have Python's True and lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from twolevel.design.tokens import Token, column_name, tokens_of

# R's functions for those of formulas that have another name there, and how their brackets end.
_FUNCTIONS = {"center": "scale", "standardize": "scale", "exp2": "I(2^", "bs": "splines::bs"}
_ENDS = {"center": ", scale = FALSE)", "exp2": "))"}
_WITHOUT_R = {"cc", "cr", "cs"}
_WORDS = {"True": "TRUE", "False": "FALSE", "None": "NULL", "include_intercept": "intercept"}
_RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE"}
_RESERVED |= {"FALSE", "NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_complex_"}
_RESERVED |= {"NA_character_"}


def is_plain(name: str) -> bool:
    """Whether R takes a name without backticks, in any locale."""
    return re.fullmatch(r"[A-Za-z][\w.]*", name, re.ASCII) is not None and name not in _RESERVED


def name_in_r(name: str) -> str:
    """A column's name, between backticks where R needs them."""
    if is_plain(name):
        return name
    escaped = text_in_r(name)[1:-1].replace('\\"', '"').replace("`", "\\`")
    return f"`{escaped}`"


def text_in_r(text: str) -> str:
    """Text between quotes, as R reads it."""
    return json.dumps(text, ensure_ascii=False)


def vector_in_r(values: Sequence[str]) -> str:
    """Values, as they stand in code, as a vector."""
    return f"c({', '.join(values)})"


def in_r(formula: str) -> str | None:
    """A formula, or a part of one, as R reads it; None where R has no such function."""
    tokens = tokens_of(formula)
    if any(token.kind == "function" and token.text in _WITHOUT_R for token in tokens):
        return None
    pieces: list[str] = []
    ends: list[str] = []  # of each bracket that is open
    at, last = 0, -1  # the last token of a C()
    for k, token in enumerate(tokens):
        if k > last:
            pieces.append(formula[at : token.start])
            if token.kind == "function" and token.text == "C":
                last = _closed(tokens, k + 1)
                pieces.append(_column(tokens[k + 2]))
            else:
                pieces.append(_written(token, ends, tokens[k - 1].text if k else ""))
        at = token.end
    return "".join(pieces)


def _closed(tokens: Sequence[Token], opened: int) -> int:
    """The place of the bracket that closes the one at a place."""
    depth = 0
    for k in range(opened, len(tokens)):
        depth += (tokens[k].text in "([") - (tokens[k].text in ")]")
        if depth == 0:
            return k
    raise ValueError("a bracket is not closed, which no formula is read with")


def _column(token: Token) -> str:
    return name_in_r(column_name(token.kind, token.text))


def _written(token: Token, ends: list[str], before: str) -> str:
    """A token in R; ends are those of the brackets that are open, and are kept up to date."""
    if token.text == "(":
        ends.append(_ENDS.get(before, ")"))
    elif token.text == ")":
        return ends.pop()
    elif token.text in "[]":
        return "c(" if token.text == "[" else ")"
    elif token.text == "**":
        return "^"
    elif token.kind == "function":
        return _FUNCTIONS.get(token.text, token.text)
    elif token.kind == "quoted" or (token.kind == "name" and token.text not in _WORDS):
        return _column(token)
    return _WORDS.get(token.text, token.text)
