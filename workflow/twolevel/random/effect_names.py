"""What lme4 calls the effects that are no column's: on their own, for words need no more of it."""

INTERCEPT = "(Intercept)"
RESIDUAL = "Residual"
