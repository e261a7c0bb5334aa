"""The confidence level: of intervals and, less it from 1, of what a test is said to show.

A study's config sets it by its key `level:`. Nothing else in the workflow says 95 or 5 percent,
unless it names a convention of its own.
"""

LEVEL = 0.95  # unless one says otherwise


def alpha(level: float) -> float:
    """One less the level, without its rounding error: below this p, a test shows something."""
    return round(1 - level, 12)


def percent(share: float) -> str:
    """A level, or an alpha, in percent, as it stands before the sign: 95, or 99.9."""
    return f"{100 * share:g}"
