"""Numbers as text: to so many digits on pages and in figures, and exactly."""

from __future__ import annotations

import math

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def written(value: float) -> str:
    """A number exactly, without a decimal point where it is whole: 1, 0.5."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def significant(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits, with a true minus; a dash where there is none.

    Very small and very large ones have a power of ten: 0.0560, 5.60 × 10⁻⁶.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    mantissa, exponent = rounded(value, digits)
    power = "" if exponent is None else f" × 10{str(exponent).translate(_SUPERSCRIPT)}"
    return mantissa.replace("-", "−") + power


def rounded(value: float, digits: int) -> tuple[str, int | None]:
    """A finite number rounded: its decimals alone, or a mantissa and the power of ten."""
    if value == 0:
        return "0", None
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -4 <= exponent < 7:
        return f"{value:.{max(0, digits - 1 - exponent)}f}", None
    return mantissa, exponent


def positional(value: float, digits: int = 3) -> str:
    """A number in a sentence, which has no exponents and no zeros at its end: 0.000056, 69,000,000.

    It has so many significant digits.
    """
    import numpy as np

    text = np.format_float_positional(
        value, precision=digits, unique=False, fractional=False, trim="-"
    )
    whole, point, decimals = text.partition(".")
    return f"{int(whole):,}{point}{decimals}" if abs(value) >= 1 else text
