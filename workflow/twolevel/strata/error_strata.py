"""The error strata of a design: which columns lie in each, and what these leave as its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import SubjectMoments
from twolevel.strata.crossing import Crossing, Effect
from twolevel.text.errors import InputError

# What is left within subjects, or within the cells of subjects: R's "Error: Within".
WITHIN = "within"


class NotPartitioned(InputError):
    """The design does not allow exact partitioning of the errors; the message says why."""


@dataclass(frozen=True, eq=False)
class Stratum:
    """The columns that lie in a stratum, their coefficients, and the error.

    columns (k,) are positions of working columns, inverse (k, k) that of their cross-products;
    ss is the error's sum of squares with df degrees of freedom, on the scale of the rows fitted.
    """

    name: str
    columns: np.ndarray
    coefficients: np.ndarray
    inverse: np.ndarray
    ss: float
    df: int

    @property
    def ms(self) -> float:
        """The error's mean square."""
        return self.ss / self.df

    @property
    def df_total(self) -> int:
        """The degrees of freedom before the stratum's columns are fitted."""
        return self.df + len(self.columns)

    def squares(self, rows: np.ndarray, at_zero: np.ndarray) -> float:
        """The sum of squares of the hypothesis rows @ coefficients + at_zero = 0.

        rows (q, k) are of the stratum's columns, at_zero (q,) is what the coordinates took off.
        """
        b = rows @ self.coefficients + at_zero
        return float(b @ np.linalg.solve(rows @ self.inverse @ rows.T, b))


def name_of(subject: str, effect: Effect) -> str:
    """A stratum as R writes it: id, id:a, id:a:b."""
    return ":".join([subject, *effect])


def strata_of(
    design: DesignMatrix, moments: SubjectMoments, cells: Crossing | None
) -> dict[str, Stratum]:
    """The strata with their errors, by name: subjects first, then each effect within them.

    Where subjects are not all in the same cells, as in a Latin square, all within them is one.

    Raises NotPartitioned where they are not orthogonal, or nothing is left in one.
    """
    p, n = len(design.names), len(design.all_subjects)
    _refuse_unequal(design, moments)
    varying = np.diag(moments.within)[:p] > 0
    found = [_between(design.subject, moments, np.flatnonzero(~varying))]
    W, columns = moments.within, np.flatnonzero(varying)
    effects = cells.effects if cells else []
    if cells is None:
        df = int(moments.counts.sum()) - n
        found.append(_within(WITHIN, W, columns, float(W[p, p]), df))
    elif len(effects) == 1:
        name = name_of(design.subject, effects[0])
        found.append(_within(name, W, columns, float(W[p, p]), n * cells.df(effects[0])))
    else:
        totals, lies_in = _parts(design, moments, cells, columns)
        for k, effect in enumerate(effects):
            name, df = name_of(design.subject, effect), n * cells.df(effect)
            found.append(_within(name, W, columns[lies_in == k], totals[k], df))
    if empty := [stratum.name for stratum in found if stratum.df < 1]:
        raise NotPartitioned(
            f"no degrees of freedom are left for the error of {', '.join(empty)}; an exact ANOVA "
            "needs at least 1 in each stratum"
        )
    return {stratum.name: stratum for stratum in found}


def _between(name: str, moments: SubjectMoments, columns: np.ndarray) -> Stratum:
    p, size = moments.columns.shape[1], int(moments.counts[0])
    X, y = moments.means[:, columns], moments.means[:, p]
    inverse = np.linalg.inv(X.T @ X)
    coefficients = inverse @ (X.T @ y)
    residual = y - X @ coefficients
    ss, df = size * float(residual @ residual), len(y) - len(columns)
    return Stratum(name, columns, coefficients, inverse / size, ss, df)


def _within(name: str, W: np.ndarray, columns: np.ndarray, total: float, df: int) -> Stratum:
    """A stratum in which the response has the sum of squares `total` with df degrees of freedom."""
    inverse = np.linalg.inv(W[np.ix_(columns, columns)]) if len(columns) else np.empty((0, 0))
    moment = W[columns, -1]
    coefficients = inverse @ moment
    ss = total - float(coefficients @ moment)
    return Stratum(name, columns, coefficients, inverse, ss, df - len(columns))


def _parts(
    design: DesignMatrix, moments: SubjectMoments, cells: Crossing, columns: np.ndarray
) -> tuple[list[float], np.ndarray]:
    """The response's sum of squares in each effect, and the effect in which each column lies.

    One subject of a kind stands for all of it.
    """
    rows, y, _ = design.working_columns()
    totals = [float(cells.squares(cells.means(y), effect)) for effect in cells.effects]
    kinds = np.unique(moments.pattern, return_index=True)[1]
    in_cells = np.argsort(cells.place).reshape(cells.n_subjects, -1)[kinds]
    X = rows.at(in_cells.ravel())[:, columns].reshape(*in_cells.shape, -1)
    squares = np.stack([cells.squares(X, effect) for effect in cells.effects])
    lies_in = squares.argmax(axis=0)
    astray = squares.sum(axis=0) - squares.max(axis=0) > 1e-20 * squares.sum(axis=0)
    if astray.any():
        term = _term_of(design, int(columns[np.argmax(astray)]))
        raise NotPartitioned(
            f"{term} lies in several error strata; an exact ANOVA needs the main effects and lower "
            "interactions of each interaction in the formula: write them with *"
        )
    return totals, lies_in


def _term_of(design: DesignMatrix, column: int) -> str:
    return next(term for term, columns in design.terms.items() if column in columns)


def _refuse_unequal(design: DesignMatrix, moments: SubjectMoments) -> None:
    """Refuse designs whose strata are not orthogonal.

    They are only if every column within subjects has the same mean in every subject.
    """
    if np.ptp(moments.counts) > 0:
        raise NotPartitioned(
            f"subjects have between {moments.counts.min()} and {moments.counts.max()} observations"
            "; an exact ANOVA needs the same number for each"
        )
    p = len(design.names)
    squares = np.diag(moments.within)[:p]
    spread = np.ptp(moments.means[:, :p], axis=0)
    mixed = (squares > 0) & (spread > 1e-10 * np.sqrt(squares / design.nobs))
    if mixed.any():
        raise NotPartitioned(
            f"{_term_of(design, int(np.argmax(mixed)))} varies within subjects but averages "
            "differently from one subject to the next; an exact ANOVA needs every subject under "
            "the same conditions equally often"
        )


def stratum_of(term: str, rows: np.ndarray, strata: dict[str, Stratum]) -> Stratum:
    """The stratum that the rows (q, p) of a term's hypothesis lie in, in working columns."""
    small = 1e-10 * np.abs(rows).max()
    touched = [s for s in strata.values() if (np.abs(rows[:, s.columns]) > small).any()]
    if len(touched) > 1:
        raise NotPartitioned(
            f"{term} compares {' and, at the same time, '.join(s.name for s in touched)}; an exact "
            "ANOVA needs every term to lie in one stratum; centre numbers within subjects, as in "
            "a * center(x)"
        )
    return touched[0]


def variances(ms: pd.Series, cells: Crossing | None, subject: str, per_subject: float) -> pd.Series:
    """The variance that each stratum adds to a single row, by the strata's mean squares ms.

    E(MS_u) is the sum over v of m_v sigma_v^2 for all effects v that contain u, with m_v the rows
    of a subject at each combination of v's levels, plus the error of single rows; so sigma_u^2 m_u
    is the alternating sum of the mean squares of these effects (Searle, Casella & McCulloch 1992,
    sec. 4.4). The last stratum is the error itself. An estimate may be negative.
    """
    effects: list[Effect] = [(), *(cells.effects if cells else [])]
    result = pd.Series(ms.iloc[-1], index=ms.index)
    for u in effects:
        name = name_of(subject, u)
        if name == ms.index[-1]:
            continue
        containing = [v for v in effects if set(u) <= set(v)]
        rest = sum((-1) ** (len(v) - len(u)) * ms[name_of(subject, v)] for v in containing)
        if len(containing) == 1:  # beside it stands only the error of single rows
            rest -= ms.iloc[-1]
        levels = np.prod([cells.sizes[name] for name in u]) if cells else 1
        result[name] = rest / (per_subject / levels)
    return result
