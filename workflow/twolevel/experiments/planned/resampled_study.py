"""A planned study that is like one that was fitted: its rows, its estimates, its random part.

Its subjects are those of the fitted study, more or fewer of them: in proportion to its groups, and
from each group as evenly as can be.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from twolevel.design.coding import Coding
from twolevel.experiments.between_subjects import in_proportion
from twolevel.experiments.planned.absence import Absence
from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.inference.type3 import effects_by_term
from twolevel.mixed import MixedFit
from twolevel.random.bars import read_bars
from twolevel.random.mixed_design import mixed_design
from twolevel.text.errors import InputError, quoted

# The share of the fixed part's size by which another design may miss it: rounding.
_ROUNDING = 1e-6


def resampled_study(
    fit: MixedFit,
    subjects: int,
    coding: Coding,
    condition: str | None,
    missing: float = 0.0,
    adjust: str | None = None,
    shares: Mapping[str, float] | None = None,
) -> PlannedStudy:
    """The study of a fit by REML with so many subjects, of which a share of the rows is `missing`.

    `coding` is that of the fit, `condition` the variable within subjects that is looked at first.
    shares, by term, are taken of the effects of each, all where nothing is said.

    Raises InputError for tables that are not held in memory, and where the rows of so many
    subjects make another model, as splines do whose knots are quantiles.
    """
    design = fit.design
    if design.whole is not None:
        raise InputError(
            "like: the study's table is too large to be held in memory; give the keys of its "
            "design instead of like:"
        )
    chosen = _chosen(fit, subjects)
    rows = np.concatenate([np.flatnonzero(design.codes == k) for k in chosen])
    copies = np.repeat(np.arange(subjects), np.bincount(design.codes)[chosen])
    mean, deviations = _mean(fit, shares or {})
    table = {name: column[rows] for name, column in design.variables.columns.items()}
    name = design.subject
    grouping = {column for each in fit.random_part.terms for column in each.within(name)}
    if unknown := sorted(grouping - set(table)):
        raise InputError(
            f"like: in the study's random part {fit.random}, {quoted(unknown[0])} is no variable "
            "of the fixed part; give the keys of the design instead of like:"
        )
    # A design has responses; these are any, for only its rows count.
    response = {read_bars(design.formula).names.response: np.arange(float(len(rows)))}
    frame = pd.DataFrame({**table, name: copies.astype(str), **response})
    planned, random = mixed_design(f"{design.formula} + {fit.random}", frame, name, coding)
    columns = planned.cells.spread(planned.cells.X)
    beta = np.linalg.lstsq(columns, deviations[rows], rcond=None)[0]
    size = np.abs(deviations).max() + fit.sigma_within
    if np.abs(columns @ beta - deviations[rows]).max() > _ROUNDING * size:
        raise InputError(
            f"like: with {subjects} of the study's subjects, its formula {quoted(design.formula)} "
            "makes other columns of their rows; take a multiple of its own number of subjects"
        )
    factors = fit.random_part.factors(fit.theta)
    return PlannedStudy(
        planned,
        random,
        mean=mean,
        beta=beta,
        roots=[fit.sigma_within * root for root in factors],
        sigma_within=fit.sigma_within,
        condition=condition,
        absence=Absence(missing, np.arange(len(rows)), np.zeros(len(rows)), copies),
        adjust=adjust,
    )


def _mean(fit: MixedFit, shares: Mapping[str, float]) -> tuple[float, np.ndarray]:
    """The mean of the fixed part, and what each row (N,) deviates from it, by these shares."""
    parts = effects_by_term(fit.design, fit.estimates.params)
    fixed = np.sum([shares.get(term, 1.0) * part for term, part in parts.items()], axis=0)
    middle = float(np.mean(fixed))
    return middle, fixed - middle


def groups_of(fit: MixedFit) -> np.ndarray:
    """The group (n,) of each subject of a fitted study: those alike in all factors between them."""
    design, profiles = fit.design, fit.design.profiles
    between = [n for n in profiles if design.is_factor(n) and not design.varies_within(n)]
    if not between:
        return np.zeros(len(profiles), dtype=int)
    return profiles.groupby(between, observed=True, sort=False).ngroup().to_numpy()


def _chosen(fit: MixedFit, subjects: int) -> np.ndarray:
    """Positions (m,) of subjects of the fitted study: of each group its share, spread evenly."""
    group = groups_of(fit)
    parts = []
    for k, m in enumerate(in_proportion(subjects, np.bincount(group).tolist())):
        own = np.flatnonzero(group == k)
        whole, rest = divmod(m, len(own))
        evenly = own[np.arange(rest) * len(own) // max(rest, 1)]
        parts += [np.tile(own, whole), evenly]
    return np.concatenate(parts)
