"""Whether the fit is to be believed: what it assumes, and what other programs find."""
