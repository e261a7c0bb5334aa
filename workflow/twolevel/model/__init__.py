"""The random part and the criterion: the likelihood, and its maximum."""
