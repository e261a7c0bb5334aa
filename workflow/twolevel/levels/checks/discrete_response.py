"""Responses of two values or of few steps, for which a model with normal errors is not made."""

from __future__ import annotations

import numpy as np

_MOST_STEPS = 7  # as a rating from 1 to 7
_LEAST_ROWS = 5  # for each step; a short table of measurements may repeat a few


def few_values(response: np.ndarray) -> list[float] | None:
    """The distinct values (k,) of a response (N,) where these are its scale, else None."""
    values = np.unique(response)
    few = len(values) <= _MOST_STEPS and len(response) >= _LEAST_ROWS * len(values)
    return values.tolist() if few else None
