"""What a design must have for its model to be fitted, and the refusal of those that have not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twolevel.design.moments import centred_columns, gram_matrix, independent_columns
from twolevel.text.errors import InputError

if TYPE_CHECKING:
    from twolevel.design.design_matrix import DesignMatrix


def refuse_unrepeated(design: DesignMatrix) -> None:
    """Refuse data in which subjects, or repetitions, do not differ."""
    n = len(design.subjects)
    if n < 2:
        raise InputError(
            f"one subject only ('{design.subjects[0]}'); expected at least 2, for sigma_between is "
            "the spread of subjects; check the subject column"
        )
    if n == len(design.response):
        raise InputError(
            "every subject has one observation, so sigma_between and sigma_within cannot be told "
            "apart; expected repeated measurements; check the subject column"
        )
    if np.ptp(design.response) == 0:
        raise InputError(
            f"the response is {design.response[0]} in every row; expected values that vary"
        )


def refuse_explained(design: DesignMatrix, unexplained: float) -> None:
    """Refuse a response of which the fixed effects leave nothing but its rounding.

    unexplained is the root mean square of the residuals of ordinary least squares.
    """
    y = design.response
    largest = np.abs(y).max()
    if unexplained <= 16 * np.finfo(float).eps * largest * np.sqrt(np.mean((y / largest) ** 2)):
        raise InputError(
            f"formula '{design.formula}': the fixed effects explain the response to its last "
            "digits, so nothing random is left to estimate; expected observations that vary beyond "
            "the fixed effects; check that the response was not computed from them"
        )


def refuse_aliased(design: DesignMatrix) -> None:
    """Refuse columns that are combinations of others, and more columns than data can bear."""
    names = design.names
    gram = gram_matrix(centred_columns(design.cells)[0])
    # A column with a large offset is constant only if it is so to the last digits.
    norms = np.diag(gram_matrix(design.cells))
    kept = independent_columns(gram, np.diag(gram) + 1e-13 * norms)
    aliased = [name for k, name in enumerate(names) if k not in kept]
    if aliased:
        raise InputError(
            f"formula '{design.formula}': the data cannot tell {', '.join(aliased)} apart from "
            "the columns before; expected linearly independent columns; remove terms or add "
            "observations in the empty cells"
        )
    if len(design.response) <= len(names):
        raise InputError(
            f"formula '{design.formula}': {len(names)} coefficients and {len(design.response)} "
            "observations leave nothing to estimate the variances from; simplify the formula"
        )


def residual_sum(products: np.ndarray, columns: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """What independent columns (k,) leave of the last one's sum of squares by least squares.

    From cross-products (q, q); also the inverse (k, k) of theirs, and their coefficients (k,).
    """
    inverse = np.linalg.inv(products[np.ix_(columns, columns)])
    coefficients = inverse @ products[columns, -1]
    return float(products[-1, -1] - coefficients @ products[columns, -1]), inverse, coefficients
