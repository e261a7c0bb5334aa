"""A planned study from the parameters of the config: groups, factors, covariates, all by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from twolevel.design.design_matrix import design_matrix
from twolevel.experiments.between_subjects import GROUP
from twolevel.experiments.own_effects import cell_table, own_effects
from twolevel.experiments.planned.absence import Absence
from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.random.mixed_design import mixed_design
from twolevel.random.supported import supported

if TYPE_CHECKING:
    from twolevel.experiments.scenario import Scenario


def planned_study(scenario: Scenario) -> PlannedStudy:
    """The study that a scenario describes, with every subject's rows.

    Fitted is what is drawn; with several factors within subjects, also each own effect that their
    rows support, whose variance is 0 in truth where nothing is said of it.
    """
    population, between = scenario.population, scenario.between
    sizes = between.sizes(scenario.subjects)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    n, C, R = scenario.subjects, len(population.cells), scenario.replicates
    per_subject = C * R
    cell = np.tile(np.repeat(np.arange(C), R), n)
    subject = np.repeat(np.arange(n), per_subject)
    table = {"subject": subject.astype(str)}
    table |= {name: column.array.take(cell) for name, column in cell_table(population).items()}
    formula = population.formula
    if between.groups:
        named = pd.Categorical.from_codes(codes, list(between.groups))
        table[GROUP] = named.take(subject)
        formula = formula.replace("~ ", f"~ {GROUP} * ", 1)
    mean = np.array(between.means(population))[codes[subject], cell]
    every = _normal_scores(codes, len(between.covariates))
    for name, covariate in between.covariates.items():
        scores = next(every)[subject]
        table[name] = covariate.mean + covariate.sd * scores
        formula += f" + {name}"
        mean = mean + covariate.slope * covariate.sd * scores
    # A design has responses; these are any, for only its rows count.
    frame = pd.DataFrame({**table, "response": np.arange(float(len(subject)))})
    bars = _bars(scenario, formula, frame)
    design, random = mixed_design(f"{formula} + {' + '.join(bars)}", frame, "subject", "treatment")
    middle = float(mean.mean())
    columns = design.cells.spread(design.cells.X)
    beta = np.linalg.lstsq(columns, mean - middle, rcond=None)[0]
    gone = np.array(between.gone(population))[codes[subject], cell]
    return PlannedStudy(
        design,
        random,
        mean=scenario.grand_mean + middle,
        beta=beta,
        roots=[_root(scenario, each.within("subject")) for each in random.part.terms],
        sigma_within=scenario.sigma_within,
        condition=population.names[0],
        absence=Absence(scenario.missing, subject * C + cell, gone, subject),
        adjust=scenario.adjust,
    )


def _bars(scenario: Scenario, formula: str, table: pd.DataFrame) -> list[str]:
    """The random part, in bars: what is drawn, and of several factors what is supported."""
    population = scenario.population
    line = f"1 + {population.number}" if population.random and population.number else "1"
    strata = [tuple(name.split(":")) for name in population.strata]
    if len(population.factors) > 1:
        found = supported(design_matrix(formula, table, "subject")).bars
        known = set(map(frozenset, strata))
        strata += [
            b.within("subject") for b in found if frozenset(b.within("subject")) not in known
        ]
    nested = (f"(1 | {':'.join(['subject', *names])})" for names in strata if names)
    return [f"({line} | subject)", *nested]


def _root(scenario: Scenario, within: tuple[str, ...]) -> np.ndarray:
    """A root of the covariance of a term's effects, of a subject or of levels within one."""
    if not within:
        return own_effects(scenario.population)[0].root
    strata = {frozenset(name.split(":")): sd for name, sd in scenario.population.strata.items()}
    return np.full((1, 1), strata.get(frozenset(within), 0.0))


def _normal_scores(groups: np.ndarray, covariates: int) -> Iterator[np.ndarray]:
    """For each covariate numbers (n,) at about a normal's quantiles within each group.

    Those of the first are the quantiles; those of others are in another order, and what of them is
    not correlated with those before, as far as a group has the subjects for it: so a covariate is
    no accident, and means the same for any number of subjects.
    """
    before = np.ones((len(groups), 1))
    for k in range(covariates):
        scores = np.empty(len(groups))
        for group in np.unique(groups):
            own = np.flatnonzero(groups == group)
            values = ndtri((np.arange(len(own)) + 0.5) / len(own))
            if k:
                values = np.random.default_rng(k).permutation(values)
            if len(own) > before.shape[1]:
                values = values - before[own] @ np.linalg.lstsq(before[own], values, rcond=None)[0]
            spread = values.std()
            scores[own] = values / (spread if spread > 0 else 1.0)
        before = np.column_stack([before, scores])
        yield scores
