"""Terms of a formula as a reader says them: of which variables each is made, and its name in words.

C(rpm):C(ratio)   the interaction of rpm and ratio
I(dose ** 2)      dose²
poly(day, 3)      day (polynomial)
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twolevel.design.design_matrix import DesignMatrix

# What a transform's name becomes behind the variable that it is given, or before it.
_BEHIND = {
    "C": "",
    "I": "",
    "center": " (centred)",
    "scale": " (standardised)",
    "standardize": " (standardised)",
    "poly": " (polynomial)",
    **dict.fromkeys(("bs", "cc", "cr", "cs"), " (spline)"),
}
_BEFORE = {
    "log": "the logarithm of ",
    "log2": "the binary logarithm of ",
    "log10": "the decimal logarithm of ",
    "exp": "the exponential of ",
    "exp2": "2 to the power of ",
}
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def made_of(design: DesignMatrix) -> dict[str, list[str]]:
    """The variables that each term but the intercept is made of, in the order of the formula."""
    return {
        term: [name for name in design.data if name in design.encoding.variables_of(term)]
        for term in design.tested_terms
    }


def factors_in_words(term: str, variables: Collection[str]) -> list[str]:
    """The parts of a term in words, where `variables` are those that it is made of."""
    return [_in_words(part, variables) for part in _parts(term, variables)]


def term_in_words(term: str, variables: Collection[str]) -> str:
    """A term in words, as the object of a sentence."""
    first, *others = factors_in_words(term, variables)
    if not others:
        return first
    *middle, last = others
    return f"the interaction of {', '.join([first, *middle])} and {last}"


def _parts(term: str, variables: Collection[str]) -> list[str]:
    """A term cut at the colons that stand outside names and brackets."""
    parts, depth, quoted, at = [""], 0, False, 0
    names = sorted(variables, key=len, reverse=True)
    while at < len(term):
        if parts[-1] == "":  # a name may hold any sign
            whole = next((n for n in names if re.match(re.escape(n) + "(:|$)", term[at:])), "")
            parts[-1], at = whole, at + len(whole)
            if at == len(term):
                break
        sign = term[at]
        quoted ^= sign == "`"
        depth += 0 if quoted else (sign in "([") - (sign in ")]")
        if sign == ":" and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
        at += 1
    return parts


def _in_words(part: str, variables: Collection[str]) -> str:
    if part in variables:
        return part
    if re.fullmatch(r"`[^`]*`", part):
        return part.strip("`")
    call = re.fullmatch(r"(\w+)\((.*)\)", part, re.DOTALL)
    if call is None:
        return _arithmetic(part)
    function, inside = call.groups()
    # Settings follow the variable behind a comma.
    given = next((n for n in variables if re.match(rf"`?{re.escape(n)}`?\s*(,|$)", inside)), None)
    of = _in_words(inside.partition(",")[0], variables) if given is None else given
    return _BEFORE.get(function, "") + of + _BEHIND.get(function, "")


def _arithmetic(text: str) -> str:
    """Arithmetic with signs as they are printed: dose², a × b."""
    text = text.replace("`", "")
    text = re.sub(r"\s*\*\*\s*(\d+)", lambda power: power[1].translate(_POWERS), text)
    return re.sub(r"\s*\*\s*", " × ", text).replace("-", "−")
