"""Numbers as papers report them: APA style (Publication Manual, 7th edition, ch. 6).

F(1, 41.37) = 2.90, p = .106        two decimals; three of p, which never is 0 or 1
.18, −.05                           no zero before the point of what lies between −1 and 1
"""

from __future__ import annotations

import math

NONE = "–"


def fixed(value: float | None, decimals: int = 2) -> str:
    """A number to so many decimals, with a true minus; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    # Adding 0 makes no zero negative.
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def share(value: float | None, decimals: int = 2) -> str:
    """A number that lies between -1 and 1 by its nature, such as a correlation: no leading zero."""
    text = fixed(value, decimals)
    return text.replace("0.", ".", 1) if text.lstrip("−").startswith("0.") else text


def degrees(value: float | None) -> str:
    """Degrees of freedom: two decimals where they are no whole number."""
    return fixed(value).removesuffix(".00")


def p_relation(value: float | None) -> str:
    """A p value with its relation: = .106, < .001, > .999; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    if value < 0.001:
        return "< .001"
    return "> .999" if value > 0.999 else f"= {share(value, 3)}"


def p_cell(value: float | None) -> str:
    """A p value as a table has it: .106, < .001."""
    return p_relation(value).removeprefix("= ")


def F_test(F: float | None, df_num: float, df_den: float | None, p: float | None) -> str:
    """An F test: F(2, 41.37) = 2.90, p = .106."""
    return f"F({degrees(df_num)}, {degrees(df_den)}) = {fixed(F)}, p {p_relation(p)}"


def t_test(t: float | None, df: float | None, p: float | None) -> str:
    """A t test: t(18) = −1.70, p = .106."""
    return f"t({degrees(df)}) = {fixed(t)}, p {p_relation(p)}"


def interval(low: str, high: str) -> str:
    """The ends of an interval, which are written already: [1.20, 3.45]."""
    return f"[{low}, {high}]"


def decimals_of(spread: float) -> int:
    """How many decimals numbers have that vary by this standard deviation.

    Two, as APA asks; of data on a small scale as many as give the deviation two digits, and none
    of data on one of thousands.
    """
    if not 0 < spread < math.inf:
        return 2
    return 0 if spread >= 1000 else max(2, min(1 - math.floor(math.log10(spread)), 15))
