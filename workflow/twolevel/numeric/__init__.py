"""Numerical tools that know nothing of models: tails, small matrices, standardised numbers."""
