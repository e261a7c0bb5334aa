"""From a formula and a user's columns to the sums that a model is fitted from."""
