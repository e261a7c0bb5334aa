"""Numbers as text: in sentences without exponents, and as labels and names."""

from __future__ import annotations


def written(value: float) -> str:
    """A number exactly, without a decimal point where it is whole: 1, 0.5."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def positional(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, however large or small: 0.000056, 69,000,000."""
    import numpy as np

    text = np.format_float_positional(
        value, precision=digits, unique=False, fractional=False, trim="-"
    )
    whole, point, decimals = text.partition(".")
    return f"{int(whole):,}{point}{decimals}" if abs(value) >= 1 else text
