"""Level 1 where subjects have more than a mean of their own: each one's effects, by least squares.

Subject i's own effects are theta_i = C_i beta + b_i: what the formula predicts of them from what
differs between subjects, and a deviation. Their least-squares estimates hold sampling error too,

    theta_i-hat = theta_i + (Z_i'Z_i)^-1 Z_i' eta_i - D_i (gamma-hat - gamma),

gamma being the effects that all subjects share. So the covariance of the estimates around Level
2's regression is that of b_i and, in expectation, the mean of sigma_w^2 (Z_i'Z_i)^-1 and of what
the shared effects' error adds (Swamy 1970, Econometrica 38, 311-323). Where nested effects vary as
well, they are part of the error of the subject's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.moments import independent_columns
from twolevel.levels.stratum_variances import (
    NotEstimable,
    StratumVariance,
    stratum_variances,
)
from twolevel.levels.swept import Swept
from twolevel.random.random_columns import RandomColumns, TermColumns


@dataclass(frozen=True, eq=False)
class OwnEffects:
    """Subjects' own effects (least squares), and what error adds to their covariance.

    effects (n, q): each subject's, in the response's unit per unit of the effect's column; NaN
    where its rows cannot tell them apart. deviations (n, q): less what Level 2's regression on what
    differs between subjects predicts, on df_level2 degrees of freedom. sampling_covariance (q, q)
    is what the error of the effects adds to that of the deviations, in expectation. residuals (N,)
    are in the order of the data, and sigma_within is on df_resid degrees of freedom. strata are the
    variances of what is nested in the subject, and parts (N rows) their parts of each observation.
    """

    effects: pd.DataFrame
    deviations: pd.DataFrame
    df_level2: int
    sampling_covariance: np.ndarray
    sigma_within: float
    df_resid: int
    residuals: np.ndarray
    parts: pd.DataFrame
    strata: list[StratumVariance]

    @property
    def table(self) -> pd.DataFrame:
        """Each subject's own_<effect> and deviation_<effect> (n rows)."""
        return self.effects.add_prefix("own_").join(self.deviations.add_prefix("deviation_"))

    def summary(self) -> dict:
        """Everything but what belongs to single subjects and rows, for a JSON file."""
        strata = [{**vars(each), "corrected": each.corrected} for each in self.strata]
        return {
            "effects": list(self.effects),
            "n_estimable": int(self.effects.notna().all(axis=1).sum()),
            "df_level2": self.df_level2,
            "sampling_covariance": self.sampling_covariance.tolist(),
            "sigma_within": self.sigma_within,
            "df_resid": self.df_resid,
            "strata": strata,
        }

    @classmethod
    def from_summary(
        cls, summary: Mapping[str, Any], subjects: pd.DataFrame, residuals: pd.DataFrame
    ) -> OwnEffects:
        """Put it together again from its summary and the tables of subjects and observations."""
        names = summary["effects"]
        effects, deviations = (
            subjects[[f"{kind}_{name}" for name in names]].set_axis(names, axis=1)
            for kind in ("own", "deviation")
        )
        strata = [
            StratumVariance(**{key: value for key, value in row.items() if key != "corrected"})
            for row in summary["strata"]
        ]
        return cls(
            effects,
            deviations,
            summary["df_level2"],
            np.array(summary["sampling_covariance"]),
            summary["sigma_within"],
            summary["df_resid"],
            residuals["residual"].to_numpy(),
            residuals[[f"stratum_{each.grp}" for each in strata]].rename(
                columns=lambda name: name.removeprefix("stratum_")
            ),
            strata,
        )


def own_effects(design: DesignMatrix, random: RandomColumns) -> OwnEffects:
    """Fit every subject's own effects, of a random part that has some (N rows).

    The effects are those of the terms whose grouping factor is the subject, under the random part's
    names; columns beside them that change within subjects stand at their means. Of a table in
    shards they are those of all subjects, and the residuals those of the sample.

    Raises NotEstimable where no degree of freedom is left for sigma_within or for Level 2, where no
    effect belongs to the subject itself, and for nested effects that are correlated.
    """
    subject = tuple(each for each in random.terms if each.levels is None)
    nested = tuple(each for each in random.terms if each.levels is not None)
    if not subject:
        raise NotEstimable(
            f"random part {random.part}: no effects of the subject itself; expected a term such as "
            f"(1 | {design.subject}) for the two-stage fit; read the mixed model's results"
        )
    full = Swept.of(design, (*subject, *nested))
    own = full.first(len(subject))
    if full.df_resid < 1:
        raise NotEstimable(
            f"random part {random.part}: with effects of each subject's own, {design.nobs} "
            f"observations leave {full.df_resid} degrees of freedom for sigma_within; expected at "
            "least 1; add observations, or leave terms out"
        )
    within = full.fit[0] / full.df_resid
    strata = stratum_variances(design, full)

    coordinates = design.working_moments()[1]
    unit = coordinates.unit
    names = [effect for each in subject for effect in each.term.effects]
    estimates = _Estimates.of(own, _block_diagonal([each.back for each in subject]))
    deviation = unit * estimates.of_response
    fixed = np.linalg.solve(coordinates.T, coordinates.shift)
    between = estimates.between_columns()
    m, q = between.shape
    if m <= q:
        raise NotEstimable(
            f"random part {random.part}: {m} subjects have rows enough for own effects, which with "
            f"{q} between-subjects coefficients leaves nothing to estimate their spread from; "
            "expected more such subjects"
        )
    level2 = _Level2.of(estimates, between)
    sampling = within * level2.of_errors()
    for term, stratum in strata.items():
        sampling = sampling + stratum.variance.corrected * level2.of_nested(term)

    def table(values: np.ndarray) -> pd.DataFrame:
        every = np.full((len(design.all_subjects), len(names)), np.nan)
        every[estimates.estimable] = values
        return pd.DataFrame(every, index=design.all_subjects, columns=names)

    return OwnEffects(
        effects=table(estimates.of_columns @ fixed + deviation),
        deviations=table(level2.left_of(deviation)),
        df_level2=m - q,
        sampling_covariance=unit**2 * sampling / (m - q),
        sigma_within=unit * float(np.sqrt(within)),
        df_resid=full.df_resid,
        residuals=unit * full.residuals(design),
        parts=pd.DataFrame({s.variance.grp: unit * s.part for s in strata.values()}),
        strata=[stratum.variance.in_unit(unit) for stratum in strata.values()],
    )


@dataclass(frozen=True, eq=False)
class _Estimates:
    """The least-squares estimates of the m subjects whose rows can tell their q effects apart.

    estimable (n,) says which subjects these are. of_rows (m, q, Q) makes effects of Q_i' z_i;
    of_columns (m, q, p) are C_i, of_shared (m, q, k) are D_i, and of_response (m, q) the estimates
    from the working response.
    """

    own: Swept
    estimable: np.ndarray
    of_rows: np.ndarray
    of_columns: np.ndarray
    of_shared: np.ndarray
    of_response: np.ndarray

    @classmethod
    def of(cls, own: Swept, back: np.ndarray) -> _Estimates:
        """From rows with the subjects' columns swept out; back (q, q) as in `random_columns`."""
        estimable = np.all(np.diagonal(own.R, axis1=1, axis2=2) > 0, axis=1)
        of_rows = back @ np.linalg.inv(own.R[estimable])
        found = of_rows @ own.projected[estimable]  # (m, q, p + 1)
        _, unscaled, gamma = own.fit
        shared = found[..., own.shared]
        # A column's part in the span of Z_i, beside what shared columns have of it.
        columns = found[..., :-1] - shared @ (unscaled @ own.within[own.shared, :-1])
        columns[..., own.shared] = 0.0
        return cls(own, estimable, of_rows, columns, shared, found[..., -1] - shared @ gamma)

    def between_columns(self) -> np.ndarray:
        """Orthonormal columns (m, r) of Level 2: of all that the formula has of any effect."""
        # Each effect has its own unit, so that columns are compared within it.
        sizes = np.linalg.norm(self.of_columns, axis=0)  # (q, p)
        counted = sizes > 1e-10 * sizes.max(axis=1, keepdims=True)
        columns = (self.of_columns / np.where(counted, sizes, 1.0))[:, counted]
        kept = independent_columns(columns.T @ columns, np.ones(columns.shape[1]))
        return np.linalg.qr(columns[:, kept])[0]


@dataclass(frozen=True, eq=False)
class _Level2:
    """What the regression of m subjects' effects on `between` (m, r) leaves, of them and of errors.

    apart (m, q, k) is what it leaves of D_i, and kept (m,) one less its leverages.
    """

    estimates: _Estimates
    between: np.ndarray
    apart: np.ndarray
    kept: np.ndarray

    @classmethod
    def of(cls, estimates: _Estimates, between: np.ndarray) -> _Level2:
        """The regression on orthonormal columns."""
        D = estimates.of_shared
        apart = D - np.tensordot(between, np.tensordot(between, D, (0, 0)), 1)
        return cls(estimates, between, apart, 1 - (between**2).sum(axis=1))

    def left_of(self, effects: np.ndarray) -> np.ndarray:
        """The residuals of effects (m, q)."""
        return effects - self.between @ (self.between.T @ effects)

    def of_errors(self) -> np.ndarray:
        """The expected cross-products (q, q) of the residuals of errors with variance 1."""
        L, unscaled = self.estimates.of_rows, self.estimates.own.fit[1]
        own = np.einsum("m,mai,mbi->ab", self.kept, L, L)
        return own + np.einsum("mak,kl,mbl->ab", self.apart, unscaled, self.apart)

    def of_nested(self, term: TermColumns) -> np.ndarray:
        """The same of the effects of a nested term with variance 1."""
        own = self.estimates.own
        inside = own.triangles[:, : own.width, own.columns(term)]
        shared = own.fit[1] @ own.shared_with(term)  # (n, k, m)
        effects = self.estimates.of_rows @ inside[self.estimates.estimable]
        crossed = np.einsum(
            "mai,mbk,mki->ab", effects, self.apart, shared[self.estimates.estimable]
        )
        spread = np.einsum("nki,nli->kl", shared, shared)
        return (
            np.einsum("m,mai,mbi->ab", self.kept, effects, effects)
            - crossed
            - crossed.T
            + np.einsum("mak,kl,mbl->ab", self.apart, spread, self.apart)
        )


def _block_diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    size = sum(len(block) for block in blocks)
    whole, at = np.zeros((size, size)), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole
