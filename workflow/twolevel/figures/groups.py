"""By which factor the figure of means draws the condition's: drawer and caption ask here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_GROUPS = 6  # levels of the factor


def drawn_by(factors: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first factor with few levels within which the condition has means of its own, if any."""
    few = (f for f in factors if f["within"] and 2 <= len(f["means"]) <= MOST_GROUPS)
    return next(few, None)
