"""What `simulate_data` draws from."""

from __future__ import annotations

from twolevel.summaries.base import Summary


class TruthSummary(Summary):
    """truth.json; effects sum to zero."""

    grand_mean: float
    condition_effects: dict[str, float]
    sigma_between: float
    sigma_within: float
