"""How much what is random makes rows vary and covary: z Sigma z', with Sigma = sigma_w^2 Psi."""

from __future__ import annotations

import numpy as np

from twolevel.mixed import MixedFit


def random_roots(fit: MixedFit) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """For each term U (N, q), with u_j u_k' the covariance of what it adds to rows j and k.

    So it is where the rows are of one subject and, with the levels (N,) that come beside, of one of
    its levels; other rows are independent by this term. In the response's unit.
    """
    factors = fit.random_part.factors(fit.theta)
    return [
        # Columns and effects of the formula are those of the working columns times back.
        (each.values @ np.linalg.solve(each.back, fit.sigma_within * Lambda), each.levels)
        for each, Lambda in zip(fit.random_columns.terms, factors, strict=True)
    ]


def random_sd(fit: MixedFit) -> np.ndarray:
    """The standard deviation (N,) over subjects of what is random in each row."""
    return np.sqrt(sum((U**2).sum(axis=1) for U, _ in random_roots(fit)))
