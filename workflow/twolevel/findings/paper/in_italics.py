"""Statistics as a paper's text has them: in APA style, their letters in italics."""

from __future__ import annotations

from twolevel.text.apa import F_test, fixed, interval, share, t_test
from twolevel.text.confidence import percent
from twolevel.text.markdown import Markdown, figures


def F_in_text(F: float | None, df_num: float, df_den: float | None, p: float | None) -> Markdown:
    """*F*(2, 41.37) = 2.90, *p* = .106."""
    return _italic(F_test(F, df_num, df_den, p))


def t_in_text(t: float | None, df: float | None, p: float | None) -> Markdown:
    """*t*(18) = −1.70, *p* = .106."""
    return _italic(t_test(t, df, p))


def _italic(test: str) -> Markdown:
    """A test, with the letters of its statistic and of p in italics."""
    return figures(f"*{test[0]}*{test[1:]}".replace(", p ", ", *p* "))


def with_interval(
    symbol: str,
    value: float | None,
    low: float | None,
    high: float | None,
    level: float,
    decimals: int = 2,
    within_one: bool = False,
    unit: str = "",
) -> Markdown:
    """An estimate with its interval, as *M* = 3.21, 90% CI [1.20, 5.22].

    `within_one` says that it lies between -1 and 1 by its nature; without both ends there is no
    interval. `unit` stands behind the estimate.
    """
    ends = (low, high)
    write = share if within_one else fixed
    said = f"{symbol} = {write(value, decimals)}{unit}"
    if any(end is None for end in ends):
        return Markdown(said)
    written = interval(*(write(end, decimals) for end in ends))
    return Markdown(f"{said}, {percent(level)}% CI {written}")
