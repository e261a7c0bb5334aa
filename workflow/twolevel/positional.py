"""Numbers for sentences, which have no exponents."""

from __future__ import annotations

import numpy as np


def positional(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, however large or small: 0.000056, 69,000,000."""
    text = np.format_float_positional(
        value, precision=digits, unique=False, fractional=False, trim="-"
    )
    whole, point, decimals = text.partition(".")
    return f"{int(whole):,}{point}{decimals}" if abs(value) >= 1 else text
