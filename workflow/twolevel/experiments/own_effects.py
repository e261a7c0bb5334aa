"""What every subject of a population draws for itself: intercepts, slopes, effects of factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.experiments.population import Population


@dataclass(frozen=True, eq=False)
class OwnEffects:
    """Effects b = root u with standard normal u: columns z (C, Q) of the cells, root (Q, Q)."""

    columns: np.ndarray
    root: np.ndarray


def cell_table(population: Population) -> pd.DataFrame:
    """The variables' values in each of the C cells."""
    cells = population.cells
    if population.number is not None:
        values = np.array(population.values)
        whole = values.astype(int)  # as a table would have them
        return pd.DataFrame({population.number: whole if (whole == values).all() else values})
    return pd.DataFrame(
        {
            name: pd.Categorical([cell[k] for cell in cells], list(levels))
            for k, (name, levels) in enumerate(population.factors.items())
        }
    )


def own_effects(population: Population) -> list[OwnEffects]:
    """What subjects have of their own: intercepts, with slopes if any, then strata."""
    one, sd = np.ones((len(population.cells), 1)), population.intercept_sd
    first = OwnEffects(one, np.array([[sd]]))
    if population.random is not None and population.number is not None:
        slope = population.random[population.number]
        correlation = population.random.get("correlation", 0.0)
        root = np.array([[sd, 0.0], [correlation * slope, slope * np.sqrt(1 - correlation**2)]])
        first = OwnEffects(np.column_stack([one, population.values]), root)
    found = [first]
    table = cell_table(population)
    for names, sd in population.strata.items():
        levels = table.groupby(names.split(":"), observed=True, sort=False).ngroup().to_numpy()
        indicators = np.equal.outer(levels, np.arange(levels.max() + 1)).astype(float)
        found.append(OwnEffects(indicators, sd * np.eye(indicators.shape[1])))
    return found


def covariance_of(own: list[OwnEffects]) -> np.ndarray:
    """The covariance (C, C) of what a subject has of its own in the cells."""
    roots = [each.columns @ each.root for each in own]
    return np.sum([root @ root.T for root in roots], axis=0)


def draw_own(
    own: list[OwnEffects], shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """What subjects (...) have of their own in each cell (C, ...)."""
    drawn = np.zeros((len(own[0].columns), *shape))
    for each in own:
        standard = generator.standard_normal((len(each.root), *shape))
        drawn += np.tensordot(each.columns @ each.root, standard, axes=1)
    return drawn
