"""The likelihood: what inference asks of it, and its maximum."""
